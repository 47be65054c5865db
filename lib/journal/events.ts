/**
 * Everything that lasts. A room, a role or a ban is one more type here.
 *
 * Accounts are named by their keys (folded usernames), times are milliseconds since 1970. An event holds all that
 * its effect depends on: whoever applies it asks no clock, and draws no random number.
 *
 * @module
 */
import type { Message } from "../protocol/records.ts";
import type { Act, Operation, ServerRole } from "../protocol/roles.ts";

/** The request that stores a message: the login it came with, and its id. */
export interface Origin {
  login: number;
  request: number;
}

/** A text to everybody, to one account or to a room; its number is the message's id. Names are as they were registered. */
export interface MessageEvent extends Pick<Message, "from" | "to" | "sent" | "text"> {
  type: "message";
  /** The number of the room that it was said in; undefined where that is the lobby, or it is for one account. */
  room?: number | undefined;
  /** Whether it is an operator's, who speaks for the server. @default false */
  announcement?: true | undefined;
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
  /** What it is on the server. @default what it was; a new one is a user */
  role?: ServerRole | undefined;
  /** When it was given that role. */
  at?: number | undefined;
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

/** The text of a public message, or one of a room, was deleted. */
export interface MessageDeletedEvent {
  type: "message-deleted";
  message: number;
  /** The username as it was registered; undefined where it was done on the server's own machine. */
  by?: string | undefined;
  at: number;
  why?: string | undefined;
}

/** Somebody did something about a room. */
interface RoomChange {
  /** The username as it was registered. */
  by: string;
  at: number;
}

/** A room was made, and whoever made it owns it; its number is the room's. */
export interface RoomMadeEvent extends RoomChange {
  type: "room-made";
  /** Without a "#". */
  name: string;
}

/** Somebody is in a room from now on. */
export interface RoomJoinedEvent extends RoomChange {
  type: "room-joined";
  room: number;
}

/** Somebody has left a room. */
export interface RoomLeftEvent extends RoomChange {
  type: "room-left";
  room: number;
}

/** Somebody has done something to a room, or to somebody in it. */
export interface RoomActEvent extends RoomChange {
  type: "room-act";
  room: number;
  what: Act;
  /** The username as it was registered, where it is done to somebody. */
  user?: string | undefined;
  text?: string | undefined;
}

/** What the members of rooms have acknowledged. */
export interface RoomsHeardEvent {
  type: "rooms-heard";
  /** Accounts, each with the id up to which it needs no message of any room any more. */
  accounts: readonly (readonly [account: string, upTo: number])[];
}

/** An operator has done something on the server; an announcement is a message, and a deletion an event of its own. */
export interface OperationEvent {
  type: "operation";
  what: Exclude<Operation, "announce" | "delete">;
  /** The username as it was registered; undefined where it was done on the server's own machine. */
  by?: string | undefined;
  at: number;
  /** The username as it was registered, where it is done to somebody. */
  user?: string | undefined;
  /** Where it is done to an address: itself, or its network. */
  address?: string | undefined;
  /** When it ends by itself. @default never */
  until?: number | undefined;
  why?: string | undefined;
}

/** An event that says who is in which room, and who may do what there. */
export type RoomEvent = RoomMadeEvent | RoomJoinedEvent | RoomLeftEvent | RoomActEvent;

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
  | MessagesExpiredEvent
  | MessageDeletedEvent
  | RoomEvent
  | RoomsHeardEvent
  | OperationEvent;

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

/**
 * Whether a crash of the system may take an event back: what was acknowledged comes again then, marked as late, and is
 * dropped by a client that has shown it; and more counts as unread than was.
 */
export function isRecoverable({ type }: JournalEvent): boolean {
  return type === "acknowledgement" || type === "account-seen";
}
