/**
 * What operators did, what holds because of that, and what they may do it to, in lines for people: for both programs.
 *
 * @module
 */
import { legibleLine } from "./console/foreign.ts";
import { SERVER_ROLES } from "./protocol/roles.ts";
import type { Message, OperationRecord, RestrictionRecord } from "./protocol/records.ts";

/** How a time is written, which is in milliseconds since 1970 (UTC). */
type TimeFormat = (time: number) => string;

/** Until when something holds, as the end of a sentence. */
export function formatEnd(until: number | undefined, time: TimeFormat): string {
  if (until === undefined) return "until an operator ends that";
  // As the server says it to whom it concerns: when that minute begins, it is over.
  return `until ${time(Math.ceil(until / 60_000) * 60_000)}`;
}

export function formatRestriction(
  { what, user, address = "", by, until, why }: RestrictionRecord,
  time: TimeFormat,
): string {
  const rest = `${formatEnd(until, time)}, by ${operator(by)}${reason(why)}`;
  if (what === "address") return `New accounts from ${legibleLine(address)} are refused ${rest}`;
  if (what === "lock") return `The chat is locked for new users ${rest}`;
  const whom = user === undefined ? "Everybody but operators" : legibleLine(user);
  const state = what === "mute" ? "muted" : "banned";
  return `${whom} is ${state} ${rest}`;
}

export function formatOperation(
  { what, user, address = user, message, by, at, until, why }: OperationRecord,
  time: TimeFormat,
): string {
  const of = message === undefined ? "" : ` ${message} of`;
  const whom = address === undefined ? "" : `${of} ${legibleLine(address)}`;
  const lasts = until === undefined ? "" : ` ${formatEnd(until, time)}`;
  const isRole = (SERVER_ROLES as readonly string[]).includes(what);
  const done = isRole ? `role${whom} ${what}` : `${legibleLine(what)}${whom}`;
  return `${time(at)} ${operator(by)}: ${done}${lasts}${reason(why)}`;
}

/** So much of a text names the message, in UTF-16 code units. */
const EXCERPT_LENGTH = 60;

/** A message in a line, by its number. */
export function formatNumbered(
  { id, from, room, sent, text, deleted }: Message,
  time: TimeFormat,
): string {
  const where = room === undefined ? "" : ` -> #${legibleLine(room)}`;
  const head = `${id}  ${time(sent)} ${legibleLine(from)}${where}`;
  if (deleted !== undefined) return `${head} (deleted by ${legibleLine(deleted)})`;
  const line = legibleLine(text);
  const excerpt = line.slice(0, EXCERPT_LENGTH).toWellFormed();
  return `${head}: ${excerpt}${line.length > EXCERPT_LENGTH ? "…" : ""}`;
}

function operator(by: string | undefined): string {
  return by === undefined ? "the server's own machine" : legibleLine(by);
}

function reason(why: string | undefined): string {
  return why === undefined ? "" : `: ${legibleLine(why)}`;
}
