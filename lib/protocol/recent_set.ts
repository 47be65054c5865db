import { RecentMap } from "./recent_map.ts";

/** A set that keeps what was added last: `size` items at least, twice as many at most. */
export class RecentSet<T> {
  readonly #items: RecentMap<T, true>;

  constructor(size: number) {
    this.#items = new RecentMap(size);
  }

  add(item: T): void {
    this.#items.set(item, true);
  }

  has(item: T): boolean {
    return this.#items.has(item);
  }

  delete(item: T): void {
    this.#items.delete(item);
  }

  clear(): void {
    this.#items.clear();
  }
}
