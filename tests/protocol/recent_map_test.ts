import { assertEquals } from "@std/assert";
import { RecentMap } from "../../lib/protocol/recent_map.ts";

Deno.test("RecentMap keeps as many of the last entries as it shall, and not many more", () => {
  const map = new RecentMap<number, string>(10);
  for (let key = 0; key < 1_000; key++) {
    map.set(key, "new");
    for (let last = Math.max(key - 9, 0); last <= key; last++) assertEquals(map.has(last), true);
    assertEquals(map.has(key - 20), false);
  }
  map.set(995, "changed");
  assertEquals([map.get(995), map.get(996), map.get(5)], ["changed", "new", undefined]);
  for (const key of [985, 995]) map.delete(key);
  assertEquals([map.has(985), map.has(995), map.has(996)], [false, false, true]);
  map.clear();
  assertEquals(map.has(996), false);
});
