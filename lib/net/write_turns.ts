import { type Clock, systemClock } from "../clock.ts";
import { Fifo } from "../protocol/fifo.ts";

/** Smaller writes wait for nobody, in bytes. */
const LEAST_BYTES = 4_096;
/** When so many bytes are being written, other connections have the next turn. */
const TURN_BYTES = 500_000;

/** What waits to be written on a connection; that may become more or less. */
interface Unwritten {
  readonly bytes: number;
}

/**
 * Has large writes begin over several turns of the event loop. What is written in one turn is copied and encrypted there
 * and stays until it has gone to the system, in the next turn: for all receivers of a busy server at once that would be
 * more than the processor's cache holds, and the C library would keep the memory.
 */
export class WriteTurns {
  readonly #clock: Pick<Clock, "soon">;
  readonly #waiting = new Fifo<{ unwritten: Unwritten; resolve: () => void }>();
  /** How many bytes began to be written in this turn. */
  #begun = 0;

  constructor(clock: Pick<Clock, "soon"> = systemClock) {
    this.#clock = clock;
  }

  /** A promise of the turn in which a connection may write; undefined where that is now. */
  wait(unwritten: Unwritten): Promise<void> | undefined {
    if (unwritten.bytes < LEAST_BYTES) return undefined;
    if (this.#begun < TURN_BYTES) {
      this.#begin(unwritten);
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push({ unwritten, resolve }));
  }

  #begin({ bytes }: Unwritten): void {
    if (this.#begun === 0) this.#clock.soon(() => this.#turn());
    this.#begun += bytes;
  }

  #turn(): void {
    this.#begun = 0;
    while (this.#begun < TURN_BYTES && this.#waiting.length > 0) {
      const { unwritten, resolve } = this.#waiting.shift()!;
      this.#begin(unwritten);
      resolve();
    }
  }
}
