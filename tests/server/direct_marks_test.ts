import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { DirectMarks, IDS } from "../../lib/server/direct_marks.ts";

Deno.test("DirectMarks knows how messages of the newest ids were acknowledged, and nothing of others", () => {
  // Some of them have the same place.
  const anId = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(3)).map(([id, times]) =>
    id + times * IDS
  );
  const someSteps = fc.array(fc.tuple(anId, fc.constantFrom("udp" as const, "tcp" as const)));
  fc.assert(fc.property(someSteps, fc.array(anId), (steps, asked) => {
    const marks = new DirectMarks();
    const model = new Map<number, "udp" | "tcp">();
    let newest = 0;
    for (const [id, via] of steps) {
      marks.set(id, via);
      newest = Math.max(newest, id);
      if (id > newest - IDS) model.set(id, via);
    }
    for (const id of [...asked, ...steps.map(([id]) => id)]) {
      assertEquals(marks.get(id), id > newest - IDS ? model.get(id) : undefined, `${id}`);
    }
  }));
});
