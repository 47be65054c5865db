/**
 * A map that keeps what was added last: `size` entries at least, twice as many at most. (Taking the oldest entry
 * out of a `Map` at each addition costs more the larger the map is.)
 */
export class RecentMap<K, V> {
  readonly #size: number;
  #recent = new Map<K, V>();
  #before = new Map<K, V>();

  constructor(size: number) {
    this.#size = size;
  }

  /** Adds an entry, or changes one that is there. */
  set(key: K, value: V): void {
    if (this.#before.has(key) && !this.#recent.has(key)) {
      this.#before.set(key, value);
      return;
    }
    this.#recent.set(key, value);
    if (this.#recent.size < this.#size) return;
    this.#before = this.#recent;
    this.#recent = new Map();
  }

  get(key: K): V | undefined {
    return this.#recent.get(key) ?? this.#before.get(key);
  }

  has(key: K): boolean {
    return this.#recent.has(key) || this.#before.has(key);
  }

  delete(key: K): void {
    this.#recent.delete(key);
    this.#before.delete(key);
  }

  clear(): void {
    this.#recent.clear();
    this.#before.clear();
  }
}
