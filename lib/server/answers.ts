import { Fifo } from "../protocol/fifo.ts";
import type { ServerRecord } from "../protocol/records.ts";

/** Makes the answer to a request of what became known. */
export type Make<T> = (value: T, id: number) => ServerRecord;

/** What an answer is made of is not known yet. */
const UNKNOWN = Symbol();

/** An answer that is not known yet. */
export interface Answer<T> {
  /** Takes what it is made of, or why the request is refused. */
  settle(outcome: T | Error): void;
}

/** An answer whose turn has not come; one object, since it is kept until its commit is done. */
class Slot implements Answer<unknown> {
  /** The request's id. */
  readonly id: number;
  readonly make: Make<unknown>;
  outcome: unknown = UNKNOWN;
  readonly #answers: Answers;

  constructor(id: number, make: Make<unknown>, answers: Answers) {
    this.id = id;
    this.make = make;
    this.#answers = answers;
  }

  settle(outcome: unknown): void {
    this.outcome = outcome;
    this.#answers.sendKnown();
  }
}

/** The session that {@linkcode Answers} belong to. */
export interface AnswersSession {
  /** Makes the answer to a request, which may fail, and sends it. */
  sendAnswer(id: number, make: () => ServerRecord): void;
}

/** One session's answers: sent in the order of the requests, whichever is known first. */
export class Answers {
  readonly #owner: AnswersSession;
  readonly #slots = new Fifo<Slot>();
  #waiting: { length: number; resolve: () => void }[] = [];

  constructor(owner: AnswersSession) {
    this.#owner = owner;
  }

  /** How many requests have no answer yet. */
  get length(): number {
    return this.#slots.length;
  }

  /** Answers a request: at once, or after those before it. */
  add(id: number, make: () => ServerRecord): void {
    if (this.#slots.length === 0) return this.#owner.sendAnswer(id, make);
    this.addLater(id, make).settle(undefined);
  }

  /** Answers a request later. */
  addLater<T>(id: number, make: Make<T>): Answer<T> {
    const slot = new Slot(id, make as Make<unknown>, this);
    this.#slots.push(slot);
    return slot;
  }

  /** Fulfilled when at most so many requests have no answer. */
  async atMost(length: number): Promise<void> {
    if (this.#slots.length <= length) return;
    await new Promise<void>((resolve) => this.#waiting.push({ length, resolve }));
  }

  /** For answers: another one is known. */
  sendKnown(): void {
    for (let first; (first = this.#slots.at(0)) !== undefined && first.outcome !== UNKNOWN;) {
      this.#slots.shift();
      this.#sendOne(first);
    }
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(({ length, resolve }) => {
      if (this.#slots.length <= length) resolve();
      return this.#slots.length > length;
    });
  }

  #sendOne({ id, make, outcome }: Slot): void {
    this.#owner.sendAnswer(id, () => {
      if (outcome instanceof Error) throw outcome;
      return make(outcome, id);
    });
  }
}
