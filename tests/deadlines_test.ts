import { assertEquals } from "@std/assert";
import { Deadlines } from "../lib/deadlines.ts";
import { FakeClock } from "./helpers/fake_clock.ts";

function open() {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock, 2);
  const rung: [name: string, at: number, late: number][] = [];
  const timed = (name: string, then = () => {}) => ({
    timeOut: (late: number) => {
      rung.push([name, clock.now(), late]);
      then();
    },
  });
  return { clock, deadlines, rung, timed };
}

Deno.test("Deadlines.set() calls each once, at its last deadline, with one timer for all", () => {
  const { clock, deadlines, rung, timed } = open();
  const [ann, joe, renew] = [timed("ann"), timed("joe"), timed("renew")];
  deadlines.set(ann, 100);
  deadlines.set(joe, 50);
  deadlines.set(ann, 70);
  deadlines.set(renew, 60);
  deadlines.set(renew, undefined);
  assertEquals(clock.timers, 1);
  clock.advance(200);
  assertEquals(rung, [["joe", 50, 0], ["ann", 70, 0]]);
  assertEquals(clock.timers, 0);
  deadlines.set(ann, 300);
  assertEquals(clock.timers, 1);
  deadlines.set(ann, undefined);
  assertEquals(clock.timers, 0);
});

Deno.test("Deadlines meets those together that are close together", () => {
  const { clock, deadlines, rung, timed } = open();
  for (const [index, name] of ["a", "b", "c", "d"].entries()) {
    deadlines.set(timed(name), 10 + index / 2);
  }
  clock.advance(20);
  assertEquals(rung, [["a", 10, 0], ["b", 12, 1.5], ["c", 12, 1], ["d", 12, 0.5]]);
});

Deno.test("Deadlines tells how late it is, and is not late at what was over when it was set", () => {
  const { clock, deadlines, rung, timed } = open();
  clock.advance(1_000);
  deadlines.set(timed("over"), 900);
  clock.advance(1);
  deadlines.set(timed("slept"), 1_100);
  clock.sleep(200);
  // The timer should have rung at 1,100.
  deadlines.set(timed("since"), 1_050);
  clock.advance(0);
  const late = clock.now() - 1_100;
  assertEquals(rung.map(([name, , late]) => [name, late]), [["over", 1], ["slept", late], [
    "since",
    late,
  ]]);
});

Deno.test("Deadlines calls nobody whose deadline another one has taken back in the same turn", () => {
  const { clock, deadlines, rung, timed } = open();
  const joe = timed("joe");
  deadlines.set(timed("ann", () => deadlines.set(joe, undefined)), 10);
  deadlines.set(joe, 10);
  clock.advance(100);
  assertEquals(rung.map(([name]) => name), ["ann"]);
});

Deno.test("Deadlines tells each how late it is, also by what those before it have taken", () => {
  const { clock, deadlines, rung, timed } = open();
  deadlines.set(timed("ann", () => clock.sleep(10)), 50);
  deadlines.set(timed("joe", () => clock.sleep(10)), 50);
  deadlines.set(timed("renew"), 50);
  clock.advance(100);
  assertEquals(rung, [["ann", 50, 0], ["joe", 60, 10], ["renew", 70, 20]]);
});
