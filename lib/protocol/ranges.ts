/** Integers from `first` to `last`, both included. */
export type Range = readonly [first: number, last: number];

/** What sets have that are empty, as nearly all are nearly always. */
const NONE: [number, number][] = [];

/** A set of integers, kept as ranges: ascending, with a gap before each. */
export class RangeSet {
  #ranges: [first: number, last: number][] = NONE;

  /** How many ranges there are. */
  get size(): number {
    return this.#ranges.length;
  }

  /** The ranges, ascending. Not to be used any more after the set has changed. */
  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  has(number: number): boolean {
    const range = this.#ranges[this.#find(number)];
    return range !== undefined && range[0] <= number;
  }

  /** The first range, or undefined where the set is empty. */
  get first(): Range | undefined {
    return this.#ranges[0];
  }

  /** Adds every integer of a range. */
  add(first: number, last: number): void {
    const end = this.#ranges.at(-1);
    // What comes in order, as nearly all does, is added at the end.
    if (end === undefined) return void (this.#ranges = [[first, last]]);
    if (first > end[1] + 1) return void this.#ranges.push([first, last]);
    if (first === end[1] + 1) return void (end[1] = last);
    const from = this.#find(first - 1);
    let to = from;
    while (to < this.#ranges.length && this.#ranges[to]![0] <= last + 1) {
      const [itsFirst, itsLast] = this.#ranges[to++]!;
      first = Math.min(first, itsFirst);
      last = Math.max(last, itsLast);
    }
    this.#ranges.splice(from, to - from, [first, last]);
  }

  /** Takes every integer of a range out. */
  delete(first: number, last: number): void {
    const from = this.#find(first);
    const left: [number, number][] = [];
    let to = from;
    while (to < this.#ranges.length && this.#ranges[to]![0] <= last) {
      const [itsFirst, itsLast] = this.#ranges[to++]!;
      if (itsFirst < first) left.push([itsFirst, first - 1]);
      if (itsLast > last) left.push([last + 1, itsLast]);
    }
    if (to > from) this.#ranges.splice(from, to - from, ...left);
  }

  /** Takes every integer below `end` out. */
  deleteBelow(end: number): void {
    if (this.#ranges.length > 0 && this.#ranges[0]![0] < end) this.delete(-Infinity, end - 1);
  }

  /** Takes everything out. */
  clear(): void {
    this.#ranges = NONE;
  }

  /** What of a range is not in the set, ascending. */
  missing(first: number, last: number): Range[] {
    const missing: Range[] = [];
    for (let index = this.#find(first); first <= last; index++) {
      const range = this.#ranges[index];
      if (range === undefined || range[0] > last) {
        missing.push([first, last]);
        break;
      }
      if (range[0] > first) missing.push([first, range[0] - 1]);
      first = range[1] + 1;
    }
    return missing;
  }

  /** The index of the first range that ends at `number` or above it. */
  #find(number: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]![1] < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
