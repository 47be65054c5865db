/**
 * Everything that lasts. A room, a role or a ban is one more type here.
 *
 * Accounts are named by their keys (folded usernames), times are milliseconds since 1970. An event holds all that
 * its effect depends on: whoever applies it asks no clock, and draws no random number.
 *
 * @module
 */
import type { Message } from "../protocol/records.ts";

/** The request that stores a message: the login it came with, and its id. */
export interface Origin {
  login: number;
  request: number;
}

/** A text to everybody or to one account; its number is the message's id. Names are as they were registered. */
export interface MessageEvent extends Pick<Message, "from" | "to" | "sent" | "text"> {
  type: "message";
  /** By which a request that comes again is recognised; undefined where it can't come again. */
  origin: Origin | undefined;
}

/** Direct messages were acknowledged by their addressee. */
export interface AcknowledgementEvent {
  type: "acknowledgement";
  account: string;
  /** Their ids, ascending. */
  messages: readonly number[];
}

/** An account was made; what an earlier one of its name had is not for it. */
export interface AccountMadeEvent {
  type: "account-made";
  account: string;
  /** What tells it from others of its name. */
  identity: string;
  /** It may see public messages with higher ids. */
  since: number;
  /** Its line of `credentials.txt`; undefined on a server alone, where the file is the source. */
  line?: string | undefined;
}

/** An account is there, and has this identity now; where that is another one's, that one has gone. */
export interface AccountChangedEvent {
  type: "account-changed";
  account: string;
  identity: string;
  /** Its line of `credentials.txt`; undefined on a server alone, where the file is the source. */
  line?: string | undefined;
  /** The login whose user gave the account another password: it goes on. */
  by?: number | undefined;
}

/** An account has gone: nobody is entitled to what it was. */
export interface AccountRemovedEvent {
  type: "account-removed";
  account: string;
}

/** The last session of an account has ended: messages with higher ids are unread at its next login. */
export interface AccountSeenEvent {
  type: "account-seen";
  account: string;
  last: number;
}

/** A client logged in, and may come back without a password; its number is the login's. */
export interface LoginEvent {
  type: "login";
  account: string;
  /** What stands for the account's password; another one ends the login. */
  credential: string;
  /** SHA-256 of the resume token, as hexadecimal digits. */
  token: string;
  /** The newest event then: the client never needs this one or an earlier one. */
  last: number;
  expires: number;
}

/** The client of a login was here, so it may come back for longer. */
export interface LoginExtendedEvent {
  type: "login-extended";
  login: number;
  expires: number;
}

/** The client of a login has come back, in a cluster: to one server, so that it is at no other one any more. */
export interface LoginMovedEvent {
  type: "login-moved";
  login: number;
  /** The server's own id. */
  server: string;
}

/** The account of a login has another password, and the login goes on. */
export interface LoginRenewedEvent {
  type: "login-renewed";
  login: number;
  credential: string;
}

/** The client of a login has left for good. */
export interface LoginEndedEvent {
  type: "login-ended";
  login: number;
}

/** Logins that expired by this time are forgotten. */
export interface LoginsExpiredEvent {
  type: "logins-expired";
  by: number;
}

/** Messages with lower ids are forgotten, but for those that somebody has not acknowledged. */
export interface MessagesExpiredEvent {
  type: "messages-expired";
  before: number;
}

export type JournalEvent =
  | MessageEvent
  | AcknowledgementEvent
  | AccountMadeEvent
  | AccountChangedEvent
  | AccountRemovedEvent
  | AccountSeenEvent
  | LoginEvent
  | LoginExtendedEvent
  | LoginMovedEvent
  | LoginRenewedEvent
  | LoginEndedEvent
  | LoginsExpiredEvent
  | MessagesExpiredEvent;

/** What an event is about, where two may not change that at a time: `account` and its key. */
export type Subject = readonly [kind: "account", key: string];

/** Undefined where it collides with no other event. */
export function subjectOf(event: JournalEvent): Subject | undefined {
  switch (event.type) {
    case "account-made":
    case "account-changed":
    case "account-removed":
      return ["account", event.account];
    default:
      return undefined;
  }
}
