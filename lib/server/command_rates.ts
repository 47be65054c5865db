import type { Clock } from "../clock.ts";
import { TokenBucket } from "../token_bucket.ts";

/** How often it is told what accounts have used, in milliseconds. */
const TELL_MS = 500;
/** So many accounts are looked through at least, to find some of whom nothing need be kept. */
const MANY = 1_000;

/** Options of {@linkcode CommandRates}. */
export interface CommandRatesOptions {
  clock: Clock;
  burst: number;
  perSecond: number;
}

/** How fast each account may command, all its sessions together. Coming back fills nothing. */
export class CommandRates {
  /**
   * Takes how many commands accounts have used here, if others have to know; undefined where there are no others.
   * Whoever is slow, and nowhere else, is not told of.
   */
  onUsed: ((used: ReadonlyMap<string, number>) => void) | undefined;
  /** Whether an account is active at other servers too. */
  isElsewhere: (account: string) => boolean = () => false;
  readonly #options: CommandRatesOptions;
  readonly #buckets = new Map<string, TokenBucket>();
  /** When there are so many, those that are full go. */
  #many = MANY;
  #used = new Map<string, number>();

  constructor(options: CommandRatesOptions) {
    this.#options = options;
  }

  /** Commands of an account are served. @returns how long to wait before, in milliseconds */
  take(account: string, count: number): number {
    if (this.onUsed !== undefined) this.#note(account, count);
    return this.#bucketOf(account).take(this.#options.clock.now(), count);
  }

  /** Other servers have served commands of the account. */
  takeElsewhere(account: string, count: number): void {
    this.#bucketOf(account).take(this.#options.clock.now(), count);
  }

  /** There is no such account any more. */
  forget(account: string): void {
    this.#buckets.delete(account);
  }

  #bucketOf(account: string): TokenBucket {
    const known = this.#buckets.get(account);
    if (known !== undefined) return known;
    const now = this.#options.clock.now();
    if (this.#buckets.size >= this.#many) {
      for (const [other, bucket] of this.#buckets) {
        if (bucket.isFull(now)) this.#buckets.delete(other);
      }
      this.#many = Math.max(MANY, 2 * this.#buckets.size);
    }
    const bucket = new TokenBucket(this.#options, now);
    this.#buckets.set(account, bucket);
    return bucket;
  }

  #note(account: string, count: number): void {
    if (this.#used.size === 0) this.#options.clock.after(TELL_MS, () => this.#tell());
    this.#used.set(account, (this.#used.get(account) ?? 0) + count);
  }

  #tell(): void {
    const { clock, burst } = this.#options;
    const now = clock.now();
    const used = [...this.#used].filter(([account]) =>
      this.isElsewhere(account) || this.#bucketOf(account).left(now) < burst / 2
    );
    this.#used.clear();
    if (used.length > 0) this.onUsed?.(new Map(used));
  }
}
