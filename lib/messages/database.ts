import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import type { Clock } from "../clock.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { OpenFiles } from "./open_files.ts";
import { openDatabase } from "./schema.ts";
import { scrub } from "./scrub.ts";

/** What a {@linkcode Database} needs of a clock. */
export type DatabaseClock = Pick<Clock, "date" | "soon">;

type Parameters = SQLInputValue[] | [named: Record<string, SQLInputValue>];

/** One row, by column. */
export type Row = Record<string, SQLOutputValue>;

/** A prepared statement. */
export class Statement {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  /**
   * Changes something; for {@linkcode Database.change}.
   *
   * @returns the id of the row that was inserted last
   */
  run(...parameters: Parameters): number {
    const { lastInsertRowid } = this.#statement.run(...parameters as SQLInputValue[]);
    return Number(lastInsertRowid);
  }

  /** The first row, if there is one. @throws {ProtocolError} `not-readable` */
  get(...parameters: Parameters): Row | undefined {
    return this.all(...parameters)[0];
  }

  /** Every row. @throws {ProtocolError} `not-readable` */
  all(...parameters: Parameters): Row[] {
    try {
      return this.#statement.all(...parameters as SQLInputValue[]) as Row[];
    } catch (cause) {
      const problem = "the server can't read its log of messages";
      throw new ProtocolError("not-readable", problem, { cause });
    }
  }
}

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
  readonly #files: OpenFiles;
  readonly #clock: DatabaseClock;
  #changes: Change[] = [];
  readonly #log: (event: string) => void;
  #failing = false;
  #scrubbing = false;
  #closed = false;

  /**
   * Opens a database.
   *
   * @param path a file, which is made where there is none, or `:memory:`
   * @param log is told when changes can't be stored any more, and when they can again
   * @throws {ExitError} `refused`, where the file can't be used
   */
  constructor(path: string, clock: DatabaseClock, log: (event: string) => void = () => {}) {
    this.#database = openDatabase(path);
    this.#files = new OpenFiles(path === ":memory:" ? [] : [path, `${path}-wal`]);
    this.#clock = clock;
    this.#log = log;
  }

  /** Wall-clock time. */
  now(): Date {
    return this.#clock.date();
  }

  /** Whether its files were deleted or replaced, so that nothing can be stored. The log is told. */
  get lost(): boolean {
    try {
      this.#files.require();
      return false;
    } catch (error) {
      this.#noteFailure(error);
      return true;
    }
  }

  /** Prepared statements, by the names of their texts. */
  prepare<K extends string>(texts: Record<K, string>): Record<K, Statement> {
    const prepared = Object.entries<string>(texts).map(([name, sql]) =>
      [name, new Statement(this.#database.prepare(sql))] as const
    );
    return Object.fromEntries(prepared) as Record<K, Statement>;
  }

  /**
   * Changes something in this turn's transaction.
   *
   * @param run makes the change; what it throws undoes the whole turn, so it throws for nothing that is
   *   one client's mistake
   * @param committed is called after the commit, before anything else is, in the order of the changes
   * @throws {ProtocolError} `not-stored`, where the commit fails, and nothing has changed then; or where
   *   the files were deleted or replaced
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

  /** Has what was deleted gone from all files when this turn of the loop is over. */
  scrub(): void {
    if (this.#scrubbing) return;
    this.#scrubbing = true;
    this.#clock.soon(() => {
      this.#scrubbing = false;
      if (this.#closed) return;
      try {
        scrub(this.#database);
      } catch (error) {
        this.#log(`deleted messages can still be read in the files: ${(error as Error).message}`);
      }
    });
  }

  /** Commits what waits, and closes. Closing twice is fine. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#commit();
    this.#closed = true;
    // Where the write-ahead log alone was deleted, this puts what is in it into the file.
    this.#database.close();
  }

  #commit(): void {
    const changes = this.#changes;
    this.#changes = [];
    if (changes.length === 0 || this.#closed) return;
    try {
      this.#files.require();
      this.#database.exec("BEGIN");
      for (const { run } of changes) run();
      this.#database.exec("COMMIT");
      this.#files.require();
    } catch (error) {
      this.#rollBack();
      this.#noteFailure(error);
      for (const { failed } of changes) failed(error);
      return;
    }
    this.#noteFailure(undefined);
    for (const { committed } of changes) committed();
  }

  /** Once for all that fail in a row. */
  #noteFailure(error: unknown): void {
    const failing = error !== undefined;
    if (failing === this.#failing) return;
    this.#failing = failing;
    this.#log(
      failing
        ? `messages can't be stored: ${(error as Error).message}`
        : "messages are stored again",
    );
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
