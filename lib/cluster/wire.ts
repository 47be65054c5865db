import { type JournalEvent, subjectOf } from "../journal/events.ts";

/** Which format the events of a stream have; a server reads no other one. */
export const FORMAT = 2;

/** The subject of messages, and those of everything else, within a stream's own: what is trimmed apart. */
export const MESSAGES = "message";
export const STATE = "state";

const TYPES: ReadonlySet<string> = new Set<JournalEvent["type"]>([
  "message",
  "acknowledgement",
  "account-made",
  "account-changed",
  "account-removed",
  "account-seen",
  "login",
  "login-extended",
  "login-moved",
  "login-renewed",
  "login-ended",
  "logins-expired",
  "messages-expired",
  "room-made",
  "room-joined",
  "room-left",
  "room-act",
  "rooms-heard",
  "operation",
]);

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The subject of NATS that an event is published on, within a stream's own: what may collide has the same
 * one. Keys may hold any letters and dots, so they are written in base64url.
 */
export function natsSubjectOf(event: JournalEvent): string {
  if (event.type === "message") return MESSAGES;
  const subject = subjectOf(event);
  if (subject === undefined) return `${STATE}.${event.type}`;
  const [kind, key] = subject;
  const token = utf8.encode(key).toBase64({ alphabet: "base64url", omitPadding: true });
  return `${STATE}.${kind}.${token}`;
}

export function encodeEvent(event: JournalEvent): string {
  return JSON.stringify(event);
}

/** @throws {Error} where this is no event that this version knows */
export function decodeEvent(data: Uint8Array): JournalEvent {
  const event = JSON.parse(strictUtf8.decode(data)) as JournalEvent;
  if (TYPES.has(event?.type)) return event;
  throw new Error(
    `it is of no type that this version knows: ${JSON.stringify(event).slice(0, 80)}`,
  );
}
