import { assertEquals } from "@std/assert";
import { Alarm, Countdown } from "../lib/clock.ts";
import { FakeClock } from "./helpers/fake_clock.ts";

Deno.test("Alarm.set() rings once, at the last deadline set", () => {
  const clock = new FakeClock();
  const rung: number[] = [];
  const alarm = new Alarm(clock, () => rung.push(clock.now()));
  alarm.set(100);
  alarm.set(50);
  alarm.set(70);
  clock.advance(200);
  alarm.set(10);
  clock.advance(200);
  alarm.set(500);
  alarm.set(undefined);
  clock.advance(200);
  assertEquals(rung, [70, 201]);
  assertEquals(clock.timers, 0);
});

Deno.test("Alarm tells how late it rings, and is not late at what was over when it was set", () => {
  const clock = new FakeClock();
  const late: number[] = [];
  const alarm = new Alarm(clock, (ms) => late.push(ms));
  clock.advance(1_000);
  alarm.set(900);
  clock.advance(1);
  alarm.set(1_500);
  alarm.set(900);
  clock.advance(1);
  // It should have rung at 1,100, and is set again before it does.
  alarm.set(1_100);
  clock.sleep(200);
  alarm.set(1_050);
  clock.advance(0);
  assertEquals(late, [1, 1, clock.now() - 1_100]);
});

Deno.test("Countdown does not count the time in which it stands still", () => {
  const clock = new FakeClock();
  const rung: number[] = [];
  const countdown = new Countdown(clock, 100, () => rung.push(clock.now()));
  clock.advance(60);
  countdown.pause();
  clock.advance(1_000);
  countdown.pause();
  countdown.resume();
  countdown.resume();
  clock.advance(39);
  assertEquals(rung, []);
  clock.advance(1);
  assertEquals(rung, [1_100]);
});

Deno.test("Countdown never rings once it was disposed of", () => {
  const clock = new FakeClock();
  const countdown = new Countdown(clock, 100, () => {
    throw new Error("it rang");
  });
  countdown[Symbol.dispose]();
  countdown.pause();
  countdown.resume();
  clock.advance(1_000);
});
