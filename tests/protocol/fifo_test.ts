import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { Fifo } from "../../lib/protocol/fifo.ts";

Deno.test("Fifo behaves like an array whose front is shifted", () => {
  const steps = fc.array(fc.oneof(fc.nat(), fc.constant("shift"), fc.constant("drain")), {
    size: "large",
  });
  fc.assert(fc.property(steps, (steps) => {
    const fifo = new Fifo<number>();
    const model: number[] = [];
    for (const step of steps) {
      if (typeof step === "number") {
        fifo.push(step);
        model.push(step);
      } else if (step === "shift") assertEquals(fifo.shift(), model.shift());
      else assertEquals(fifo.drain(), model.splice(0));
      assertEquals(fifo.length, model.length);
      assertEquals([fifo.at(0), fifo.at(2)], [model[0], model[2]]);
    }
  }));
});
