import { foldUsername } from "../protocol/names.ts";
import type { Message } from "../protocol/records.ts";
import type { Database } from "./database.ts";
import { type Mailboxes, UNDELIVERED } from "./mailboxes.ts";
import {
  COLUMNS,
  newestListed,
  newestOf,
  newestRows,
  PAGE_IDS,
  toList,
  toMessage,
} from "./message_rows.ts";
import type { Part, Postings } from "./postings.ts";
import type { Row, Statement } from "./statement.ts";

/** What {@linkcode History} needs. */
export interface HistoryParts {
  postings: Postings;
  mailboxes: Mailboxes;
  /** No message that can be read has a higher id. */
  last: () => number;
}

/** Which messages {@linkcode History.of} gives. */
export interface HistoryOptions {
  /** How many, the last ones. */
  count: number;
  /** Only those from or to this user. @default everybody */
  with?: string | undefined;
}

/** What may be read of the messages, by whom. */
export class History {
  readonly #statements;
  readonly #postings: Postings;
  readonly #mailboxes: Mailboxes;
  readonly #last: () => number;

  constructor(database: Database, { postings, mailboxes, last }: HistoryParts) {
    this.#postings = postings;
    this.#mailboxes = mailboxes;
    this.#last = last;
    this.#statements = prepare(database);
  }

  /** The last messages that an account may see, in order: public ones, and its own direct ones. */
  of(account: string, { count, with: other }: HistoryOptions): Message[] {
    if (other !== undefined) return this.#between(account, foldUsername(other), count);
    return this.#lastOwn(account, count, { received: this.#statements.listed, upTo: this.#last() });
  }

  /** The same, but for direct messages that wait for the account. */
  recent(account: string, count: number): Message[] {
    const upTo = Math.min(this.#last(), this.#mailboxes.delivered(account) ?? 0);
    return this.#lastOwn(account, count, { received: this.#statements.acknowledged, upTo });
  }

  /** The last messages to everybody, in order. */
  ofLobby(count: number): Message[] {
    const rows = this.#statements.lobby.all({ count, after: 0, last: this.#last() });
    return rows.reverse().map(toMessage);
  }

  /** The last messages of a room after an id, in order. */
  ofRoom(room: number, { count, after }: { count: number; after: number }): Message[] {
    const rows = this.#statements.room.all({ room, count, after, last: this.#last() });
    return rows.reverse().map(toMessage);
  }

  /**
   * The last messages with a text in them that an account may see, in order, of the 1,000 ids before one.
   * Upper and lower case of A to Z are the same.
   */
  search(
    account: string,
    { text, count, before }: { text: string; count: number; before: number },
  ): Message[] {
    const pattern = `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
    const range = { first: before - PAGE_IDS, last: Math.min(before - 1, this.#last()) };
    const readable = { account, ...this.#mailboxes.entitlement(account) };
    const rows = this.#statements.search.all({ ...readable, pattern, count, ...range });
    return rows.reverse().map(toMessage);
  }

  /** The last public messages, those an account sent, and of those it received what a statement takes. */
  #lastOwn(
    account: string,
    count: number,
    { received, upTo }: { received: Statement; upTo: number },
  ): Message[] {
    const { publicAfter, ownAfter } = this.#mailboxes.entitlement(account);
    const last = this.#last();
    const own = (statement: Statement, part: Part, upTo: number) =>
      newestRows(this.#postings, statement, { account, part, after: ownAfter, upTo, count });
    return lastOf(count, [
      this.#statements.lobby.all({ after: publicAfter, last, count }),
      own(this.#statements.sent, "sent", last),
      own(received, "received", upTo),
    ]);
  }

  #between(account: string, other: string, count: number): Message[] {
    const { publicAfter, ownAfter } = this.#mailboxes.entitlement(account);
    const { listed } = this.#statements;
    const upTo = this.#last();
    const own = { after: ownAfter, upTo, limit: count };
    // What it sent to itself is the same both ways.
    const direct = new Set([
      ...this.#postings.between(account, other, own),
      ...this.#postings.between(other, account, own),
    ]);
    const toAll = { account: other, part: "to all", after: publicAfter, upTo, count } as const;
    return lastOf(count, [
      newestRows(this.#postings, listed, toAll),
      listed.all({ ids: toList([...direct]), count }),
    ]);
  }
}

/** The last messages of several kinds, in order. */
function lastOf(count: number, kinds: readonly Row[][]): Message[] {
  return newestOf(count, kinds.flat()).reverse().map(toMessage);
}

function prepare(database: Database) {
  const readable = `room IS NULL AND id > :publicAfter AND (addressee IS NULL
    OR id > :ownAfter AND (sender = :account OR addressee = :account))`;
  return database.prepare({
    lobby: `SELECT ${COLUMNS} FROM messages
      WHERE addressee IS NULL AND room IS NULL AND id > :after AND id <= :last
      ORDER BY id DESC LIMIT :count`,
    room: `SELECT ${COLUMNS} FROM messages WHERE room = :room AND id > :after AND id <= :last
      ORDER BY id DESC LIMIT :count`,
    listed: newestListed(COLUMNS),
    // What an account sent to itself it has received.
    sent: newestListed(COLUMNS, "addressee <> sender"),
    acknowledged: newestListed(COLUMNS, `NOT ${UNDELIVERED}`),
    search: `SELECT ${COLUMNS} FROM messages WHERE id >= :first AND id <= :last
      AND (${readable} OR room IS NOT NULL AND EXISTS (
          SELECT 1 FROM stays JOIN rooms ON rooms.id = stays.room
          WHERE stays.account = :account AND stays.room = messages.room AND until IS NULL
          AND (messages.id > since OR from_start = 1)))
      AND text LIKE :pattern ESCAPE '\\'
      ORDER BY id DESC LIMIT :count`,
  });
}
