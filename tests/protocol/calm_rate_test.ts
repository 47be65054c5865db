import { assert } from "@std/assert";
import { CalmRate } from "../../lib/protocol/calm_rate.ts";

const RATE = { burst: 2, perSecond: 1_000 };

Deno.test("CalmRate.tryTake() lets so many packets through, all sessions together", () => {
  const rate = new CalmRate(0, RATE);
  assert(rate.tryTake(0) && rate.tryTake(0) && !rate.tryTake(0));
  assert(rate.tryTake(1) && !rate.tryTake(1));
});

Deno.test("CalmRate.late() has a server that was late send over TCP for ten times as long", () => {
  const rate = new CalmRate(0, RATE);
  rate.late(100, 20);
  rate.late(110, 6);
  assert(!rate.tryTake(299) && rate.tryTake(300));
});

Deno.test("CalmRate.late() does not take a server that was stopped for busy for long", () => {
  const rate = new CalmRate(0, RATE);
  rate.late(60_000, 60_000);
  assert(!rate.tryTake(61_000) && rate.tryTake(65_000));
});
