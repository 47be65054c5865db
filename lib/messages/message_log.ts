import type { MessageEvent } from "../journal/events.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername } from "../protocol/names.ts";
import type { Message } from "../protocol/records.ts";
import type { Database } from "./database.ts";
import { type Mailboxes, UNDELIVERED } from "./mailboxes.ts";
import type { OperatorTable } from "./operator_table.ts";
import { POSTED, type Posted, type Postings } from "./postings.ts";
import type { RoomTable } from "./room_table.ts";
import { type LoggedRequests, RecentRequests } from "./recent_requests.ts";
import { History } from "./history.ts";
import {
  COLUMNS,
  LISTED,
  newestListed,
  newestOf,
  newestRows,
  PAGE_IDS,
  toList,
  toMessage,
} from "./message_rows.ts";
import type { Row } from "./statement.ts";

/** Which messages: those after an id, up to another one. */
interface Range {
  after: number;
  upTo: number;
}

/** Some messages, and after which id to go on; undefined where these were all. */
export interface Page<T> {
  items: T[];
  next: number | undefined;
}

/** A message on its way to a session. */
export interface FlowItem {
  message: Message;
  /** Whether it is a direct one to the session's account that nobody has acknowledged. */
  undelivered: boolean;
  /** Whether another session of the account sent it. */
  own: boolean;
}

/** A page has at most so many messages, and about so many characters of text. */
const PAGE = { messages: 100, characters: 16_384 };
/** What an account has sent. */
const SENT = ["sent", "to all", "in a room"] as const;

/** The messages. What was applied can be read when it is {@linkcode publish}ed. */
export class MessageLog {
  /** What may be read of them. */
  readonly history: History;
  readonly #statements;
  readonly #requests;
  readonly #postings: Postings;
  readonly #mailboxes: Mailboxes;
  readonly #rooms: RoomTable;
  readonly #operators: OperatorTable;
  #last = 0;

  constructor(
    database: Database,
    { postings, mailboxes, rooms, operators }: {
      postings: Postings;
      mailboxes: Mailboxes;
      rooms: RoomTable;
      operators: OperatorTable;
    },
  ) {
    this.#postings = postings;
    this.#mailboxes = mailboxes;
    this.#rooms = rooms;
    this.#operators = operators;
    this.history = new History(database, { postings, mailboxes, last: () => this.#last });
    this.#statements = prepare(database);
    this.#requests = new RecentRequests((login, limit) => this.#requestsOf(login, limit));
  }

  /** No message that can be read has a higher id. */
  get last(): number {
    return this.#last;
  }

  /** When the oldest message that is kept was sent, in milliseconds since 1970; undefined where there is none. */
  get oldest(): number | undefined {
    return this.#statements.oldest.get()?.["sent"] as number | undefined;
  }

  /** Messages up to this id can be read from now on. */
  publish(last: number): void {
    this.#last = last;
  }

  /**
   * Stores a message, unless the same request has stored one before.
   *
   * @returns its id, or that of the message that the request stored before; `duplicate-id`, where that was
   *   another one; or why its sender can't say it
   */
  insert(id: number, event: MessageEvent): number | ProtocolError {
    const { origin, from, to, room } = event;
    if (origin !== undefined) {
      const known = this.#requests.find(origin);
      if (known !== undefined) {
        if (known > 0 && this.#isSame(event, known)) return known;
        return new ProtocolError("duplicate-id", "another request had this id");
      }
    }
    const refused = this.#operators.judgeSaying(event) ??
      (room === undefined ? undefined : this.#rooms.judgeSaying(room, from));
    if (refused !== undefined) return refused;
    if (origin !== undefined) this.#requests.add(origin, id);
    if (to !== undefined) this.#mailboxes.receive(foldUsername(to), id);
    this.#postings.add(this.#put(id, event));
    return id;
  }

  #put(id: number, { origin, from, to, room, text, sent, announcement }: MessageEvent): Posted {
    const sender = foldUsername(from);
    const addressee = to === undefined ? null : foldUsername(to);
    this.#statements.insert.run(
      id,
      sender,
      from,
      addressee,
      to ?? null,
      sent,
      text,
      origin?.login ?? null,
      origin?.request ?? null,
      room ?? null,
      announcement === true ? 1 : null,
    );
    return { id, sender, addressee, room: room ?? null };
  }

  /** Whether a stored message is this one; one that was forgotten or deleted since can't be compared any more. */
  #isSame({ to, room, text }: MessageEvent, id: number): boolean {
    const row = this.#statements.content.get(id);
    return row === undefined || row["deleted_by"] !== null ||
      row["text"] === text && row["to"] === (to ?? null) && row["room"] === (room ?? null);
  }

  /** Takes back what was applied and can't be read yet. */
  takeBack(): void {
    this.#statements.forgetAfter.run(this.#last);
    this.#postings.forget();
  }

  /** What is remembered of a login's requests, or of all, may not be what is in the tables any more. */
  forgetRequests(login?: number): void {
    this.#requests.forget(login);
  }

  /**
   * Deletes messages with lower ids, but not what still has to be delivered.
   *
   * @returns whether there were any
   */
  expire(before: number): boolean {
    this.#statements.noteExpired.run(before);
    return this.#hasDeleted(this.#statements.forget.all(before)).length > 0;
  }

  /**
   * Deletes the direct messages of an account that has gone, but not those that the other side still has.
   *
   * @returns their ids
   */
  forgetDirect(account: string): number[] {
    const all = { after: 0, upTo: Infinity, limit: Infinity };
    const sent = this.#postings.oldest(account, "sent", all);
    const received = this.#postings.oldest(account, "received", all);
    const direct = { account, ids: toList([...sent, ...received]) };
    this.#statements.noteDirect.run(direct);
    return this.#hasDeleted(this.#statements.forgetDirect.all(direct)).map(({ id }) => id);
  }

  /** What is known of requests is what the tables say, so that all who have the same tables decide alike. */
  #hasDeleted(rows: readonly Row[]): Posted[] {
    const deleted = rows as unknown[] as Posted[];
    if (deleted.length > 0) this.#requests.forget();
    this.#postings.remove(deleted);
    return deleted;
  }

