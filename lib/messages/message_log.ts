import { PLAIN_IDENTITY } from "../accounts/accounts.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername } from "../protocol/names.ts";
import type { Message } from "../protocol/records.ts";
import type { Database, Row } from "./database.ts";

/** A message that has no id and no time yet. Names are as they were registered. */
export type Draft = Pick<Message, "kind" | "from" | "to" | "text">;

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

/** Which messages {@linkcode MessageLog.history} gives. */
export interface HistoryOptions {
  /** How many, the last ones. */
  count: number;
  /** Only those from or to this user. @default everybody */
  with?: string | undefined;
}

/** The durable log of messages. A message is delivered only after its commit. */
export class MessageLog {
  readonly #database: Database;
  readonly #statements;
  #last: number;
  /** How many messages went with accounts that left, in the change of the moment. */
  #deleted = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = prepare(database);
    this.#last = this.#statements.last.get()!["last"] as number;
  }

  /** The id of the newest message; 0 where there was none ever. */
  get last(): number {
    return this.#last;
  }

  /**
   * Stores a message, unless the same request has stored one before.
   *
   * @param deliver is called after the commit, before anything else is, if the message is a new one;
   *   messages are delivered in the order of their ids
   * @returns the message's id
   * @throws {ProtocolError} `not-stored`, where it can't be stored; nothing was delivered then.
   *   `duplicate-id`, where the request stored another message before
   */
  async append(
    draft: Draft,
    deliver: (message: Message) => void,
    origin?: Origin,
  ): Promise<number> {
    const sent = this.#database.now();
    let stored: { id: number; fresh: boolean; same: boolean } | undefined;
    await this.#database.change(
      () => stored = this.#find(draft, origin) ?? this.#insert(draft, sent, origin),
      () => {
        const { id, fresh } = stored!;
        if (!fresh) return;
        this.#last = id;
        const { kind, from, to, text } = draft;
        deliver({ id, kind, from, to, sent: sent.toISOString(), text });
      },
    );
    if (stored!.same) return stored!.id;
    throw new ProtocolError("duplicate-id", "another request had this id");
  }

  /** What the request stored before, and whether that was the same message. */
  #find({ to, text }: Draft, origin: Origin | undefined) {
    if (origin === undefined) return undefined;
    const row = this.#statements.findRequest.get(origin.login, origin.request);
    if (row === undefined) return undefined;
    // A message that was forgotten since can't be compared any more.
    const same = row["text"] === null || row["text"] === text && row["to"] === (to ?? null);
    return { id: row["message"] as number, fresh: false, same };
  }

  #insert({ kind, from, to, text }: Draft, sent: Date, origin: Origin | undefined) {
    const { insert, keep, addRequest } = this.#statements;
    const addressee = to === undefined ? null : foldUsername(to);
    const sender = foldUsername(from);
    const id = insert.run(kind, sender, from, addressee, to ?? null, sent.getTime(), text);
    if (addressee !== null) keep.run(addressee, id);
    if (origin !== undefined) addRequest.run({ ...origin, message: id });
    return { id, fresh: true, same: true };
  }

  /**
   * A direct message has been acknowledged by its addressee.
   *
   * @throws {ProtocolError} `not-stored`: the message comes again, which is better than not at all
   */
  async acknowledge(account: string, message: number): Promise<void> {
    await this.#database.change(() => this.#statements.settle.run(account, message));
  }

  /**
   * An account is there no more: nobody is entitled to what it was. Direct messages that nobody else is
   * entitled to either are deleted.
   *
   * @throws {ProtocolError} `not-stored`
   */
  async leave(account: string): Promise<void> {
    await this.#changeAccounts(() => this.#leave(account));
  }

  /**
   * An account is there. Where another one of its name was there before, that one has gone.
   *
   * @param account its key
   * @param identity what tells it from others of its name
   * @param since the newest message before it was made, where that has just been
   * @throws {ProtocolError} `not-stored`
   */
  async enter(account: string, identity: string, since?: number): Promise<void> {
    await this.#changeAccounts(() => this.#enter(account, identity, since));
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
    await this.#changeAccounts(() => {
      for (const { account } of this.#statements.accounts.all() as { account: string }[]) {
        if (identities.has(account)) continue;
        this.#leave(account);
        gone.push(account);
      }
      for (const [account, identity] of identities) {
        if (this.#enter(account, identity)) gone.push(account);
      }
    });
    return gone;
  }

  async #changeAccounts(change: () => void): Promise<void> {
    this.#deleted = 0;
    await this.#database.change(change, () => {
      if (this.#deleted > 0) this.#database.scrub();
    });
  }

  #leave(account: string): void {
    this.#statements.leave.run(account);
    this.#statements.clear.run(account);
    this.#statements.forgetDirect.run({ account });
    this.#deleted += this.#statements.changes.get()!["changes"] as number;
  }

  /** @returns whether it takes another one's place */
  #enter(account: string, identity: string, since?: number): boolean {
    const known = this.#statements.identity.get(account)?.["identity"] as string | undefined;
    if (known === identity) return false;
    // One of an earlier version, or whose password was stored as it is and has become a hash, is the same.
    const replaced = known !== undefined && known !== "" && known !== PLAIN_IDENTITY;
    if (replaced) this.#leave(account);
    this.#statements.enter.run({ account, identity, since: since ?? null });
    return replaced;
  }

  /** The newest message that was there before an account: it is entitled to public ones after it. */
  entitledAfter(account: string): number {
    const row = this.#statements.since.get(account);
    return row === undefined ? this.#last : row["since"] as number;
  }

  /** Who sent a message, as the account's key; undefined where there is no such message. */
  senderOf(message: number): string | undefined {
    return this.#statements.senderOf.get(message)?.["sender"] as string | undefined;
  }

  /** Whether nobody has acknowledged a direct message. */
  isUndelivered(message: number): boolean {
    return this.#statements.isUndelivered.get(message) !== undefined;
  }

  /** Direct messages to an account that nobody has acknowledged, in order; `limit` of them at most. */
  undelivered(account: string, { after, upTo, limit }: Range & { limit: number }): Message[] {
    return this.#statements.undelivered.all(account, after, upTo, limit).map(toMessage);
  }

  /**
   * What goes to all of an account's sessions, in order: public messages of others and its own direct
   * ones, each with whether nobody has acknowledged it.
   */
  flow(account: string, { after, upTo }: Range): { message: Message; undelivered: boolean }[] {
    const rows = this.#statements.flow.all({ account, after, upTo });
    return rows.map((row) => ({ message: toMessage(row), undelivered: row["kept"] === 1 }));
  }

  /** The last messages that an account may see, in order: public ones, and its own direct ones. */
  history(account: string, { count, with: other }: HistoryOptions): Message[] {
    const rows = other === undefined
      ? this.#statements.history.all({ account, count })
      : this.#statements.historyWith.all({ account, other: foldUsername(other), count });
    return rows.reverse().map(toMessage);
  }

  /** Forgets what was sent before a time, but not what still has to be delivered. */
  async forgetBefore(time: Date): Promise<void> {
    await this.#database.change(() => {
      this.#statements.forget.run(time.getTime());
      this.#statements.forgetRequests.run();
    }, () => this.#database.scrub());
  }
}

