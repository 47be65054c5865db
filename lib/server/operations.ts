import { isIP } from "node:net";
import type { OperationEvent, Origin } from "../journal/events.ts";
import type { DoneOperation, Restriction } from "../messages/operator_table.ts";
import { originOf } from "../net/connection.ts";
import { MAX_DURATION } from "../protocol/durations.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { MAX_LISTED_OPERATIONS } from "../protocol/limits.ts";
import { foldUsername, SERVER_NAME } from "../protocol/names.ts";
import type { OperationRecord, RestrictionRecord, ServerRecords } from "../protocol/records.ts";
import { type Operation, OPERATIONS } from "../protocol/roles.ts";
import { parseText, parseWhy } from "../protocol/text.ts";
import type { Services } from "./services.ts";

/** What an operator wants done. */
export interface Order {
  what: Operation;
  /** Whom it is done to, in any spelling that folds alike. */
  user?: string | undefined;
  /** Or which address. */
  address?: string | undefined;
  /** Or to which message. */
  message?: number | undefined;
  /** For how long. @default until an operator ends it */
  seconds?: number | undefined;
  /** Why; or what is announced. */
  text?: string | undefined;
}

/** Who wants it: an operator, or where a message is to be deleted perhaps a moderator of its room. */
export interface Operator {
  /** The username as it was registered. @default who is on the server's own machine */
  by?: string;
  origin?: Origin | undefined;
}

/**
 * Does what an operator wants.
 *
 * @returns whom it was done to or who sent the message, and when it ends by itself
 * @throws {ProtocolError} where it can't be done; nothing has changed then
 */
export async function carryOut(
  services: Services,
  order: Order,
  { by, origin }: Operator = {},
): Promise<{ user?: string; address?: string; until?: number }> {
  const { what, user: named, address: from, seconds, text = "" } = order;
  const { accounts, clock, hub, journal, limits, operators } = services;
  if (what === "announce") {
    const announced = { text: parseText(text, limits), announcement: true, origin } as const;
    await hub.send(by ?? SERVER_NAME, announced);
    return {};
  }
  if (what === "delete") return { user: await deleteMessage(services, order, by) };
  const { takes, lasts } = OPERATIONS[what];
  const user = takes === "user" ? accounts.find(named ?? "") : undefined;
  if (takes === "user" && user === undefined) {
    throw new ProtocolError("no-such-user", "there is no user of that name");
  }
  const address = takes === "address" ? parseAddress(from ?? "") : undefined;
  const at = clock.date().getTime();
  const until = lasts && seconds !== undefined ? at + requireDuration(seconds) * 1_000 : undefined;
  const why = parseWhy(text) || undefined;
  const event: OperationEvent = { type: "operation", what, by, at, user, address, until, why };
  const refused = operators.judge(event);
  if (refused !== undefined) throw refused;
  if (what === "kick" && hub.users.find(user!) === undefined) {
    throw new ProtocolError("not-here", `${user} is not here`);
  }
  await journal.append(event);
  return {
    ...user !== undefined && { user },
    ...address !== undefined && { address },
    ...until !== undefined && { until },
  };
}

/** @returns who sent it */
async function deleteMessage(
  { clock, deletions, journal }: Services,
  { message = 0, text = "" }: Order,
  by: string | undefined,
): Promise<string> {
  const at = clock.date().getTime();
  const why = parseWhy(text) || undefined;
  const event = { type: "message-deleted", message, by, at, why } as const;
  const refused = deletions.judge(event);
  if (refused !== undefined) throw refused;
  const from = deletions.senderOf(message)!;
  await journal.append(event);
  return from;
}

/** Whom an address stands for. @throws {ProtocolError} `bad-address` */
function parseAddress(text: string): string {
  const address = text.includes(":") ? text.replace(/\/64$/, "") : text;
  if (isIP(address) !== 0) return originOf(address);
  throw new ProtocolError(
    "bad-address",
    "an address is one such as 192.0.2.7 or 2001:db8::7, and no network",
  );
}

function requireDuration(seconds: number): number {
  if (seconds <= MAX_DURATION) return seconds;
  throw new ProtocolError("bad-duration", `a duration has at most ${MAX_DURATION} seconds`);
}

/** What operators did last, in order. */
export function operationsOf({ operators }: Services, count: number): OperationRecord[] {
  return operators.recent(Math.min(count, MAX_LISTED_OPERATIONS)).map(described<DoneOperation>);
}

/** What holds now, the newest last. */
export function restrictionsOf({ operators, clock }: Services): RestrictionRecord[] {
  const all = operators.restrictions(clock.date().getTime());
  return all.slice(-MAX_LISTED_OPERATIONS).map(described<Restriction>);
}

/** What keeps everybody from making accounts now; undefined where nothing does. */
export function lockOf({ operators, clock }: Services): RestrictionRecord | undefined {
  const lock = operators.lock(clock.date().getTime());
  return lock && described<Restriction>(lock);
}

/**
 * Who a user is.
 *
 * @throws {ProtocolError} `no-such-user`
 */
export function describeUser(
  { accounts, active, clock, hub, operators }: Services,
  named: string,
): Omit<ServerRecords["whois"], "type" | "id"> {
  const user = accounts.find(named);
  if (user === undefined) throw new ProtocolError("no-such-user", "there is no user of that name");
  const account = foldUsername(user);
  const sessions = [...active]
    .filter(({ username }) => foldUsername(username) === account)
    .map(({ address, since }) => ({ address, since }));
  const restrictions = operators.restrictions(clock.date().getTime())
    .filter((restriction) => foldUsername(restriction.user ?? "") === account);
  return {
    user,
    role: operators.isOperator(account) ? "operator" : "user",
    created: accounts.created(user)?.getTime(),
    sessions,
    elsewhere: Math.max(hub.users.sessionsOf(user) - sessions.length, 0),
    restrictions: restrictions.map(described<Restriction>),
  };
}

/** As a record has it: without what is not there. */
function described<T extends Restriction | DoneOperation>(
  row: T,
): T extends DoneOperation ? OperationRecord : RestrictionRecord {
  const { user, ...rest } = row;
  const named = row.what === "address" || row.what.endsWith("-address")
    ? { address: user }
    : { user };
  const entries = Object.entries({ ...named, ...rest }).filter(([, value]) => value !== null);
  return Object.fromEntries(entries) as ReturnType<typeof described<T>>;
}
