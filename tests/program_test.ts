import { assertEquals } from "@std/assert";
import { EndWish } from "../lib/program.ts";

Deno.test("EndWish.express() takes two signals at once for one", () => {
  const wish = new EndWish();
  assertEquals(
    [500, 501, 1_499, 1_500, 9_000].map((now) => wish.express(now)),
    ["first", "same", "same", "again", "again"],
  );
});
