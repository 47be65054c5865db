import { assertEquals } from "@std/assert";
import { RecentRate, RecentTimes } from "../../lib/server/recent_rate.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

Deno.test("RecentRate is an average over a minute, or since the start", () => {
  const clock = new FakeClock();
  const rate = new RecentRate(clock);
  rate.add(10);
  assertEquals(rate.perSecond, 10);
  clock.advance(10_000);
  rate.add(10);
  assertEquals(rate.perSecond, 2);
  clock.advance(50_000);
  assertEquals(rate.perSecond, 10 / 60);
  clock.advance(10_000);
  assertEquals(rate.perSecond, 0);
  clock.advance(3_600_000);
  rate.add(60);
  assertEquals(rate.perSecond, 1);
});

Deno.test("RecentTimes are those of the last minute", () => {
  const clock = new FakeClock();
  const times = new RecentTimes(clock);
  assertEquals([times.mean, times.longest], [0, 0]);
  times.add(9);
  clock.advance(30_000);
  times.add(1);
  times.add(2);
  assertEquals([times.mean, times.longest], [4, 9]);
  clock.advance(30_000);
  assertEquals([times.mean, times.longest], [1.5, 2]);
});
