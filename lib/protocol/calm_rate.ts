import { TokenBucket } from "../token_bucket.ts";

/**
 * At once, so that their acknowledgements fit into the buffer of the server's socket; and a second, since a
 * packet with its acknowledgement costs three times what a small write over TCP does.
 */
const RATE = { burst: 256, perSecond: 6_000 };
/** A server that was late sends over TCP for so many times as long. */
const CALM_AFTER = 10;
/** But no longer than this, in milliseconds: one that was stopped is not busy. */
const LONGEST_CALM_MS = 5_000;

/** How many new data packets all sessions of a server send together; what is more goes over TCP. */
export class CalmRate {
  readonly #bucket: TokenBucket;
  #calmAt = -Infinity;

  /** `now` is in milliseconds from any beginning. */
  constructor(now: number, rate = RATE) {
    this.#bucket = new TokenBucket(rate, now);
  }

  /** Whether another packet may go now. */
  tryTake(now: number): boolean {
    return now >= this.#calmAt && this.#bucket.tryTake(now);
  }

  /** The server was late by so many milliseconds: it has much to do. */
  late(now: number, ms: number): void {
    this.#calmAt = Math.max(this.#calmAt, now + Math.min(CALM_AFTER * ms, LONGEST_CALM_MS));
  }
}
