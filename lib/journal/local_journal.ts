import type { Database } from "../messages/database.ts";
import { RecentMap } from "../protocol/recent_map.ts";
import { isRecoverable, type JournalEvent, subjectOf } from "./events.ts";
import {
  type Condition,
  ConflictError,
  type Entry,
  type Journal,
  type Reader,
  settlement,
  type Waiter,
  WAITING_CHARACTERS,
  weightOf,
} from "./journal.ts";

/** More subjects than anybody changes while somebody else makes up their mind. */
const SUBJECTS = 10_000;

/** An event on its way into the journal. */
interface Pending extends Entry {
  number: number;
  condition: Condition | undefined;
  waiter: Waiter;
}

/**
 * The journal of one server. One transaction is its commit and its reader's, so the events themselves
 * are not kept. What is appended while a commit is under way is the next one, all together.
 */
export class LocalJournal implements Journal {
  readonly #database: Database;
  readonly #reader: Reader;
  /** What the next commit stores. */
  #pending: Pending[] = [];
  /** What is to be stored and is not yet, in UTF-16 code units of text; and who waits until that is less. */
  #waiting = 0;
  #backpressure: PromiseWithResolvers<void> | undefined;
  /** The newest number that was given; never given again, whether it was stored or not. */
  #given: number;
  /** Whether the last transaction failed: what it did is taken back in the next one, and that has to last. */
  #failed = false;
  /** The newest events of subjects, in this process: what is older nobody bases a decision on any more. */
  readonly #subjects = new RecentMap<string, number>(SUBJECTS);

  constructor(database: Database, reader: Reader) {
    this.#database = database;
    this.#reader = reader;
    this.#given = reader.last;
  }

  get last(): number {
    return this.#reader.last;
  }

  append(event: JournalEvent, condition?: Condition): Promise<number> {
    return settlement((waiter) => this.#append(event, condition, waiter));
  }

  post(event: JournalEvent, waiter: Waiter): void {
    this.#append(event, undefined, waiter);
  }

  backpressure(): Promise<void> | undefined {
    if (this.#waiting < WAITING_CHARACTERS) return undefined;
    this.#backpressure ??= Promise.withResolvers();
    return this.#backpressure.promise;
  }

  catchUp(): undefined {}

  /** The database has all that it takes. */
  async [Symbol.asyncDispose](): Promise<void> {}

  #append(event: JournalEvent, condition: Condition | undefined, waiter: Waiter): void {
    this.#pending.push({ event, condition, number: 0, outcome: 0, waiter });
    this.#waiting += weightOf(event);
    if (this.#pending.length === 1) this.#commit();
  }

  #commit(): void {
    let taken: Pending[] = [];
    let entries: readonly Pending[] = [];
    const subjects = new Map<string, number>();
    this.#database.change({
      run: () => {
        taken = this.#pending;
        this.#pending = [];
        entries = taken.filter((entry) => this.#admit(entry, subjects));
        this.#reader.apply(entries);
        const recoverable = entries.length > 0 &&
          entries.every(({ event }) => isRecoverable(event));
        return recoverable && !this.#failed;
      },
      committed: () => {
        this.#failed = false;
        for (const [subject, number] of subjects) this.#subjects.set(subject, number);
        this.#settle(taken);
        this.#reader.committed(entries);
        for (const { outcome, waiter } of taken) waiter.settle(outcome);
      },
      failed: (error) => {
        this.#failed = true;
        // The disk may have failed before this transaction began.
        if (taken.length === 0) taken = this.#pending.splice(0);
        this.#settle(taken);
        this.#reader.failed();
        for (const { waiter } of taken) waiter.settle(error);
        // What was refused shall not be there after the next start.
        if (taken.length > 0) this.#commit();
      },
    });
  }

  /**
   * Gives an event its number, if its condition holds.
   *
   * @param subjects those of the events before it in this transaction
   */
  #admit(entry: Pending, subjects: Map<string, number>): boolean {
    const subject = subjectOf(entry.event)?.join(" ");
    if (subject !== undefined && entry.condition !== undefined) {
      const newest = subjects.get(subject) ?? this.#subjects.get(subject) ?? 0;
      if (newest > entry.condition.since) {
        entry.outcome = new ConflictError(`event ${newest} was about ${subject} too`);
        return false;
      }
    }
    entry.number = entry.outcome = ++this.#given;
    if (subject !== undefined) subjects.set(subject, entry.number);
    return true;
  }

  #settle(entries: readonly Pending[]): void {
    for (const { event } of entries) this.#waiting -= weightOf(event);
    if (this.#waiting >= WAITING_CHARACTERS) return;
    this.#backpressure?.resolve();
    this.#backpressure = undefined;
  }
}
