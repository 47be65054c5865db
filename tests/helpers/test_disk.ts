/** A disk that a test slows down, or breaks. */
export class TestDisk {
  /** Whether the test says when a sync is done; it is at once where not. */
  slow = true;
  readonly #syncs: PromiseWithResolvers<void>[] = [];
  #begun = Promise.withResolvers<void>();

  readonly sync = (): Promise<void> => {
    if (!this.slow) return Promise.resolve();
    const sync = Promise.withResolvers<void>();
    this.#syncs.push(sync);
    this.#begun.resolve();
    return sync.promise;
  };

  /** The next sync that is begun, perhaps already. */
  async next(): Promise<PromiseWithResolvers<void>> {
    while (this.#syncs.length === 0) {
      this.#begun = Promise.withResolvers();
      await this.#begun.promise;
    }
    return this.#syncs.shift()!;
  }
}
