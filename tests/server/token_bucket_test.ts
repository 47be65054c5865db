import { assertEquals } from "@std/assert";
import { TokenBucket } from "../../lib/server/token_bucket.ts";

Deno.test("TokenBucket.take() lets a burst through, then so many a second", () => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 10 }, 0);
  assertEquals([0, 0, 0, 0].map((now) => bucket.take(now)), [0, 0, 0, 100]);
  assertEquals(bucket.take(50), 50);
  assertEquals(bucket.take(100), 0);
  assertEquals(bucket.take(100), 100);
  assertEquals([10_000, 10_000, 10_000].map((now) => bucket.take(now)), [0, 0, 0]);
  assertEquals(bucket.take(10_000), 100);
});
