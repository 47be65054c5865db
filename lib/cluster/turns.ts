import type { Entry } from "../journal/journal.ts";
import type { Database } from "../messages/database.ts";

/** The header of NATS that says when an event's turn is. */
export const TURN = "Chat-Turn";

/** When an event's turn is, among those of who published it. */
export interface Turn {
  publisher: string;
  /** Ascending, from 1. */
  number: number;
  /** The number of the one before it; 0 where it is the first. */
  after: number;
  /** Which attempt at publishing it this is: what was lost is published again, with all that follows it. */
  attempt: number;
  /** The number of the newest one that has counted at its publisher when this one was published; 0 where none has. */
  counted: number;
}

/** An event that the stream has given. */
interface TurnEntry extends Entry {
  turn: Turn | undefined;
  /** Whether the stream has lost the event before it. */
  isAfterGap?: boolean;
}

/** Why an event does not count: it has counted before, */
export const REPEATED = new Error("it was published twice");
/** or the one before it has not arrived, so that both come again. */
export const EARLY = new Error("the one before it is missing");

/**
 * What has counted at its publisher has not here, so the stream was another one there: NATS gave one of the two what the
 * others do not have.
 */
export class ContradictionError extends Error {
  override name = "ContradictionError";
}

export function formatTurn({ publisher, number, after, attempt, counted }: Turn): string {
  return `${publisher} ${number} ${after} ${attempt} ${counted}`;
}

/** Undefined where an event stands by itself, as those that were appended under a condition do. */
export function parseTurn(text: string | undefined): Turn | undefined {
  if (!text) return undefined;
  const [publisher, number, after, attempt, counted = 0] = text.split(" ");
  return {
    publisher: publisher!,
    number: Number(number),
    after: Number(after),
    attempt: Number(attempt),
    counted: Number(counted),
  };
}

/**
 * Has the events of each publisher count once, and in the order in which it took them, whatever the way to the stream has
 * lost, repeated or let overtake. All servers see the same stream, so all decide alike; the table is changed in
 * the transaction that applies the events. It has a row for each start of a server.
 */
export class Turns {
  readonly #statements;
  /** The number of the newest event of each publisher that counts: on the disk, and with what is being applied. */
  readonly #kept: Map<string, number>;
  #applied = new Map<string, number>();
  /** Who was heard of since the stream has lost events, which may have been the ones before; undefined where it has not. */
  #heard: Set<string> | undefined;

  constructor(database: Database) {
    this.#statements = database.prepare({
      all: "SELECT publisher, last FROM publishers",
      put: "INSERT OR REPLACE INTO publishers (publisher, last) VALUES (?, ?)",
    });
    const rows = this.#statements.all.all() as { publisher: string; last: number }[];
    this.#kept = new Map(rows.map(({ publisher, last }) => [publisher, last]));
  }

  /**
   * Refuses what does not count, inside a transaction. The same once more comes to the same until {@linkcode keep}.
   *
   * @param sureUpTo events up to this number are those of the stream: where they contradict each other it is their publisher
   *   that was given something else, and they count as they do there
   * @throws {ContradictionError} where later events, or some before them, are not those of the others
   */
  judge(entries: readonly TurnEntry[], sureUpTo = 0): void {
    this.#applied = new Map();
    for (const entry of entries) {
      const { turn, isAfterGap = false } = entry;
      if (isAfterGap) this.#heard = new Set();
      if (turn === undefined) continue;
      const { publisher, number, after, counted } = turn;
      let last = this.#applied.get(publisher) ?? this.#kept.get(publisher) ?? 0;
      // Of who was not heard of since the stream has lost events, what came before may be among these.
      const isKnown = this.#heard?.has(publisher) !== false;
      if (counted > last && isKnown) {
        if (entry.number > sureUpTo) {
          throw new ContradictionError(`event ${entry.number} follows one that NATS has not given`);
        }
        last = counted;
      }
      if (number <= last) entry.outcome = REPEATED;
      else if (after > last && isKnown) entry.outcome = EARLY;
      else this.#applied.set(publisher, number);
    }
    for (const [publisher, last] of this.#applied) this.#statements.put.run(publisher, last);
  }

  /** What was judged last is on the disk. */
  keep(): void {
    for (const [publisher, last] of this.#applied) {
      this.#kept.set(publisher, last);
      this.#heard?.add(publisher);
    }
  }
}
