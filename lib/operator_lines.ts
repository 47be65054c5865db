/**
 * What operators did, and what holds because of that, in lines for people: for both programs.
 *
 * @module
 */
import { legibleLine } from "./console/foreign.ts";
import type { OperationRecord, RestrictionRecord } from "./protocol/records.ts";

/** How a time is written, which is in milliseconds since 1970 (UTC). */
type TimeFormat = (time: number) => string;

/** Until when something holds, as the end of a sentence. */
export function formatEnd(until: number | undefined, time: TimeFormat): string {
  return until === undefined ? "until an operator ends that" : `until ${time(until)}`;
}

export function formatRestriction(
  { what, user, address = "", by, until, why }: RestrictionRecord,
  time: TimeFormat,
): string {
  const rest = `${formatEnd(until, time)}, by ${operator(by)}${reason(why)}`;
  if (what === "address") return `New accounts from ${legibleLine(address)} are refused ${rest}`;
  const whom = user === undefined ? "Everybody but operators" : legibleLine(user);
  const state = what === "mute" ? "muted" : "banned";
  return `${whom} is ${state} ${rest}`;
}

export function formatOperation(
  { what, user, address = user, by, at, until, why }: OperationRecord,
  time: TimeFormat,
): string {
  const whom = address === undefined ? "" : ` ${legibleLine(address)}`;
  const lasts = until === undefined ? "" : ` until ${time(until)}`;
  return `${time(at)} ${operator(by)}: ${legibleLine(what)}${whom}${lasts}${reason(why)}`;
}

function operator(by: string | undefined): string {
  return by === undefined ? "the server's own machine" : legibleLine(by);
}

function reason(why: string | undefined): string {
  return why === undefined ? "" : `: ${legibleLine(why)}`;
}
