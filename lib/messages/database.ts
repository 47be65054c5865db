import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../clock.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { openDatabase } from "./schema.ts";

/** What a {@linkcode Database} needs of a clock. */
export type DatabaseClock = Pick<Clock, "date" | "soon">;

/** A change that waits for the next commit. */
interface Change {
  /** Does it, inside the transaction. */
  run: () => void;
  committed: () => void;
  failed: (error: unknown) => void;
}

/**
 * The database of one server. What is changed in one turn of the loop is committed at its end, all
 * together, and is on the disk then.
 */
export class Database implements Disposable {
  readonly #database: DatabaseSync;
  readonly #clock: DatabaseClock;
  #changes: Change[] = [];
  #closed = false;

  /**
   * Opens a database.
   *
   * @param path a file, which is made where there is none, or `:memory:`
   * @throws {ExitError} `refused`, where the file can't be used
   */
  constructor(path: string, clock: DatabaseClock) {
    this.#database = openDatabase(path);
    this.#clock = clock;
  }

  /** Wall-clock time. */
  now(): Date {
    return this.#clock.date();
  }

  /** Prepared statements, by the names of their texts. */
  prepare<K extends string>(texts: Record<K, string>): Record<K, StatementSync> {
    const entries = Object.entries<string>(texts);
    const prepared = entries.map(([name, sql]) => [name, this.#database.prepare(sql)]);
    return Object.fromEntries(prepared) as Record<K, StatementSync>;
  }

  /**
   * Changes something in this turn's transaction.
   *
   * @param run makes the change; what it throws undoes the whole turn, so it throws for nothing that is
   *   one client's mistake
   * @param committed is called after the commit, before anything else is, in the order of the changes
   * @throws {ProtocolError} `not-stored`, where the commit fails; nothing has changed then
   */
  change(run: () => void, committed: () => void = () => {}): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#closed) return Promise.reject(notStored(new Error("the database is closed")));
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

  /** Commits what waits, and closes. Closing twice is fine. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#commit();
    this.#closed = true;
    this.#database.close();
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
