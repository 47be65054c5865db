import type { FakeClock } from "./fake_clock.ts";

/** How bad a link is. Chances are from 0 to 1, times in milliseconds. */
export interface LinkOptions {
  loss: number;
  duplicate: number;
  delay: number;
  /** The most that is added to the delay, at random; what reorders packets. */
  jitter: number;
}

/** A pseudo-random generator (mulberry32): numbers from 0 to 1, the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Carries packets one way: loses, repeats, delays and reorders them. */
export class LossyLink<T> {
  readonly #clock: FakeClock;
  readonly #random: () => number;
  readonly #deliver: (packet: T) => void;
  options: LinkOptions;

  constructor(
    clock: FakeClock,
    options: LinkOptions & { random: () => number; deliver: (packet: T) => void },
  ) {
    this.#clock = clock;
    this.#random = options.random;
    this.#deliver = options.deliver;
    this.options = options;
  }

  send(packet: T): void {
    const { loss, duplicate, delay, jitter } = this.options;
    const copies = this.#random() < duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random() < loss) continue;
      this.#clock.after(delay + this.#random() * jitter, () => this.#deliver(packet));
    }
  }
}