  /** Puts a message into the table that was stored before, by another server. */
  restore(id: number, event: MessageEvent): void {
    this.#put(id, event);
  }

  /** The id of the oldest message, and the one after all that were sent before a time: ids go the way of time. */
  sentBefore(time: number): { first: number; end: number } {
    const first = this.#statements.first.get()!["id"] as number;
    let low = first;
    let high = this.#last + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.#statements.sentFrom.get(middle);
      if (row === undefined || row["sent"] as number >= time) high = middle;
      else low = row["id"] as number + 1;
    }
    return { first, end: low };
  }

  /** Who sent a message, as the account's key; undefined where there is no such message. */
  senderOf(message: number): string | undefined {
    if (message > this.#last) return undefined;
    return this.#statements.content.get(message)?.["sender"] as string | undefined;
  }

  /** Whether nobody has acknowledged a direct message. */
  isUndelivered(message: number): boolean {
    return this.#statements.isUndelivered.get(message) !== undefined;
  }

  /** Direct messages to an account that nobody has acknowledged, in order. */
  undelivered(account: string, { after, upTo }: Range): Page<Message> {
    const end = Math.min(upTo, this.#last);
    const range = { account, after, upTo: end };
    const excepted = this.#statements.exceptions.all(range).map(({ message }) => message as number);
    const newer = this.#postings.oldest(account, "received", {
      after: Math.max(after, this.#mailboxes.delivered(account) ?? Infinity),
      ...{ upTo: end, limit: PAGE.messages },
    });
    const ids = [...excepted, ...newer];
    // For most who come back nothing waits, and to be told so would take a statement.
    const rows = ids.length === 0 ? [] : this.#statements.waiting.all({ ids: toList(ids) });
    return takePage(rows, toMessage, undefined);
  }

  /** What others said in rooms while an account was in them, after an id, in order. */
  unheard(account: string, { after, upTo }: Range): Page<Message> {
    let ids: number[] = [];
    let end = Math.min(upTo, this.#last) + 1;
    for (const { room, since, until } of this.#rooms.staysOf(account, after)) {
      const range = { after: Math.max(after, since), before: Math.min(until ?? Infinity, end) };
      const found = this.#statements.unheard.all({ account, room, ...range });
      ids = [...ids, ...found.map(({ id }) => id as number)].sort((a, b) => a - b)
        .slice(0, PAGE.messages);
      // What comes later has no place on the page, whichever room it is of.
      if (ids.length === PAGE.messages) end = ids.at(-1)!;
    }
    // Texts are read as far as they fit into the page: many long ones would hold everybody up.
    const rows = ids.values().map((id) => this.#statements.message.get(id)!);
    return takePage(rows, toMessage, undefined);
  }

  /**
   * What goes to a session of an account after an id, in order: public messages of others, direct ones to
   * it, each with whether nobody has acknowledged it, those of rooms that it was in then, and what its other
   * sessions sent.
   *
   * @param login the session's; undefined where it can't be told from the others
   */
  flow(account: string, after: number, login?: number): Page<FlowItem> {
    const upTo = Math.min(after + PAGE_IDS, this.#last);
    // The same: most have missed nothing.
    if (after >= upTo) return { items: [], next: undefined };
    const rows = this.#statements.flow.all({ account, after, upTo, login: login ?? null });
    const next = upTo < this.#last ? upTo : undefined;
    return takePage(
      rows,
      (row) => ({
        message: toMessage(row),
        undelivered: row["waits"] === 1 && row["own"] === 0,
        own: row["own"] === 1,
      }),
      next,
    );
  }

  /** What a login's last requests stored. */
  #requestsOf(login: number, limit: number): LoggedRequests {
    const { account, last, requests } = this.#statements.login.get(login) ??
      { account: "", last: Infinity, requests: 0 };
    // Also what this transaction has stored.
    const wanted = { after: last as number, upTo: Infinity, count: limit, login };
    const { ofLogin } = this.#statements;
    const rows = SENT.flatMap((part) =>
      newestRows(this.#postings, ofLogin, { account: account as string, part, ...wanted })
    );
    return {
      requests: newestOf(limit, rows) as unknown[] as { request: number; id: number }[],
      floor: requests as number,
    };
  }
}

/** Takes rows until the page is full. */
function takePage<T extends { text: string } | { message: Message }>(
  rows: Iterable<Row>,
  toItem: (row: Row) => T,
  next: number | undefined,
): Page<T> {
  const items: T[] = [];
  let characters = 0;
  for (const row of rows) {
    items.push(toItem(row));
    characters += (row["text"] as string).length;
    if (items.length === PAGE.messages || characters >= PAGE.characters) {
      return { items, next: row["id"] as number };
    }
  }
  return { items, next };
}

/** What the requests of messages that are about to be deleted were. */
function noteRequests(messages: string): string {
  return `UPDATE logins SET requests = max(requests, highest)
    FROM (SELECT login, max(request) AS highest FROM messages
      WHERE login IS NOT NULL AND ${messages} GROUP BY login) AS deleted
    WHERE logins.id = deleted.login`;
}

function prepare(database: Database) {
  const old = `id < ? AND NOT ${UNDELIVERED}`;
  // What was sent to an account that is still there waits for it.
  const nobodys = `${LISTED} AND iif(sender = :account,
      addressee NOT IN (SELECT account FROM accounts), sender NOT IN (SELECT account FROM accounts))`;
  return database.prepare({
    first: "SELECT coalesce(min(id), 1) AS id FROM messages",
    sentFrom: "SELECT id, sent FROM messages WHERE id >= ? ORDER BY id LIMIT 1",
    oldest: "SELECT sent FROM messages ORDER BY id LIMIT 1",
    insert: `INSERT INTO messages
      (id, sender, sender_name, addressee, addressee_name, sent, text, login, request, room,
       announcement)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    login: "SELECT account, last, requests FROM logins WHERE id = ?",
    ofLogin: newestListed("request, id", "login = :login"),
    content:
      `SELECT sender, text, room, deleted_by, addressee_name AS "to" FROM messages WHERE id = ?`,
    forgetDirect: `DELETE FROM messages WHERE ${nobodys} RETURNING ${POSTED}`,
    noteDirect: noteRequests(nobodys),
    isUndelivered: `SELECT 1 FROM messages WHERE id = ? AND ${UNDELIVERED}`,
    exceptions: `SELECT message FROM exceptions JOIN messages ON id = message
      WHERE account = :account AND message > :after AND message <= :upTo
      ORDER BY id LIMIT ${PAGE.messages}`,
    waiting: `SELECT ${COLUMNS} FROM messages WHERE ${LISTED} ORDER BY id`,
    flow: `SELECT ${COLUMNS}, ${UNDELIVERED} AS waits,
        sender = :account AND addressee IS NOT :account AS own FROM messages
      WHERE id > :after AND id <= :upTo
      AND (addressee IS NULL AND room IS NULL OR addressee = :account OR sender = :account
        OR room IS NOT NULL AND EXISTS (SELECT 1 FROM stays WHERE stays.account = :account
          AND stays.room = messages.room AND since < id AND (until IS NULL OR until > id)))
      AND (sender <> :account OR addressee = :account OR login <> :login)
      ORDER BY id LIMIT ${PAGE.messages}`,
    message: `SELECT ${COLUMNS} FROM messages WHERE id = ?`,
    unheard: `SELECT id FROM messages
      WHERE room = :room AND id > :after AND id < :before AND sender <> :account
      ORDER BY id LIMIT ${PAGE.messages}`,
    forget: `DELETE FROM messages WHERE ${old} RETURNING ${POSTED}`,
    noteExpired: noteRequests(old),
    forgetAfter: "DELETE FROM messages WHERE id > ?",
  });
}
