import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../clock.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername } from "../protocol/names.ts";
import type { Message } from "../protocol/records.ts";
import { openDatabase } from "./schema.ts";

/** A message that has no id and no time yet. Names are as they were registered. */
export type Draft = Pick<Message, "kind" | "from" | "to" | "text">;

/** What a {@linkcode MessageLog} needs of a clock. */
export type LogClock = Pick<Clock, "date" | "soon">;

/** A change that waits for the next commit. */
interface Change {
  /** Does it, inside the transaction. */
  run: () => void;
  committed: () => void;
  failed: (error: unknown) => void;
}

/** Which messages {@linkcode MessageLog.history} gives. */
export interface HistoryOptions {
  /** How many, the last ones. */
  count: number;
  /** Only those from or to this user. @default everybody */
  with?: string | undefined;
}

/**
 * The durable log of messages. What is changed in one turn of the loop is committed at its end, all
 * together; a message is delivered only after that.
 */
export class MessageLog implements Disposable {
  readonly #database: DatabaseSync;
  readonly #clock: LogClock;
  readonly #statements;
  #changes: Change[] = [];
  #closed = false;

  /**
   * Opens a log.
   *
   * @param path a file, which is made where there is none, or `:memory:`
   * @throws {ExitError} `refused`, where the file can't be used
   */
  constructor(path: string, clock: LogClock) {
    this.#database = openDatabase(path);
    this.#clock = clock;
    this.#statements = prepare(this.#database);
  }

  /**
   * Stores a message.
   *
   * @param deliver is called after the commit, before anything else is; messages are delivered in the
   *   order of their ids
   * @throws {ProtocolError} `not-stored`, where it can't be stored; nothing was delivered then
   */
  append(draft: Draft, deliver: (message: Message) => void): Promise<void> {
    const { kind, from, to, text } = draft;
    const sent = this.#clock.date();
    const addressee = to === undefined ? null : foldUsername(to);
    let id = 0;
    return this.#change(
      () => {
        const { insert, keep } = this.#statements;
        const sender = foldUsername(from);
        const result = insert.run(kind, sender, from, addressee, to ?? null, sent.getTime(), text);
        id = Number(result.lastInsertRowid);
        if (addressee !== null) keep.run(addressee, id);
      },
      () => deliver({ id, kind, from, to, sent: sent.toISOString(), text }),
    );
  }

  /** A direct message has been acknowledged by its addressee. */
  acknowledge(account: string, message: number): void {
    // Should this not be stored, the message comes again: better than not at all.
    this.#change(() => this.#statements.clear.run(account, message)).catch(() => {});
  }

  /**
   * An account is there, with the messages that come from now on if it was not there before.
   *
   * @param account its key
   * @param fresh whether it has just been made: what an earlier account of this name was entitled to is
   *   not its own
   */
  enter(account: string, { fresh = false }: { fresh?: boolean } = {}): Promise<void> {
    return this.#change(() => {
      if (fresh) this.#statements.leave.run(account);
      if (fresh) this.#statements.clearAll.run(account);
      this.#statements.enter.run(account);
    });
  }

  /** Direct messages to an account that nobody has acknowledged, after a message id, in order. */
  undelivered(account: string, { after, limit }: { after: number; limit: number }): Message[] {
    return this.#statements.undelivered.all(account, after, limit).map(toMessage);
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
    await this.#change(() => this.#statements.forget.run(time.getTime()));
  }

  /** Commits what waits, and closes. Closing twice is fine. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#commit();
    this.#closed = true;
    this.#database.close();
  }

  #change(run: () => void, committed: () => void = () => {}): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#closed) return Promise.reject(notStored(new Error("the log is closed")));
    if (this.#changes.length === 0) this.#clock.soon(() => this.#commit());
    this.#changes.push({
      run,
      committed: () => {
        committed();
        resolve();
      },
      failed: (cause) => reject(notStored(cause)),
    });
    return promise;
  }

  #commit(): void {
    const changes = this.#changes;
    this.#changes = [];
    if (changes.length === 0 || this.#closed) return;
    try {
      this.#database.exec("BEGIN");
      for (const { run } of changes) run();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      for (const { failed } of changes) failed(error);
      return;
    }
    for (const { committed } of changes) committed();
  }

  #rollBack(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself.
    }
  }
}

function notStored(cause: unknown): ProtocolError {
  return new ProtocolError(
    "not-stored",
    "the server can't store the message, so it was not sent",
    { cause },
  );
}

const COLUMNS = "id, kind, sender_name, addressee_name, sent, text";

function prepare(database: DatabaseSync) {
  const since = "(SELECT since FROM accounts WHERE account = :account)";
  const statements = {
    insert: `INSERT INTO messages
      (kind, sender, sender_name, addressee, addressee_name, sent, text) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    keep: "INSERT INTO undelivered (account, message) VALUES (?, ?)",
    clear: "DELETE FROM undelivered WHERE account = ? AND message = ?",
    clearAll: "DELETE FROM undelivered WHERE account = ?",
    leave: "DELETE FROM accounts WHERE account = ?",
    enter: `INSERT OR IGNORE INTO accounts (account, since)
      SELECT ?, coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'messages'`,
    undelivered: `SELECT ${COLUMNS} FROM undelivered JOIN messages ON id = message
      WHERE account = ? AND message > ? ORDER BY message LIMIT ?`,
    history: `SELECT ${COLUMNS} FROM messages WHERE id > ${since}
      AND (kind = 'public' OR sender = :account OR addressee = :account)
      ORDER BY id DESC LIMIT :count`,
    historyWith: `SELECT ${COLUMNS} FROM messages WHERE id > ${since}
      AND ((sender = :other AND (kind = 'public' OR addressee = :account))
        OR (sender = :account AND addressee = :other))
      ORDER BY id DESC LIMIT :count`,
    forget: `DELETE FROM messages
      WHERE sent < ? AND id NOT IN (SELECT message FROM undelivered)`,
  };
  return Object.fromEntries(
    Object.entries(statements).map(([name, sql]) => [name, database.prepare(sql)]),
  ) as Record<keyof typeof statements, StatementSync>;
}

function toMessage(row: Record<string, unknown>): Message {
  return {
    id: row["id"] as number,
    kind: row["kind"] as Message["kind"],
    from: row["sender_name"] as string,
    to: (row["addressee_name"] as string | null) ?? undefined,
    sent: new Date(row["sent"] as number).toISOString(),
    text: row["text"] as string,
  };
}
