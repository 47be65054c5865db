import { PLAIN_IDENTITY } from "../accounts/accounts.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername } from "../protocol/names.ts";
import type { Message } from "../protocol/records.ts";
import type { Database, Row } from "./database.ts";
import { RecentRequests } from "./recent_requests.ts";

/** A message that has no id and no time yet. Names are as they were registered. */
export type Draft = Pick<Message, "from" | "to" | "text">;

/** The request that stores a message: the login it came with, and its id. */
export interface Origin {
  login: number;
  request: number;
}

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

/** Which messages {@linkcode MessageLog.history} gives. */
export interface HistoryOptions {
  /** How many, the last ones. */
  count: number;
  /** Only those from or to this user. @default everybody */
  with?: string | undefined;
}

/** A draft on its way into the log. */
interface Entry {
  draft: Draft;
  origin: Origin | undefined;
  sent: number;
  /** Its id, or that of the message that the same request stored before. */
  id: number;
  /** Whether it is new, whether it is what the same request stored before, or neither. */
  outcome: "new" | "repeated" | "refused";
  resolve: (id: number) => void;
  reject: (error: unknown) => void;
}

/** So many characters of text that wait for a commit are enough: who sends more is to wait. */
const WAITING_CHARACTERS = 1_048_576;
/** A page has at most so many messages, and about so many characters of text. */
const PAGE = { messages: 100, characters: 16_384 };
/** So many ids are looked through for a page. */
export const PAGE_IDS = 1_000;
/** So many ids are forgotten in one commit. */
const FORGET_IDS = 5_000;

/** The durable log of messages. A message is delivered only after its commit. */
export class MessageLog {
  readonly #database: Database;
  readonly #statements;
  readonly #requests;
  /** What the next commit stores. */
  #entries: Entry[] = [];
  /** What is to be stored and is not yet, in UTF-16 code units of text; and the last of these. */
  #waiting = 0;
  #newest: Promise<unknown> = Promise.resolve();
  #last: number;
  /** The newest id that was ever given, be it in a commit that failed: accounts may have begun after it. */
  #written: number;
  /** Accounts that are known to be in the database. */
  readonly #met = new Set<string>();
  /** Whether messages were deleted that the files may still hold. */
  #deleted = false;
  /** Whether messages after the last one may be in the database, which nobody got. */
  #unsure = false;

  /** Takes the messages of a commit, in the order of their ids, and the logins that sent them, before anybody hears that they are stored. */
  onStored: (messages: readonly Message[], logins: readonly (number | undefined)[]) => void =
    () => {};

