import type { Database } from "./database.ts";
import { isDamage, type Row } from "./statement.ts";

/** What an account has to do with a message: it is a direct one, one to all, or one in a room. */
const PARTS = ["sent", "received", "to all", "in a room"] as const;
export type Part = (typeof PARTS)[number];

/** Whose a message is. */
export interface Posted {
  id: number;
  sender: string;
  addressee: string | null;
  room: number | null;
}

/** The columns of a message that say so. */
export const POSTED = "id, sender, addressee, room";

/** Which ids: those after one, up to another one, and of these so many at most. */
export interface Wanted {
  after: number;
  upTo: number;
  limit: number;
}

/** Lists are written when so many messages are in them, or when there are so many, since a commit may not take long. */
const ENOUGH = { messages: 4_096, lists: 1_000 };
/** So many lists are read from the table together. */
const AT_ONCE = 8;

/** Ascending ids, by account. */
type Lists = Record<Part, Map<string, number[]>>;

/** A list in the table. None of its ids is higher than `last`, by which it is found. */
interface WrittenList {
  last: number;
  ids: number[];
}

/**
 * Which messages are an account's: lists of ids, each of those among some thousand messages. An index with a row for each
 * message would grow at a place for each account, so that nearly every message had two pages written. The lists of
 * the newest messages are in memory, and read from the messages at the start.
 */
export class Postings {
  readonly #enough: typeof ENOUGH;
  readonly #statements;
  /** The lists of messages with higher ids than `#posted`; undefined where they have to be read. */
  #newer: Lists | undefined;
  #posted = 0;
  /** The newest message in them; how many messages there are, and how many lists. */
  #last = 0;
  #messages = 0;
  #lists = 0;

