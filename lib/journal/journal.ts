import type { JournalEvent } from "./events.ts";

/** What must hold for an event to be appended. */
export interface Condition {
  /** The newest event that the caller knew: there is none about the same subject after it. */
  since: number;
}

/** An event was not appended, because its condition does not hold. */
export class ConflictError extends Error {
  override name = "ConflictError";
}

/** Whoever waits to hear what became of an event. */
export interface Waiter {
  /** Is told once, what {@linkcode Journal.append} gives or throws. */
  settle(outcome: number | Error): void;
}

/** Everything that lasts, as events in one order. */
export interface Journal extends AsyncDisposable {
  /** The number of the newest event that the {@linkcode Reader} has on the disk; 0 where there is none. */
  readonly last: number;

  /**
   * Appends an event.
   *
   * @returns its number, when it is on the disk and the reader was told so; the number of an earlier event,
   *   where the reader says that this one repeats it
   * @throws {ConflictError} where the condition does not hold; nothing was appended then
   * @throws {ProtocolError} `not-stored`, where it can't be stored, or what the reader says
   */
  append(event: JournalEvent, condition?: Condition): Promise<number>;

  /** Appends one of many events: without a promise, each of which would be kept until the commit is done. */
  post(event: JournalEvent, waiter: Waiter): void;

  /** A promise of the time when less waits to be stored; undefined where that is now. */
  backpressure(): Promise<void> | undefined;

  /**
   * Reads what others have appended up to now.
   *
   * @returns undefined where there are no others; otherwise a promise of whether the reader has all of that, which is
   *   kept within seconds
   */
  catchUp(): Promise<boolean> | undefined;

  /** What is not stored yet is refused; the tables stay open. Closing twice is fine. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a {@linkcode Waiter} is told, as a promise. */
export function settlement(begin: (waiter: Waiter) => void): Promise<number> {
  return new Promise((resolve, reject) =>
    begin({
      settle: (outcome) => typeof outcome === "number" ? resolve(outcome) : reject(outcome),
    })
  );
}

/** An event with its number, and what it came to. */
export interface Entry {
  readonly number: number;
  readonly event: JournalEvent;
  /**
   * The event's number, until the reader puts the number of the one that it repeats in its place, or why it is
   * refused. A refused event keeps its number and changes nothing; the journal itself may have refused it before.
   */
  outcome: number | Error;
}

/** What is given the events: in the order of their numbers, each once, also after a restart. */
export interface Reader {
  /** The number of the newest event that it has on the disk. */
  readonly last: number;
  /** Takes events in, inside a transaction: what it throws undoes that. */
  apply(entries: readonly Entry[]): void;
  /** The same events are on the disk. */
  committed(entries: readonly Entry[]): void;
  /**
   * The events that were applied last may be on the disk or not, and count for nothing. They are applied again,
   * or never.
   */
  failed(): void;
  /**
   * What was applied so far are not the events that the others have: it counts for nothing from the next start on. Inside a
   * transaction.
   */
  abandon(): void;
}

/** So many characters of text that wait to be stored are enough: who sends more is to wait. */
export const WAITING_CHARACTERS = 1_048_576;

/** How much of that an event is, in UTF-16 code units of text. */
export function weightOf(event: JournalEvent): number {
  return event.type === "message" ? event.text.length : 0;
}