const COLUMNS = "id, kind, sender_name, addressee_name, sent, text";

function prepare(database: Database) {
  const since = "(SELECT since FROM accounts WHERE account = :account)";
  return database.prepare({
    last: "SELECT coalesce(max(seq), 0) AS last FROM sqlite_sequence WHERE name = 'messages'",
    insert: `INSERT INTO messages
      (kind, sender, sender_name, addressee, addressee_name, sent, text) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    keep: "INSERT INTO undelivered (account, message) VALUES (?, ?)",
    // A login that has ended meanwhile has no requests.
    addRequest: `INSERT INTO requests (login, request, message)
      SELECT id, :request, :message FROM logins WHERE id = :login`,
    findRequest: `SELECT message, text, addressee_name AS "to"
      FROM requests LEFT JOIN messages ON id = message WHERE login = ? AND request = ?`,
    settle: "DELETE FROM undelivered WHERE account = ? AND message = ?",
    clear: "DELETE FROM undelivered WHERE account = ?",
    leave: "DELETE FROM accounts WHERE account = ?",
    // An account that never was here has no row; what was sent to it waits.
    forgetDirect: `DELETE FROM messages WHERE kind = 'direct' AND id IN (
        SELECT id FROM messages WHERE sender = :account
          AND addressee NOT IN (SELECT account FROM accounts)
        UNION SELECT id FROM messages WHERE addressee = :account
          AND sender NOT IN (SELECT account FROM accounts))
      AND id NOT IN (SELECT message FROM undelivered)`,
    changes: "SELECT changes() AS changes",
    accounts: "SELECT account FROM accounts",
    identity: "SELECT identity FROM accounts WHERE account = ?",
    enter: `INSERT INTO accounts (account, since, identity)
      SELECT :account, coalesce(:since, max(seq), 0), :identity
      FROM sqlite_sequence WHERE name = 'messages'
      ON CONFLICT (account) DO UPDATE SET identity = excluded.identity`,
    since: "SELECT since FROM accounts WHERE account = ?",
    senderOf: "SELECT sender FROM messages WHERE id = ?",
    isUndelivered: `SELECT 1 FROM messages JOIN undelivered ON account = addressee AND message = id
      WHERE id = ?`,
    undelivered: `SELECT ${COLUMNS} FROM undelivered JOIN messages ON id = message
      WHERE account = ? AND message > ? AND message <= ? ORDER BY message LIMIT ?`,
    flow: `SELECT ${COLUMNS}, undelivered.message IS NOT NULL AS kept
      FROM messages LEFT JOIN undelivered ON account = :account AND message = id
      WHERE id > :after AND id <= :upTo
      AND (kind = 'public' AND sender <> :account OR addressee = :account)
      ORDER BY id`,
    history: `SELECT ${COLUMNS} FROM messages WHERE id > ${since}
      AND (kind = 'public' OR sender = :account OR addressee = :account)
      ORDER BY id DESC LIMIT :count`,
    // Each half by an index of its own; a message to oneself is in both.
    historyWith: `SELECT * FROM (
        SELECT ${COLUMNS} FROM messages
        WHERE sender = :other AND id > ${since} AND (kind = 'public' OR addressee = :account)
        ORDER BY id DESC LIMIT :count)
      UNION SELECT * FROM (
        SELECT ${COLUMNS} FROM messages
        WHERE addressee = :other AND id > ${since} AND sender = :account
        ORDER BY id DESC LIMIT :count)
      ORDER BY id DESC LIMIT :count`,
    forgetRequests: "DELETE FROM requests WHERE message < (SELECT min(id) FROM messages)",
    forget: `DELETE FROM messages
      WHERE sent < ? AND id NOT IN (SELECT message FROM undelivered)`,
  });
}

function toMessage(row: Row): Message {
  return {
    id: row["id"] as number,
    kind: row["kind"] as Message["kind"],
    from: row["sender_name"] as string,
    to: (row["addressee_name"] as string | null) ?? undefined,
    sent: new Date(row["sent"] as number).toISOString(),
    text: row["text"] as string,
  };
}
