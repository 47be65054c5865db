import { assertEquals } from "@std/assert";
import { TokenBucket } from "../lib/token_bucket.ts";

Deno.test("TokenBucket.take() lets a burst through, then so many a second, each in its turn", () => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 10 }, 0);
  assertEquals([0, 0, 0, 0].map((now) => bucket.take(now)), [0, 0, 0, 100]);
  // What is taken in advance is paid for first.
  assertEquals(bucket.take(50), 150);
  assertEquals(bucket.take(200, 10), 1_000);
  assertEquals(bucket.take(200), 1_100);
  assertEquals(bucket.isFull(1_300), false);
  assertEquals(bucket.isFull(1_600), true);
  assertEquals([10_000, 10_000, 10_000].map((now) => bucket.take(now)), [0, 0, 0]);
  assertEquals(bucket.take(10_000), 100);
});

Deno.test("TokenBucket.wait() takes nothing, and what is given back may be taken again", () => {
  const bucket = new TokenBucket({ burst: 2, perSecond: 10 }, 0);
  assertEquals([0, 0].map((now) => [bucket.wait(now), bucket.take(now)]), [[0, 0], [0, 0]]);
  assertEquals([bucket.wait(0), bucket.wait(40), bucket.wait(100)], [100, 60, 0]);
  bucket.giveBack();
  assertEquals([bucket.take(100), bucket.take(100), bucket.wait(100)], [0, 0, 100]);
});
