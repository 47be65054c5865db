import { assertEquals } from "@std/assert";
import { WriteTurns } from "../../lib/net/write_turns.ts";

/** Turns of a loop that a test ends, and which connections began to write, by their names. */
function open() {
  let soon: (() => void)[] = [];
  const begun: string[] = [];
  const turns = new WriteTurns({ soon: (action) => soon.push(action) });
  return {
    begun,
    /** A connection wants to write. */
    write(name: string, bytes: number): { bytes: number } {
      const unwritten = { bytes };
      const turn = turns.wait(unwritten);
      if (turn === undefined) begun.push(name);
      else turn.then(() => begun.push(name));
      return unwritten;
    },
    /** Ends a turn. @returns whether somebody had asked for that */
    async end(): Promise<boolean> {
      const actions = soon;
      soon = [];
      for (const action of actions) action();
      await Promise.resolve();
      return actions.length > 0;
    },
  };
}

Deno.test("WriteTurns lets large writes begin in their order, in a turn so many bytes", async () => {
  const { begun, write, end } = open();
  for (let index = 0; index < 25; index++) write(`${index}`, 60_000);
  const first = begun.length;
  assertEquals(begun, Array.from({ length: first }, (_, index) => `${index}`));
  await end();
  write("late", 60_000);
  assertEquals(begun.length, 2 * first);
  while (await end());
  assertEquals(begun, [...Array.from({ length: 25 }, (_, index) => `${index}`), "late"]);
  // Nothing is left of earlier turns.
  write("next", 60_000);
  assertEquals(begun.at(-1), "next");
});

Deno.test("WriteTurns lets a small write begin at once, whoever waits", () => {
  const { begun, write } = open();
  for (const name of ["a", "b"]) write(name, 1_000_000);
  write("small", 100);
  assertEquals(begun, ["a", "small"]);
});

Deno.test("WriteTurns counts for a connection that waited what it has to write by then", async () => {
  const { begun, write, end } = open();
  write("a", 1_000_000);
  const [grows, ended] = [write("grows", 5_000), write("ended", 5_000)];
  write("b", 5_000);
  [grows.bytes, ended.bytes] = [1_000_000, 0];
  await end();
  assertEquals(begun, ["a", "grows"]);
  await end();
  assertEquals(begun, ["a", "grows", "ended", "b"]);
  assertEquals([await end(), await end()], [true, false]);
});
