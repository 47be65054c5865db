import { assertEquals } from "@std/assert";
import { UnwrittenBudget, type UnwrittenShare } from "../../lib/net/unwritten.ts";

/** Shares of a budget, and which of them were ended. */
function shares(budget: UnwrittenBudget, names: string) {
  const ended: string[] = [];
  const opened = Object.fromEntries([...names].map((name) => {
    const share: UnwrittenShare = budget.open(() => {
      ended.push(name);
      share.add(-share.bytes);
    });
    return [name, share];
  }));
  return { ended, ...opened } as { ended: string[] } & Record<"a" | "b" | "c", UnwrittenShare>;
}

Deno.test("UnwrittenBudget ends whoever lets most wait, when it is too much in all", () => {
  const budget = new UnwrittenBudget(100);
  const { a, b, c, ended } = shares(budget, "abc");
  a.add(40);
  b.add(50);
  c.add(10);
  assertEquals([budget.bytes, ended], [100, []]);
  c.add(1);
  assertEquals([budget.bytes, ended], [51, ["b"]]);
  a.add(60);
  assertEquals([budget.bytes, a.bytes, ended], [11, 0, ["b", "a"]]);
});

Deno.test("UnwrittenBudget gives each connection its part of half of what may wait", () => {
  const budget = new UnwrittenBudget(1_000_000);
  const first = budget.open(() => {});
  assertEquals(first.writableBytes, 61_440);
  const others = Array.from({ length: 9 }, () => budget.open(() => {}));
  assertEquals(first.writableBytes, 50_000);
  first.add(20_000);
  assertEquals([first.writableBytes, others[0]!.writableBytes], [30_000, 50_000]);
  first.add(40_000);
  assertEquals(first.writableBytes, 0);
  first.close();
  for (const other of others) other.close();
  assertEquals([budget.bytes, budget.open(() => {}).writableBytes], [0, 61_440]);
});

Deno.test("UnwrittenBudget takes more again when others have written", () => {
  const budget = new UnwrittenBudget(100);
  const { a, b, ended } = shares(budget, "ab");
  a.add(100);
  a.add(-100);
  b.add(100);
  assertEquals([budget.bytes, ended], [100, []]);
});
