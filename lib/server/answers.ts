import { Fifo } from "../protocol/fifo.ts";
import type { ServerRecord } from "../protocol/records.ts";

/** An answer that may not be known yet. */
interface Slot {
  /** The request's id. */
  id: number;
  /** Makes it, when its turn has come; undefined as long as it can't be made. */
  make: (() => ServerRecord) | undefined;
}

/** One session's answers: sent in the order of the requests, whichever is known first. */
export class Answers {
  readonly #send: (id: number, make: () => ServerRecord) => void;
  readonly #slots = new Fifo<Slot>();
  #waiting: { length: number; resolve: () => void }[] = [];

  /** @param send makes the answer to a request, which may fail, and sends it */
  constructor(send: (id: number, make: () => ServerRecord) => void) {
    this.#send = send;
  }

  /** How many requests have no answer yet. */
  get length(): number {
    return this.#slots.length;
  }

  /** Answers a request: at once, or after those before it. */
  add(id: number, make: () => ServerRecord): void {
    if (this.#slots.length === 0) return this.#send(id, make);
    this.#slots.push({ id, make });
  }

  /**
   * Answers a request later.
   *
   * @returns takes what the answer is made of, or why the request is refused
   */
  addLater<T>(id: number, make: (value: T) => ServerRecord): (outcome: T | Error) => void {
    const slot: Slot = { id, make: undefined };
    this.#slots.push(slot);
    return (outcome) =>
      this.#fill(slot, () => {
        if (outcome instanceof Error) throw outcome;
        return make(outcome);
      });
  }

  /** Fulfilled when at most so many requests have no answer. */
  async atMost(length: number): Promise<void> {
    if (this.#slots.length <= length) return;
    await new Promise<void>((resolve) => this.#waiting.push({ length, resolve }));
  }

  #fill(slot: Slot, make: () => ServerRecord): void {
    slot.make = make;
    for (let first = this.#slots.at(0); first?.make !== undefined; first = this.#slots.at(0)) {
      this.#slots.shift();
      this.#send(first.id, first.make);
    }
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(({ length, resolve }) => {
      if (this.#slots.length <= length) resolve();
      return this.#slots.length > length;
    });
  }
}
