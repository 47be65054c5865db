import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../clock.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { OpenFiles } from "./open_files.ts";
import { openDatabase } from "./schema.ts";
import { scrub } from "./scrub.ts";
import { Statement } from "./statement.ts";
import { reasonOf } from "../reasons.ts";

/** What a {@linkcode Database} needs of a clock. */
export type DatabaseClock = Pick<Clock, "date" | "now" | "soon">;

/** A change of the database: one transaction. */
export interface Change {
  /**
   * Does it, inside the transaction; what it throws undoes that.
   *
   * @returns whether a crash of the system may take it back, so that nobody has to wait for the disk
   */
  run: () => boolean;
  /** It is on the disk, or need not be. What this throws is a fault of the program, and ends it. */
  committed: () => void;
  /**
   * Nothing was changed, or nobody knows; also before `run` was called.
   *
   * @param error `not-stored`
   */
  failed: (error: ProtocolError) => void;
}

/** Options of {@linkcode Database}. */
export interface DatabaseOptions {
  clock: DatabaseClock;
  /** Is told when changes can't be stored any more, and when they can again. @default nobody */
  log?: (event: string) => void;
  /** Puts what was written to a file on the disk. @default `fdatasync` */
  sync?: (file: Deno.FsFile) => Promise<void>;
}

/** A write-ahead log as large as this goes into the database file, in bytes. */
const CHECKPOINT_BYTES = 16 * 1_024 * 1_024;

/**
 * The database of one server: one commit at a time, and the next change meanwhile waits. Nobody waits for the disk
 * but the change itself: SQLite writes to the system's cache alone (`synchronous = OFF`), and the files are synced beside
 * the loop, the write-ahead log before the change is `committed`, the database file before the write-ahead log begins
 * anew.
 */
export class Database implements Disposable {
  readonly #database: DatabaseSync;
  readonly #files: DatabaseFiles | undefined;
  /** Whether these are still the files at their paths. */
  readonly #paths: OpenFiles;
  readonly #clock: DatabaseClock;
  readonly #log: (event: string) => void;
  readonly #sync: (file: Deno.FsFile) => Promise<void>;
  /** The one that waits for the next transaction. */
  #next: Change | undefined;
  /** What is changed with the next transaction, whichever. */
  #notes: (() => void)[] = [];
  /** The one that is in the database, but perhaps not on the disk. */
  #unsynced: Change | undefined;
  /** Whether the database file has to be synced before the next commit. */
  #checkpointed = false;
  /** Why that failed: from then on nothing is stored, and the write-ahead log has to stay as it is. */
  #broken: Error | undefined;
  /** Whether the write-ahead log may not be on the disk, though a sync says so. */
  #unsure = false;
  #busy = false;
  #scheduled = false;
  #failing = false;
  #scrubbing = false;
  #closed = false;

  /** Is told how long it took to have a change on the disk, in milliseconds. */
  onCommit: (ms: number) => void = () => {};

  /**
   * Opens a database.
   *
   * @param path a file, which is made where there is none, or `:memory:`
   * @throws {ExitError} `refused`, where the file can't be used
   */
  constructor(path: string, { clock, log = () => {}, sync }: DatabaseOptions) {
    this.#database = openDatabase(path);
    this.#files = path === ":memory:" ? undefined : new DatabaseFiles(path);
    this.#paths = new OpenFiles(path === ":memory:" ? [] : [path, `${path}-wal`]);
    this.#clock = clock;
    this.#log = log;
    this.#sync = sync ?? ((file) => file.syncData());
  }

  /** Wall-clock time. */
  now(): Date {
    return this.#clock.date();
  }

  /** Whether its files were deleted or replaced, so that nothing can be stored. The log is told. */
  get lost(): boolean {
    try {
      this.#paths.require();
      return false;
    } catch (error) {
      this.#noteFailure(error);
      return true;
    }
  }

  /** Whether the last change could be stored. */
  get isStoring(): boolean {
    return !this.#failing;
  }

