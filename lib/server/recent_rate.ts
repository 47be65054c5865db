import type { Clock } from "../clock.ts";

/** So many seconds are looked back. */
const SECONDS = 60;

/** How often something has happened in the last minute. */
export class RecentRate {
  readonly #clock: Clock;
  readonly #began: number;
  /** What each second of the last minute counted, by its number modulo 60. */
  readonly #counts = new Array<number>(SECONDS).fill(0);
  /** The second that was counted last. */
  #second: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now();
    this.#second = this.#now();
  }

  add(count: number): void {
    this.#forget();
    this.#counts[this.#second % SECONDS]! += count;
  }

  /** In a second, on average over the last minute, or since the start. */
  get perSecond(): number {
    this.#forget();
    const seconds = Math.min(Math.max((this.#clock.now() - this.#began) / 1_000, 1), SECONDS);
    return this.#counts.reduce((sum, count) => sum + count) / seconds;
  }

  /** Seconds in which nothing was counted count nothing. */
  #forget(): void {
    const now = this.#now();
    const passed = Math.min(now - this.#second, SECONDS);
    for (let i = 1; i <= passed; i++) this.#counts[(this.#second + i) % SECONDS] = 0;
    this.#second = Math.max(now, this.#second);
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1_000);
  }
}
