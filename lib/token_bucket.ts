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

  /** Takes tokens, if they are all there. Whether they were. */
  tryTake(now: number, count = 1): boolean {
    this.#fill(now);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /**
   * How long to wait until a token is there that nobody has taken, in milliseconds; 0 where there is
   * one.
   */
  wait(now: number): number {
    this.#fill(now);
    // To a microsecond: fractions of tokens never add up quite.
    const wait = Math.round((1 - this.#tokens) / this.#perMs * 1_000) / 1_000;
    return Math.max(Math.ceil(wait), 0);
  }

  /** Gives one back that was not used. */
  giveBack(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
  }

  /** How many tokens are there; negative where more were taken. */
  left(now: number): number {
    this.#fill(now);
    return this.#tokens;
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
