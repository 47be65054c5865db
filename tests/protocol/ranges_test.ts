import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { type Range, RangeSet } from "../../lib/protocol/ranges.ts";

const SPAN = 60;

/** What {@linkcode RangeSet} has to be the same as. */
class Model {
  readonly set = new Set<number>();

  add(first: number, last: number): void {
    for (const number of numbers(first, last)) this.set.add(number);
  }
  delete(first: number, last: number): void {
    for (const number of numbers(first, last)) this.set.delete(number);
  }
  deleteBelow(end: number): void {
    this.delete(0, end - 1);
  }
  clear(): void {
    this.set.clear();
  }
  /** The ranges of those between `first` and `last` that are in the set, or are not. */
  ranges(first: number, last: number, inside: boolean): Range[] {
    const ranges: [number, number][] = [];
    for (const number of numbers(first, last)) {
      if (this.set.has(number) !== inside) continue;
      const end = ranges.at(-1);
      if (end?.[1] === number - 1) end[1] = number;
      else ranges.push([number, number]);
    }
    return ranges;
  }
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, index) => first + index);
}

const range = fc.tuple(fc.nat(SPAN), fc.nat(12)).map(([first, length]) =>
  [first, Math.min(first + length, SPAN)] as const
);
const change = fc.oneof(
  { weight: 5, arbitrary: range.map((range) => ["add", ...range] as const) },
  { weight: 3, arbitrary: range.map((range) => ["delete", ...range] as const) },
  { weight: 1, arbitrary: fc.nat(SPAN).map((end) => ["deleteBelow", end] as const) },
);

Deno.test("RangeSet has what a set of numbers would have, as few ranges", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), range, (changes, asked) => {
      const ranges = new RangeSet();
      const model = new Model();
      for (const change of changes) {
        for (const set of [ranges, model]) {
          if (change[0] === "deleteBelow") set.deleteBelow(change[1]);
          else set[change[0]](change[1], change[2]);
        }
        const expected = model.ranges(0, SPAN, true);
        assertEquals(ranges.ranges, expected);
        assertEquals([ranges.size, ranges.first], [expected.length, expected[0]]);
        for (const number of numbers(0, SPAN)) {
          assertEquals(ranges.has(number), model.set.has(number));
        }
        assertEquals(ranges.missing(...asked), model.ranges(...asked, false));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("RangeSet.clear() leaves nothing", () => {
  const ranges = new RangeSet();
  ranges.add(3, 5);
  ranges.clear();
  assertEquals([ranges.ranges, ranges.first, ranges.has(4)], [[], undefined, false]);
  assertEquals(ranges.missing(3, 5), [[3, 5]]);
});