  /** The sizes of its files, in bytes. */
  get sizes(): { database: number; log: number } {
    const size = (file: Deno.FsFile | undefined) => file?.statSync().size ?? 0;
    return { database: size(this.#files?.database), log: size(this.#files?.log) };
  }

  /** Prepared statements, by the names of their texts. */
  prepare<K extends string>(texts: Record<K, string>): Record<K, Statement> {
    const prepared = Object.entries<string>(texts).map(([name, sql]) =>
      [name, new Statement(this.#database.prepare(sql))] as const
    );
    return Object.fromEntries(prepared) as Record<K, Statement>;
  }

  /** Has a change made in the next transaction. One at a time may wait for that. */
  change(change: Change): void {
    if (this.#closed) return change.failed(notStored(new Error("the database is closed")));
    this.#next = change;
    this.#commitSoon();
  }

  /**
   * Has something changed in the next transaction that can be found out again: a crash may take it back, and nobody
   * is told.
   */
  note(run: () => void): void {
    this.#notes.push(run);
    this.#commitSoon();
  }

  /** Has what was deleted gone from all files before the next commit. */
  scrub(): void {
    this.#scrubbing = true;
    this.#commitSoon();
  }

  /** Commits what waits, and closes. Closing twice is fine. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#syncNow(this.#unsynced);
    if (this.#broken === undefined) this.#syncNow(this.#write());
    this.#closed = true;
    this.#database.exec("PRAGMA synchronous = FULL");
    // Where the write-ahead log alone was deleted, this puts what is in it into the file.
    if (this.#broken === undefined) this.#database.close();
    this.#files?.[Symbol.dispose]();
  }

  /** One commit a turn of the loop at most, and one at a time. */
  #commitSoon(): void {
    if (this.#scheduled || this.#busy) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      void this.#commit();
    });
  }

  async #commit(): Promise<void> {
    if (this.#busy || this.#closed || !this.#hasWork) return;
    this.#busy = true;
    try {
      if (this.#checkpointed) await this.#syncCheckpoint();
      if (this.#unsure) this.#rewrite();
      if (this.#scrubbing) this.#scrub();
      if (this.#files === undefined) return this.#settle(this.#write(), undefined);
      const began = this.#clock.now();
      const written = this.#write();
      if (written === undefined) return;
      this.#unsynced = written;
      await this.#syncLog(this.#files);
      this.onCommit(this.#clock.now() - began);
      this.#paths.require();
      // Closing the database has settled it, perhaps.
      this.#settle(this.#unsynced, undefined);
      this.#checkpoint(this.#files);
    } catch (error) {
      const waiting = this.#next;
      this.#next = undefined;
      this.#notes = [];
      this.#settle(this.#unsynced, error);
      this.#settle(waiting, error);
      if (this.#scrubbing) this.#giveUpScrub(error);
    } finally {
      this.#busy = false;
      if (this.#hasWork) this.#commitSoon();
    }
  }

  get #hasWork(): boolean {
    return this.#next !== undefined || this.#notes.length > 0 || this.#scrubbing;
  }

  /**
   * Commits what waits, to the system's cache.
   *
   * @returns the change that has to be on the disk before it is committed, if there is one
   */
  #write(): Change | undefined {
    const change = this.#next;
    const notes = this.#notes;
    this.#next = undefined;
    this.#notes = [];
    if (change === undefined && notes.length === 0) return undefined;
    let recoverable: boolean | undefined;
    try {
      this.#paths.require();
      this.#database.exec("BEGIN");
      for (const note of notes) note();
      recoverable = change?.run();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      this.#settle(change, error);
      return undefined;
    }
    if (recoverable !== true) return change;
    this.#settle(change, undefined);
    return undefined;
  }

  #settle(change: Change | undefined, error: unknown): void {
    if (change === undefined) return;
    if (change === this.#unsynced) this.#unsynced = undefined;
    this.#noteFailure(error);
    if (error !== undefined) return change.failed(notStored(error));
    try {
      change.committed();
    } catch (fault) {
      // It is stored, and nobody knows what of the rest was done: unless somebody handles it, this ends the program.
      reportError(fault);
    }
  }

  /** Puts a large write-ahead log into the database file; the next commit begins it anew. */
  #checkpoint(files: DatabaseFiles): void {
    if (this.#closed || files.log.statSync().size < CHECKPOINT_BYTES) return;
    this.#checkpointed = true;
    try {
      this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // The disk is full: the write-ahead log grows on, and it is tried again.
    }
  }

  /** A system may say but once that a sync failed, so another one proves nothing. */
  async #syncLog(files: DatabaseFiles): Promise<void> {
    try {
      await this.#sync(files.log);
    } catch (error) {
      this.#unsure = true;
      throw error;
    }
  }

  /** Puts into the database file what the write-ahead log on the disk may have lost. */
  #rewrite(): void {
    if (!this.#closed) scrub(this.#database);
    this.#unsure = false;
  }

  async #syncCheckpoint(): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      await this.#sync(this.#files!.database);
    } catch (cause) {
      throw this.#break(cause);
    }
    this.#checkpointed = false;
  }

  /** The database file lacks what only the write-ahead log has, and the next start puts there again. */
  #break(cause: unknown): Error {
    const { message } = cause as Error;
    return this.#broken = new Error(`${message}: stop the server and start it again`, { cause });
  }

  #scrub(): void {
    try {
      if (!this.#closed) scrub(this.#database);
      this.#scrubbing = false;
    } catch (error) {
      this.#giveUpScrub(error);
    }
  }

  #giveUpScrub(error: unknown): void {
    this.#scrubbing = false;
    this.#log(`deleted messages can still be read in the files: ${reasonOf(error)}`);
  }

  /** Waits for the disk here and now. */
  #syncNow(change: Change | undefined): void {
    if (change === undefined) return;
    try {
      if (this.#checkpointed) this.#syncCheckpointNow();
      this.#files?.log.syncDataSync();
      this.#paths.require();
    } catch (error) {
      return this.#settle(change, error);
    }
    this.#settle(change, undefined);
  }

  #syncCheckpointNow(): void {
    try {
      this.#files?.database.syncDataSync();
    } catch (cause) {
      throw this.#break(cause);
    }
    this.#checkpointed = false;
  }

  /** Once for all that fail in a row. */
  #noteFailure(error: unknown): void {
    const failing = error !== undefined;
    if (failing === this.#failing) return;
    this.#failing = failing;
    this.#log(
      failing ? `messages can't be stored: ${reasonOf(error)}` : "messages are stored again",
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

/** The files of an open database, for syncing them. */
class DatabaseFiles implements Disposable {
  readonly database: Deno.FsFile;
  /** The write-ahead log. */
  readonly log: Deno.FsFile;

  /** To be disposed of after the database is closed: closing a file gives up SQLite's lock on it. */
  constructor(path: string) {
    this.database = Deno.openSync(path, { read: true, write: true });
    this.log = Deno.openSync(`${path}-wal`, { read: true, write: true });
  }

  [Symbol.dispose](): void {
    this.database.close();
    this.log.close();
  }
}

function notStored(cause: unknown): ProtocolError {
  return new ProtocolError(
    "not-stored",
    "the server can't store the message, so it was not sent",
    { cause },
  );
}
