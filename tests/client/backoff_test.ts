import { assertEquals } from "@std/assert";
import { Backoff } from "../../lib/client/backoff.ts";

Deno.test("Backoff.next() doubles up to half a minute, half of it at random", () => {
  for (const [random, factor] of [[0, 0.5], [1, 1]] as const) {
    const backoff = new Backoff(() => random);
    const waits = Array.from({ length: 8 }, () => backoff.next() / factor);
    assertEquals(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  }
});
