import { assertEquals } from "@std/assert";
import type { Clock } from "../../lib/clock.ts";
import { Liveness } from "../../lib/net/liveness.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

function watch() {
  const clock = new FakeClock();
  const events: string[] = [];
  const liveness = new Liveness({ clock }, {
    ping: () => events.push(`ping ${clock.now() / 1_000}`),
    dead: () => events.push(`dead ${clock.now() / 1_000}`),
  });
  return { clock, events, liveness };
}

Deno.test("Liveness pings after 15 s of silence and gives up after 30", () => {
  const { clock, events } = watch();
  clock.advance(100_000);
  assertEquals(events, ["ping 15", "dead 30"]);
  assertEquals(clock.timers, 0);
});

Deno.test("Liveness gives up within seconds where there is somewhere else to go", () => {
  const { clock, events, liveness } = watch();
  clock.advance(3_000);
  liveness.impatient = true;
  clock.advance(2_000);
  liveness.heard();
  clock.advance(20_000);
  assertEquals(events, ["ping 4", "ping 9", "dead 13"]);
});

Deno.test("Liveness.heard() begins the silence anew", () => {
  const { clock, events, liveness } = watch();
  clock.advance(14_000);
  liveness.heard();
  clock.advance(14_000);
  assertEquals(events, []);
  clock.advance(1_000);
  liveness.heard();
  clock.advance(30_000);
  assertEquals(events, ["ping 29", "ping 44", "dead 59"]);
});

Deno.test("Liveness.pause() goes on pinging, and takes silence for nothing", () => {
  const { clock, events, liveness } = watch();
  liveness.pause();
  clock.advance(10_000);
  assertEquals(events, ["ping 3", "ping 6", "ping 9"]);
  liveness.resume();
  clock.advance(31_000);
  assertEquals(events.slice(3), ["ping 25", "dead 40"]);
});

Deno.test("Liveness takes no silence for the other side's while it was stopped itself", () => {
  const clock = new FakeClock();
  const events: string[] = [];
  let rings = 0;
  // A clock whose first alarm rings a minute late.
  const late: Clock = {
    now: () => clock.now(),
    date: () => clock.date(),
    soon: (action) => clock.soon(action),
    after: (ms, action) => clock.after(rings++ === 0 ? ms + 60_000 : ms, action),
  };
  using _liveness = new Liveness({ clock: late }, {
    ping: () => events.push(`ping ${clock.now() / 1_000}`),
    dead: () => events.push(`dead ${clock.now() / 1_000}`),
  });
  clock.advance(104_999);
  assertEquals(events, ["ping 90"]);
  clock.advance(1);
  assertEquals(events, ["ping 90", "dead 105"]);
});

Deno.test("Liveness says nothing after it was disposed of", () => {
  const { clock, events, liveness } = watch();
  liveness[Symbol.dispose]();
  clock.advance(100_000);
  assertEquals(events, []);
});