  constructor(database: Database) {
    this.#database = database;
    this.#statements = prepare(database);
    this.#requests = new RecentRequests((login, limit) =>
      this.#statements.requestsOf.all({ login, limit }) as { request: number; id: number }[]
    );
    this.#last = this.#written = this.#statements.last.get()!["last"] as number;
  }

  /** The id of the newest message; 0 where there was none ever. */
  get last(): number {
    return this.#last;
  }

  /**
   * Stores a message, unless the same request has stored one before.
   *
   * @returns the message's id; it was given to {@linkcode onStored} before, if it is a new one
   * @throws {ProtocolError} `not-stored`, where it can't be stored; nobody got it then.
   *   `duplicate-id`, where the request stored another message before
   */
  append(draft: Draft, origin?: Origin): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const sent = this.#database.now().getTime();
    this.#entries.push({ draft, origin, sent, id: 0, outcome: "refused", resolve, reject });
    this.#waiting += draft.text.length;
    if (this.#entries.length === 1) this.#store();
    return this.#newest = promise;
  }

  /** A promise of the time when less waits to be stored; undefined where that is now. */
  room(): Promise<void> | undefined {
    if (this.#waiting < WAITING_CHARACTERS) return undefined;
    return this.#newest.then(() => {}, () => {});
  }

  #store(): void {
    let entries: Entry[] = [];
    this.#database.change(() => {
      entries = this.#entries;
      this.#entries = [];
      // Once in a transaction, or it would take what this one has stored.
      if (this.#unsure) this.#statements.forgetAfter.run(this.#last);
      this.#unsure = false;
      for (const entry of entries) this.#insert(entry);
    }, () => this.#stored(entries)).catch((error) => {
      this.#unsure = true;
      this.#requests.clear();
      this.#met.clear();
      const failed = entries.length > 0 ? entries : this.#entries.splice(0);
      this.#settled(failed);
      for (const { reject } of failed) reject(error);
      // What was refused shall not be there after the next start.
      if (failed.length > 0) this.#store();
    });
  }

  #insert(entry: Entry): void {
    const { draft, origin } = entry;
    if (origin !== undefined) {
      const known = this.#requests.find(origin);
      if (known !== undefined) {
        entry.id = known;
        entry.outcome = known > 0 && this.#isSame(draft, known) ? "repeated" : "refused";
        return;
      }
      this.#requests.add(origin, this.#written + 1);
    }
    entry.id = this.#written + 1;
    entry.outcome = "new";
    const { from, to, text } = draft;
    const addressee = to === undefined ? null : foldUsername(to);
    if (addressee !== null) this.#meet(addressee);
    this.#statements.insert.run(
      entry.id,
      foldUsername(from),
      from,
      addressee,
      to ?? null,
      entry.sent,
      text,
      origin?.login ?? null,
      origin?.request ?? null,
    );
    this.#written = entry.id;
  }

  /** Whether a stored message is this one; one that was forgotten since can't be compared any more. */
  #isSame({ to, text }: Draft, id: number): boolean {
    const row = this.#statements.content.get(id);
    return row === undefined || row["text"] === text && row["to"] === (to ?? null);
  }

  #stored(entries: readonly Entry[]): void {
    this.#settled(entries);
    const fresh = entries.filter(({ outcome }) => outcome === "new");
    this.#last = fresh.at(-1)?.id ?? this.#last;
    if (fresh.length > 0) {
      this.onStored(fresh.map(toStored), fresh.map(({ origin }) => origin?.login));
    }
    for (const { id, outcome, resolve, reject } of entries) {
      if (outcome !== "refused") resolve(id);
      else reject(new ProtocolError("duplicate-id", "another request had this id"));
    }
  }

  #settled(entries: readonly Entry[]): void {
    for (const { draft } of entries) this.#waiting -= draft.text.length;
  }

  /**
   * Direct messages have been acknowledged by their addressee.
   *
   * @param ids ascending
   * @throws {ProtocolError} `not-stored`: the messages come again, which is better than not at all
   */
  async acknowledge(account: string, ids: readonly number[]): Promise<void> {
    await this.#database.change(() => this.#acknowledge(account, ids));
  }

  #acknowledge(account: string, ids: readonly number[]): void {
    const { account: find, except, unexcept, between, advance } = this.#statements;
    const cursor = find.get(account)?.["delivered"] as number | undefined;
    if (cursor === undefined) return;
    for (const id of ids) if (id <= cursor) unexcept.run(account, id);
    const highest = ids.at(-1) ?? 0;
    if (highest <= cursor) return;
    const acknowledged = new Set(ids);
    for (const { id } of between.all(account, cursor, highest) as { id: number }[]) {
      if (!acknowledged.has(id)) except.run(account, id);
    }
    advance.run(highest, account);
  }

  /**
   * An account is there. Where there was another one of its name before, that one has gone.
   *
   * @param account its key
   * @param identity what tells it from others of its name
   * @param since the newest message before it was made, where that has just been
   * @returns whether it takes another one's place
   * @throws {ProtocolError} `not-stored`
   */
  async enter(account: string, identity: string, since?: number): Promise<boolean> {
    let replaced = false;
    await this.#database.change(
      () => replaced = this.#enter(account, identity, since),
      () => this.#scrub(),
    );
    return replaced;
  }

  /**
   * These accounts are there, and no others.
   *
   * @param identities what tells each from others of its name, by the accounts' keys
   * @returns the keys of those that have gone, or have given way to others of their names
   * @throws {ProtocolError} `not-stored`
   */
  async reconcile(identities: ReadonlyMap<string, string>): Promise<string[]> {
    const gone: string[] = [];
    await this.#database.change(() => {
      for (const { account } of this.#statements.accounts.all() as { account: string }[]) {
        if (identities.has(account)) continue;
        this.#leave(account);
        gone.push(account);
      }
      for (const [account, identity] of identities) {
        if (this.#enter(account, identity)) gone.push(account);
      }
    }, () => this.#scrub());
    return gone;
  }

  /**
   * An account is there no more: nobody is entitled to what it was. Direct messages that nobody else is
   * entitled to either are deleted.
   *
   * @throws {ProtocolError} `not-stored`
   */
  async leave(account: string): Promise<void> {
    await this.#database.change(() => this.#leave(account), () => this.#scrub());
  }

  #enter(account: string, identity: string, since?: number): boolean {
    const known = this.#statements.account.get(account)?.["identity"] as string | undefined;
    if (known === identity) return false;
    // One that was kept without an identity, or with a password that has become a hash, is the same.
    const replaced = known !== undefined && known !== "" && known !== PLAIN_IDENTITY;
    if (replaced) this.#leave(account);
    const delivered = this.#written;
    this.#statements.enter.run({ account, identity, since: since ?? delivered, delivered });
    return replaced;
  }

  #leave(account: string): void {
    this.#statements.leave.run(account);
    this.#statements.clear.run(account);
    this.#met.delete(account);
    this.#statements.noteForgotten.run(this.#written);
    this.#statements.forgetDirect.run({ account });
    if (this.#statements.changes.get()!["changes"] !== 0) this.#deleted = true;
  }

  /** What was deleted goes from the files. */
  #scrub(): void {
    if (this.#deleted) this.#database.scrub();
    this.#deleted = false;
  }

  /** A message to an account that was never seen before is one that waits for it. */
  #meet(account: string): void {
    if (this.#met.has(account)) return;
    const newest = this.#written;
    this.#statements.meet.run({ account, identity: "", since: newest, delivered: newest });
    this.#met.add(account);
  }

  /** The newest message that was there before an account: it is entitled to public ones after it. */
  entitledAfter(account: string): number {
    return this.#statements.account.get(account)?.["since"] as number | undefined ?? this.#last;
  }

  /** The account's last session has ended; what comes now is unread at its next login. */
  async noteSeen(account: string): Promise<void> {
    await this.#database.change(() => this.#statements.see.run(this.#last, account));
  }

  /** The newest message when that was; undefined where it is not known. */
  seen(account: string): number | undefined {
    return this.#statements.account.get(account)?.["seen"] as number | null ?? undefined;
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
    const rows = this.#statements.undelivered.all({
      account,
      after,
      upTo: Math.min(upTo, this.#last),
    });
    return takePage(rows, toMessage, undefined);
  }

  /**
   * What goes to a session of an account after an id, in order: public messages of others, direct ones to
   * it, each with whether nobody has acknowledged it, and what its other sessions sent.
   *
   * @param login the session's; undefined where it can't be told from the others
   */
  flow(account: string, after: number, login?: number): Page<FlowItem> {
    const upTo = Math.min(after + PAGE_IDS, this.#last);
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

  /** The last messages that an account may see, in order: public ones, and its own direct ones. */
  history(account: string, { count, with: other }: HistoryOptions): Message[] {
    const last = this.#last;
    const rows = other === undefined
      ? this.#statements.history.all({ account, count, last })
      : this.#statements.historyWith.all({ account, other: foldUsername(other), count, last });
    return rows.reverse().map(toMessage);
  }

  /** The same, but for direct messages that wait for the account. */
  recent(account: string, count: number): Message[] {
    const rows = this.#statements.recent.all({ account, count, last: this.#last });
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
    const range = { first: before - PAGE_IDS, last: Math.min(before - 1, this.#last) };
    const rows = this.#statements.search.all({ account, pattern, count, ...range });
    return rows.reverse().map(toMessage);
  }

  /** Forgets what was sent before a time, but not what still has to be delivered. */
  async forgetBefore(time: Date): Promise<void> {
    const end = this.#firstSince(time.getTime());
    for (let next = this.#statements.first.get()!["id"] as number; next < end;) {
      const upTo = Math.min(next + FORGET_IDS, end);
      await this.#database.change(() => {
        this.#statements.noteForgotten.run(this.#last);
        this.#statements.forget.run(upTo);
      });
      next = upTo;
      this.#database.scrub();
    }
  }

  /** The id after all messages that were sent before a time: ids go the way of time. */
  #firstSince(time: number): number {
    let low = this.#statements.first.get()!["id"] as number;
    let high = this.#last + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.#statements.sentFrom.get(middle);
      if (row === undefined || row["sent"] as number >= time) high = middle;
      else low = row["id"] as number + 1;
    }
    return low;
  }
}

