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
   * Takes tokens, also those that will only be there later: whoever comes next waits longer, so nobody is
   * overtaken.
   *
   * @returns how long to wait until they are there, in milliseconds
   */
  take(now: number, count = 1): number {
    this.#fill(now);
    this.#tokens -= count;
    return Math.max(Math.ceil(-this.#tokens / this.#perMs), 0);
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
