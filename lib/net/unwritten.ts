/** One connection's share of an {@linkcode UnwrittenBudget}. */
export interface UnwrittenShare {
  /** What waits on this connection, in bytes. */
  readonly bytes: number;
  /** So many bytes more wait; a negative number where they were written or dropped. */
  add(bytes: number): void;
}

/**
 * Counts what waits to be written, over all connections, in bytes. Where that is too much, the
 * connection with the most is ended first.
 */
export class UnwrittenBudget {
  readonly #maxBytes: number;
  readonly #waiting = new Set<Share>();
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
    return new Share(end, (share, bytes) => this.#add(share, bytes));
  }

  #add(share: Share, bytes: number): void {
    this.#bytes += bytes;
    if (share.bytes > 0) this.#waiting.add(share);
    else this.#waiting.delete(share);
    if (this.#bytes > this.#maxBytes) this.#worst()?.end();
  }

  #worst(): Share | undefined {
    let worst: Share | undefined;
    for (const share of this.#waiting) {
      if (share.bytes > (worst?.bytes ?? 0)) worst = share;
    }
    return worst;
  }
}

class Share implements UnwrittenShare {
  readonly end: () => void;
  readonly #added: (share: Share, bytes: number) => void;
  #bytes = 0;

  constructor(end: () => void, added: (share: Share, bytes: number) => void) {
    this.end = end;
    this.#added = added;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#added(this, bytes);
  }
}
