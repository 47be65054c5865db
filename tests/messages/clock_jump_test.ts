import { assertEquals } from "@std/assert";
import { AgeClock, newestTimes } from "../../lib/messages/clock_jump.ts";
import { pub, TestStore } from "../helpers/test_store.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A server that starts on a log whose messages were sent at these times, as the wall clock had them. */
function start(error: number, ...sent: readonly number[]) {
  const store = new TestStore();
  const { clock, database } = store;
  for (const time of sent) {
    clock.error = time;
    store.append(pub("joe", "x"));
    clock.endTurn();
  }
  clock.error = error;
  const events: string[] = [];
  const age = new AgeClock(clock, newestTimes(database), (event) => events.push(event));
  /** How far the time by which things are old is from the right one. */
  const off = () => age.date().getTime() - (clock.date().getTime() - clock.error);
  return { clock, events, off, close: () => database[Symbol.dispose]() };
}

Deno.test("AgeClock does not believe a clock that is far ahead of the newest message, for an hour", () => {
  const { clock, events, off, close } = start(31 * DAY_MS, -DAY_MS, -2 * HOUR_MS);
  assertEquals(off(), -2 * HOUR_MS);
  clock.advance(HOUR_MS - 1);
  assertEquals(off(), -2 * HOUR_MS);
  clock.advance(1);
  assertEquals(off(), 31 * DAY_MS);
  clock.advance(HOUR_MS);
  assertEquals(off(), 31 * DAY_MS);
  assertEquals(events, [
    "the clock is 31 days ahead of the messages stored before: if it is wrong, stop the server; " +
    "nothing gets old for an hour",
  ]);
  close();
});

Deno.test("AgeClock is not deceived by what was sent since the clock is wrong", () => {
  const { off, events, close } = start(
    31 * DAY_MS,
    -2 * HOUR_MS,
    31 * DAY_MS - 10 * MINUTE_MS,
  );
  assertEquals([off(), events.length], [-2 * HOUR_MS, 1]);
  close();
  // The clock is right again.
  const right = start(MINUTE_MS, -2 * HOUR_MS, 31 * DAY_MS);
  assertEquals(right.off(), MINUTE_MS);
  assertEquals(right.events, ["the clock is 31 days behind the newest message: is it right?"]);
  right.close();
});

Deno.test("AgeClock says nothing of a quiet day, an empty log, or a clock that is set right", () => {
  for (const { clock, events, off, close } of [start(0), start(0, -DAY_MS)]) {
    assertEquals(off(), 0);
    clock.advance(40 * DAY_MS);
    clock.error = -MINUTE_MS;
    assertEquals(off(), -MINUTE_MS);
    assertEquals(events, []);
    close();
  }
});

Deno.test("AgeClock sees a jump of a clock that runs, ahead and back", () => {
  const { clock, events, off, close } = start(0, -HOUR_MS);
  clock.error = 2 * DAY_MS;
  clock.advance(MINUTE_MS);
  assertEquals(off(), 0);
  clock.error = 0;
  assertEquals(off(), 0);
  clock.error = -2 * HOUR_MS;
  assertEquals(off(), -2 * HOUR_MS);
  assertEquals(events, [
    "the clock has jumped 2 days ahead: if it is wrong, stop the server; nothing gets old for an hour",
    "the clock has been set right",
    "the clock has gone back by 2 hours",
  ]);
  close();
});
