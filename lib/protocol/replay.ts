import { Pieces } from "./pieces.ts";

/** How far behind the highest number a packet may come and still be taken, in packets. */
const WINDOW = 1_024;

const windows = new Pieces(4_096);

/**
 * Tells new packet numbers from repeated ones: a sliding window over the highest numbers seen, as in
 * RFC 4303, section 3.4.3. A number is marked only after its packet authenticated.
 */
export class ReplayWindow {
  #highest = -1;
  /** Whether the number with this remainder, of those within the window, was seen: a bit each. */
  readonly #seen = windows.cut(WINDOW / 8);

  /** The highest number marked, or -1. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether `number` was not marked yet and is not too old to know. */
  isNew(number: number): boolean {
    if (number > this.#highest) return true;
    if (number <= this.#highest - WINDOW) return false;
    const place = number % WINDOW;
    return (this.#seen[place >>> 3]! & 1 << (place & 7)) === 0;
  }

  /** Marks `number`, which must be new. */
  mark(number: number): void {
    if (number > this.#highest) {
      if (number - this.#highest >= WINDOW) this.#seen.fill(0);
      else for (let n = this.#highest + 1; n < number; n++) this.#clear(n % WINDOW);
      this.#highest = number;
    }
    const place = number % WINDOW;
    this.#seen[place >>> 3]! |= 1 << (place & 7);
  }

  #clear(place: number): void {
    this.#seen[place >>> 3]! &= ~(1 << (place & 7));
  }
}
