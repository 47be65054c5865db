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
   * Takes a token if there is one.
   *
   * @returns how long to wait until there will be one, in milliseconds: 0 where it was taken
   */
  take(now: number): number {
    this.#fill(now);
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    return Math.ceil((1 - this.#tokens) / this.#perMs);
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
