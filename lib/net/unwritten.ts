/** One connection's share of an {@linkcode UnwrittenBudget}. */
export interface UnwrittenShare {
  /** What waits on this connection, in bytes. */
  readonly bytes: number;
  /** So many bytes more may well wait at present, at least 0. */
  readonly writableBytes: number;
  /** So many bytes more wait; a negative number where they were written or dropped. */
  add(bytes: number): void;
  /** The connection has ended: nothing waits any more. Closing twice is fine. */
  close(): void;
}

/** On one connection at most so much waits by choice, in bytes: large writes cost least, and this fits into a write buffer. */
const HIGH_WATER_BYTES = 61_440;

/**
 * Counts what waits to be written, over all connections, in bytes. Where that is too much, the
 * connection with the most is ended first.
 */
export class UnwrittenBudget {
  readonly #maxBytes: number;
  readonly #open = new Set<Share>();
  #bytes = 0;

  /** @param maxBytes what may wait at most. @default no limit */
  constructor(maxBytes = Infinity) {
    this.#maxBytes = maxBytes;
  }

  /** What waits on all connections. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param end ends the connection at once, and takes what waits on it off its share */
  open(end: () => void): UnwrittenShare {
    const share = new Share(this, end);
    this.#open.add(share);
    return share;
  }

  /** For shares: half of what may wait is for what connections take by choice, each its part. */
  get highWater(): number {
    return Math.min(HIGH_WATER_BYTES, this.#maxBytes / 2 / this.#open.size);
  }

  /** For shares: so many bytes more wait on one of them. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) this.#worst()?.end();
  }

  /** For shares: one has nothing that waits, and never will. */
  delete(share: UnwrittenShare): void {
    this.#open.delete(share as Share);
  }

  #worst(): Share | undefined {
    let worst: Share | undefined;
    for (const share of this.#open) {
      if (share.bytes > (worst?.bytes ?? 0)) worst = share;
    }
    return worst;
  }
}

class Share implements UnwrittenShare {
  readonly #budget: UnwrittenBudget;
  readonly end: () => void;
  #bytes = 0;

  constructor(budget: UnwrittenBudget, end: () => void) {
    this.#budget = budget;
    this.end = end;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get writableBytes(): number {
    return Math.max(this.#budget.highWater - this.#bytes, 0);
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.add(bytes);
  }

  close(): void {
    this.add(-this.#bytes);
    this.#budget.delete(this);
  }
}