/** Takes rows until the page is full. */
function takePage<T extends { text: string } | { message: Message }>(
  rows: readonly Row[],
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

const COLUMNS = "id, sender_name, addressee_name, sent, text";

function prepare(database: Database) {
  const since = "(SELECT since FROM accounts WHERE account = :account)";
  const waits = `(addressee IS NOT NULL AND (
    id > (SELECT delivered FROM accounts WHERE account = addressee)
    OR EXISTS (SELECT 1 FROM exceptions WHERE account = addressee AND message = id)) IS TRUE)`;
  return database.prepare({
    last: `SELECT max(coalesce((SELECT max(id) FROM messages), 0), last) AS last FROM forgotten`,
    first: "SELECT coalesce(min(id), 1) AS id FROM messages",
    sentFrom: "SELECT id, sent FROM messages WHERE id >= ? ORDER BY id LIMIT 1",
    insert: `INSERT INTO messages
      (id, sender, sender_name, addressee, addressee_name, sent, text, login, request)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    requestsOf: `SELECT request, id FROM messages
      WHERE sender = (SELECT account FROM logins WHERE logins.id = :login)
      AND messages.id > (SELECT last FROM logins WHERE logins.id = :login) AND login = :login
      ORDER BY messages.id DESC LIMIT :limit`,
    content: `SELECT sender, text, addressee_name AS "to" FROM messages WHERE id = ?`,
    account: "SELECT since, delivered, identity, seen FROM accounts WHERE account = ?",
    see: "UPDATE accounts SET seen = ? WHERE account = ?",
    accounts: "SELECT account FROM accounts",
    enter: `INSERT INTO accounts (account, since, delivered, identity)
      VALUES (:account, :since, :delivered, :identity)
      ON CONFLICT (account) DO UPDATE SET identity = excluded.identity`,
    meet: `INSERT OR IGNORE INTO accounts (account, since, delivered, identity)
      VALUES (:account, :since, :delivered, :identity)`,
    leave: "DELETE FROM accounts WHERE account = ?",
    // What was sent to an account that is still there waits for it.
    forgetDirect: `DELETE FROM messages WHERE addressee IS NOT NULL AND id IN (
        SELECT id FROM messages WHERE sender = :account
          AND addressee NOT IN (SELECT account FROM accounts)
        UNION SELECT id FROM messages WHERE addressee = :account
          AND sender NOT IN (SELECT account FROM accounts))`,
    changes: "SELECT changes() AS changes",
    clear: "DELETE FROM exceptions WHERE account = ?",
    advance: "UPDATE accounts SET delivered = ? WHERE account = ?",
    between: "SELECT id FROM messages WHERE addressee = ? AND id > ? AND id < ?",
    except: "INSERT OR IGNORE INTO exceptions (account, message) VALUES (?, ?)",
    unexcept: "DELETE FROM exceptions WHERE account = ? AND message = ?",
    isUndelivered: `SELECT 1 FROM messages WHERE id = ? AND ${waits}`,
    undelivered: `SELECT * FROM (
        SELECT ${COLUMNS} FROM exceptions JOIN messages ON id = message
        WHERE account = :account AND message > :after AND message <= :upTo
        ORDER BY id LIMIT ${PAGE.messages})
      UNION ALL SELECT * FROM (
        SELECT ${COLUMNS} FROM messages WHERE addressee = :account
        AND id > max(:after, (SELECT delivered FROM accounts WHERE account = :account))
        AND id <= :upTo ORDER BY id LIMIT ${PAGE.messages})
      ORDER BY id`,
    flow: `SELECT ${COLUMNS}, ${waits} AS waits,
        sender = :account AND addressee IS NOT :account AS own FROM messages
      WHERE id > :after AND id <= :upTo
      AND (addressee IS NULL OR addressee = :account OR sender = :account)
      AND (sender <> :account OR addressee = :account OR login <> :login)
      ORDER BY id LIMIT ${PAGE.messages}`,
    history: `SELECT ${COLUMNS} FROM messages WHERE id > ${since} AND id <= :last
      AND (addressee IS NULL OR sender = :account OR addressee = :account)
      ORDER BY id DESC LIMIT :count`,
    recent: `SELECT ${COLUMNS} FROM messages WHERE id > ${since} AND id <= :last
      AND (addressee IS NULL OR sender = :account OR addressee = :account AND NOT ${waits})
      ORDER BY id DESC LIMIT :count`,
    search: `SELECT ${COLUMNS} FROM messages WHERE id > ${since} AND id >= :first AND id <= :last
      AND (addressee IS NULL OR sender = :account OR addressee = :account)
      AND text LIKE :pattern ESCAPE '\\'
      ORDER BY id DESC LIMIT :count`,
    // Each half by an index of its own; a message to oneself is in both.
    historyWith: `SELECT * FROM (
        SELECT ${COLUMNS} FROM messages
        WHERE sender = :other AND id > ${since} AND id <= :last
        AND (addressee IS NULL OR addressee = :account)
        ORDER BY id DESC LIMIT :count)
      UNION SELECT * FROM (
        SELECT ${COLUMNS} FROM messages
        WHERE addressee = :other AND id > ${since} AND id <= :last AND sender = :account
        ORDER BY id DESC LIMIT :count)
      ORDER BY id DESC LIMIT :count`,
    noteForgotten: "UPDATE forgotten SET last = max(last, ?)",
    forget: `DELETE FROM messages WHERE id < ? AND NOT ${waits}`,
    forgetAfter: "DELETE FROM messages WHERE id > ?",
  });
}

function toStored({ id, sent, draft: { from, to, text } }: Entry): Message {
  return { id, from, to, sent, text };
}

function toMessage(row: Row): Message {
  return {
    id: row["id"] as number,
    from: row["sender_name"] as string,
    to: (row["addressee_name"] as string | null) ?? undefined,
    sent: row["sent"] as number,
    text: row["text"] as string,
  };
}
