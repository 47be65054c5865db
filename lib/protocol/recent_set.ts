/** A set that keeps only what was added last. */
export class RecentSet<T> {
  readonly #size: number;
  readonly #items = new Set<T>();

  constructor(size: number) {
    this.#size = size;
  }

  add(item: T): void {
    this.#items.add(item);
    if (this.#items.size <= this.#size) return;
    const [oldest] = this.#items;
    this.#items.delete(oldest!);
  }

  has(item: T): boolean {
    return this.#items.has(item);
  }
}