  /** @param enough when lists are written */
  constructor(database: Pick<Database, "prepare">, enough = ENOUGH) {
    this.#enough = enough;
    const lists = "SELECT last, ids FROM postings WHERE account = ? AND part = ?";
    this.#statements = database.prepare({
      posted: "SELECT posted FROM journal",
      newest: "SELECT max(id) AS id FROM messages",
      messages: `SELECT ${POSTED} FROM messages WHERE id > ? AND id <= ? ORDER BY id`,
      from: `${lists} AND last >= ? ORDER BY last LIMIT ${AT_ONCE}`,
      below: `${lists} AND last < ? ORDER BY last DESC LIMIT ${AT_ONCE}`,
      write: "INSERT INTO postings (account, part, last, ids) VALUES (?, ?, ?, ?)",
      replace: "UPDATE postings SET ids = ? WHERE account = ? AND part = ? AND last = ?",
      remove: "DELETE FROM postings WHERE account = ? AND part = ? AND last = ?",
      clear: "DELETE FROM postings",
      writeAll: `INSERT INTO postings
        SELECT account, part, max(id), group_concat(id ORDER BY id) FROM (
          SELECT sender AS account, id, iif(room IS NOT NULL, 'in a room',
            iif(addressee IS NULL, 'to all', 'sent')) AS part FROM messages
          UNION ALL SELECT addressee, id, 'received' FROM messages WHERE addressee IS NOT NULL)
        GROUP BY account, part, id / ${ENOUGH.messages}`,
      advanceToAll: "UPDATE journal SET posted = coalesce((SELECT max(id) FROM messages), 0)",
      advance: "UPDATE journal SET posted = ?",
    });
    // Not within a transaction: SQLite refuses to write in one that has met damage.
    this.#readEarly();
  }

  /** A message was put into the table, with a higher id than all before. */
  add(message: Posted): void {
    this.#post(this.#read(), message);
  }

  /** An account's messages, the oldest first. */
  oldest(account: string, part: Part, { after, upTo, limit }: Wanted): number[] {
    const newer = this.#read()[part].get(account) ?? [];
    const ids: number[] = [];
    const take = (list: readonly number[]) => {
      const first = list.findLastIndex((id) => id <= after) + 1;
      for (let i = first; i < list.length && ids.length < limit; i++) {
        if (list[i]! <= upTo) ids.push(list[i]!);
      }
    };
    for (const list of this.#from(account, part, after + 1)) {
      take(list.ids);
      if (list.last >= upTo || ids.length === limit) return ids;
    }
    take(newer);
    return ids;
  }

  /** An account's messages, the newest first. */
  newest(account: string, part: Part, { after, upTo, limit }: Wanted): number[] {
    return [...this.#down(account, part, { after, upTo }).take(limit)];
  }

  /** What an account has sent to another one, the newest first: what is in the lists of both. */
  between(sender: string, addressee: string, { after, upTo, limit }: Wanted): number[] {
    const ids: number[] = [];
    const sent = this.#down(sender, "sent", { after, upTo });
    const received = this.#down(addressee, "received", { after, upTo });
    let ours = sent.next();
    let theirs = received.next();
    while (!ours.done && !theirs.done && ids.length < limit) {
      if (ours.value === theirs.value) ids.push(ours.value);
      if (ours.value >= theirs.value) ours = sent.next();
      else theirs = received.next();
    }
    return ids;
  }

  /**
   * Writes the lists of the newest messages, where there is enough in them; inside a transaction, and only while none of
   * these messages can be taken back.
   */
  write(): void {
    const newer = this.#read();
    if (this.#messages < this.#enough.messages && this.#lists < this.#enough.lists) return;
    for (const part of PARTS) {
      for (const [account, ids] of newer[part]) {
        if (ids.length > 0) this.#statements.write.run(account, part, ids.at(-1)!, ids.join());
      }
    }
    this.#statements.advance.run(this.#last);
    this.#begin(this.#last);
  }

  /** Messages were deleted from the table, in the same transaction. */
  remove(messages: readonly Posted[]): void {
    const removed = emptyLists();
    for (const message of messages) {
      for (const [part, account] of placesOf(message)) {
        listOf(removed[part], account).push(message.id);
      }
    }
    for (const part of PARTS) {
      for (const [account, ids] of removed[part]) {
        this.#remove(account, part, ids.sort((a, b) => a - b));
      }
    }
  }

  /** What is in memory may not be what is in the tables. */
  forget(): void {
    this.#newer = undefined;
  }

  /** The messages are other ones, inside a transaction. */
  rebuild(): void {
    this.#statements.clear.run();
    this.#statements.writeAll.run();
    this.#statements.advanceToAll.run();
    this.forget();
  }

  #remove(account: string, part: Part, ids: readonly number[]): void {
    const removed = new Set(ids);
    const stays = (id: number) => !removed.has(id);
    const newer = this.#read()[part];
    if (newer.has(account)) newer.set(account, newer.get(account)!.filter(stays));
    for (const list of this.#from(account, part, ids[0]!)) {
      const left = list.ids.filter(stays);
      // It keeps its place, whatever its newest id is now.
      if (left.length === 0) this.#statements.remove.run(account, part, list.last);
      else if (left.length < list.ids.length) {
        this.#statements.replace.run(left.join(), account, part, list.last);
      }
      if (list.last >= ids.at(-1)!) return;
    }
  }

  /** An account's ids in a range, the highest first. */
  *#down(account: string, part: Part, { after, upTo }: Omit<Wanted, "limit">): Generator<number> {
    const newer = this.#read()[part].get(account) ?? [];
    for (let i = newer.length - 1; i >= 0 && newer[i]! > after; i--) {
      if (newer[i]! <= upTo) yield newer[i]!;
    }
    for (const { last, ids } of this.#downFrom(account, part, upTo)) {
      if (last <= after) return;
      for (let i = ids.length - 1; i >= 0 && ids[i]! > after; i--) {
        if (ids[i]! <= upTo) yield ids[i]!;
      }
    }
  }

  /** The lists in the table from an id on, the oldest first. */
  *#from(account: string, part: Part, id: number): Generator<WrittenList> {
    for (let next: number | undefined = id; next !== undefined && next <= this.#posted;) {
      const rows: Row[] = this.#statements.from.all(account, part, next);
      for (const row of rows) yield toList(row);
      next = rows.length < AT_ONCE ? undefined : rows.at(-1)!["last"] as number + 1;
    }
  }

  /** Those down from an id, the newest first. */
  *#downFrom(account: string, part: Part, id: number): Generator<WrittenList> {
    const [around] = this.#from(account, part, id);
    if (around !== undefined) yield around;
    for (let next: number | undefined = id; next !== undefined;) {
      const rows: Row[] = this.#statements.below.all(account, part, next);
      for (const row of rows) yield toList(row);
      next = rows.length < AT_ONCE ? undefined : rows.at(-1)!["last"] as number;
    }
  }

  #readEarly(): void {
    try {
      this.#read();
    } catch {
      // Whoever needs the lists is told.
    }
  }

  #read(): Lists {
    if (this.#newer !== undefined) return this.#newer;
    const posted = this.#statements.posted.get()!["posted"] as number;
    const newest = this.#statements.newest.get()!["id"] as number | null ?? 0;
    // Where they can't be read, that shall not pass for no messages.
    const messages = this.#messagesIn(posted, Math.max(posted, newest));
    const newer = this.#begin(posted);
    for (const message of messages) this.#post(newer, message);
    return newer;
  }

  /** The messages after an id, up to another one, but for those that are damaged: nobody will ever read them. */
  #messagesIn(after: number, upTo: number): Posted[] {
    try {
      return this.#statements.messages.all(after, upTo) as unknown[] as Posted[];
    } catch (error) {
      if (!isDamage(error as Error)) throw error;
      if (upTo - after === 1) return [];
      const middle = after + Math.floor((upTo - after) / 2);
      return [...this.#messagesIn(after, middle), ...this.#messagesIn(middle, upTo)];
    }
  }

  #begin(posted: number): Lists {
    this.#posted = this.#last = posted;
    this.#messages = this.#lists = 0;
    return this.#newer = emptyLists();
  }

  #post(lists: Lists, { id, sender, addressee, room }: Posted): void {
    if (addressee !== null) {
      this.#append(lists.received, addressee, id);
      this.#append(lists.sent, sender, id);
    } else this.#append(room === null ? lists["to all"] : lists["in a room"], sender, id);
    this.#messages++;
    this.#last = id;
  }

  #append(lists: Map<string, number[]>, account: string, id: number): void {
    if (listOf(lists, account).push(id) === 1) this.#lists++;
  }
}

/** In which lists a message is. */
function placesOf({ sender, addressee, room }: Posted): [Part, account: string][] {
  if (room !== null) return [["in a room", sender]];
  if (addressee === null) return [["to all", sender]];
  return [["sent", sender], ["received", addressee]];
}

function emptyLists(): Lists {
  return { "sent": new Map(), "received": new Map(), "to all": new Map(), "in a room": new Map() };
}

function listOf(lists: Map<string, number[]>, account: string): number[] {
  const known = lists.get(account);
  if (known !== undefined) return known;
  const list: number[] = [];
  lists.set(account, list);
  return list;
}

function toList(row: Row): WrittenList {
  return { last: row["last"] as number, ids: (row["ids"] as string).split(",").map(Number) };
}
