/** The first wait, in milliseconds; each further one is twice as long. */
const FIRST_MS = 500;
/** The longest, in milliseconds. */
const LONGEST_MS = 30_000;

/**
 * How long to wait before each attempt to come back: longer and longer, so that a server which is not
 * there is left in peace, and the second half of each at random, so that not all come back at once.
 */
export class Backoff {
  readonly #random: () => number;
  #wait = FIRST_MS;

  /** @param random numbers from 0 to 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const wait = this.#wait * (0.5 + this.#random() / 2);
    this.#wait = Math.min(this.#wait * 2, LONGEST_MS);
    return wait;
  }
}
