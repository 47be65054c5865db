/** A set that keeps only what was added last. */
export class RecentSet {
  readonly #size: number;
  readonly #items = new Set<string>();

  constructor(size: number) {
    this.#size = size;
  }

  add(item: string): void {
    this.#items.add(item);
    if (this.#items.size <= this.#size) return;
    const [oldest] = this.#items;
    this.#items.delete(oldest!);
  }

  has(item: string): boolean {
    return this.#items.has(item);
  }
}
