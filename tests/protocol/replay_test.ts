import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { ReplayWindow } from "../../lib/protocol/replay.ts";

Deno.test("ReplayWindow.isNew() is true once for each number in the window, like a set", () => {
  const near = fc.nat(3_000);
  const far = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(fc.array(fc.oneof(near, near, near, far), { maxLength: 300 }), (numbers) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const number of numbers) {
        const isNew = !seen.has(number) && number > highest - 1_024;
        assertEquals(window.isNew(number), isNew);
        if (!isNew) continue;
        window.mark(number);
        seen.add(number);
        highest = Math.max(highest, number);
        assertEquals(window.highest, highest);
      }
    }),
  );
});

Deno.test("ReplayWindow.isNew() forgets nothing when the window moves by its whole width", () => {
  const window = new ReplayWindow();
  window.mark(0);
  window.mark(1_024);
  assertEquals(window.isNew(0), false);
  assertEquals(window.isNew(1), true);
  assertEquals(window.isNew(1_024), false);
});

Deno.test("ReplayWindow.isNew() takes nothing for seen after a jump over the whole window", () => {
  const window = new ReplayWindow();
  window.mark(1);
  window.mark(5_000);
  // The same remainder as 1, and within the window.
  assertEquals(window.isNew(1 + 4 * 1_024), true);
});
