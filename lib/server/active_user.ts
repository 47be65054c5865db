import type { RecordBlock } from "../protocol/record_block.ts";
import type { Deliveries, Ledger } from "./marks.ts";
import type { Heard } from "./heard.ts";
import type { Unread } from "./unread.ts";

/** Why a session ends that its client did not end. */
export type ExpelCode = "account-changed" | "banned" | "kicked";

/** Why a session ends whose client may try to come back. */
export type FailCode = "internal" | "too-many-sessions" | "too-slow";

/** A session as the hub sees it. */
export interface Member {
  readonly username: string;
  /** What tells its client from the account's others; undefined where nothing does. */
  readonly login: number | undefined;
  readonly deliveries: Deliveries;
  /** Which messages went to it; from when the hub has it until it leaves that. */
  ledger: Ledger | undefined;
  /** What waits for it, in bytes. */
  readonly backlogBytes: number;
  /** What of that the client takes as soon as the server delivers it; where that is much, only a part. */
  readonly load: number;
  /**
   * Takes messages of a block, from `from` up to `to` (not included); they leave with {@linkcode flush}.
   *
   * @returns the first one's delivery number
   */
  deliver(block: RecordBlock, from: number, to: number): number;
  /** Sends what it has taken. */
  flush(): void;
  /** Ends the session for good, by default because its account is not what it was. */
  expel(why: string, code?: ExpelCode): void;
  /**
   * A promise of the time when less waits for this member; undefined where that is now, or the member
   * does not get on.
   */
  relief(): Promise<void> | undefined;
  /** The same, however long it takes. */
  backpressure(): Promise<void> | undefined;
  /** Sends a control record as it is. */
  notify(line: string): void;
  /** Ends the session for now: it can't be given what it has missed, or is one too many. */
  fail(code: FailCode, why: string): void;
}

/** An account with sessions, or with acknowledgements that are not stored yet. */
export interface ActiveUser {
  key: string;
  username: string;
  /** Its sessions; another list as soon as these are others. */
  members: readonly Member[];
  /** Those that have caught up, and get what is sent now. */
  live: readonly Member[];
  unread: Unread;
  /** The rooms that it is in, if it is in any. */
  rooms: Set<number> | undefined;
  heard: Heard;
  /** When its first session began, and when it last sent something, in milliseconds since the epoch. */
  since: number;
  lastSent: number;
  /** Whether sessions that had direct messages have ended, and no other one has these. */
  orphans: boolean;
  /** Whether they are given to another one just now. */
  adopting: boolean;
  /** Direct messages that were acknowledged in this turn of the loop. */
  acknowledged: number[];
}
