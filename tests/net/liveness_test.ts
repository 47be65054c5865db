import { assertEquals } from "@std/assert";
import { Liveness } from "../../lib/net/liveness.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

function watch() {
  const clock = new FakeClock();
  const events: string[] = [];
  const liveness = new Liveness(clock, {
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
  clock.advance(46_000);
  assertEquals(events, ["ping 15", "ping 30", "ping 45"]);
  liveness.resume();
  clock.advance(31_000);
  assertEquals(events.slice(3), ["ping 61", "dead 76"]);
});

Deno.test("Liveness says nothing after it was disposed of", () => {
  const { clock, events, liveness } = watch();
  liveness[Symbol.dispose]();
  clock.advance(100_000);
  assertEquals(events, []);
});
