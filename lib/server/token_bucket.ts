/** Lets so many through at once, and so many a second in the long run. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #at: number;

  /** It begins full. `now` is in milliseconds from any beginning. */
  constructor(options: { burst: number; perSecond: number }, now: number) {
    this.#burst = this.#tokens = options.burst;
    this.#perMs = options.perSecond / 1_000;
    this.#at = now;
  }

  /**
   * Takes tokens if there are so many.
   *
   * @param count not more than there can be
   * @returns how long to wait until there will be, in milliseconds: 0 where they were taken
   */
  take(now: number, count = 1): number {
    this.#fill(now);
    if (this.#tokens >= count) {
      this.#tokens -= count;
      return 0;
    }
    return Math.ceil((count - this.#tokens) / this.#perMs);
  }

  /** Whether nothing was taken that has not come back. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens === this.#burst;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
