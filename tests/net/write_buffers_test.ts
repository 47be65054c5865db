import { assert, assertEquals } from "@std/assert";
import { WriteBuffers } from "../../lib/net/write_buffers.ts";

Deno.test("WriteBuffers gives a buffer again, and to nobody else before", () => {
  const buffers = new WriteBuffers();
  const first = buffers.take(50_000);
  const second = buffers.take(50_000);
  first.fill(1);
  second.fill(2);
  assertEquals([first.at(-1), second[0]], [1, 2]);
  buffers.give(first);
  assert(buffers.take(2_000) === first);
  assert(buffers.take(2_000) !== first);
});

Deno.test("WriteBuffers makes an array for what is too small or too large, and where all are in use", () => {
  const buffers = new WriteBuffers();
  for (const bytes of [0, 100, 100_000]) {
    const own = buffers.take(bytes);
    assertEquals(own.length, bytes);
    buffers.give(own);
  }
  const taken = new Set(Array.from({ length: 600 }, () => buffers.take(3_000)));
  assertEquals(taken.size, 600);
  const memory = new Set([...taken].map(({ buffer }) => buffer));
  assertEquals([...taken].filter(({ length }) => length === 3_000).length, memory.size - 1);
});

Deno.test("WriteBuffers gives the same memory again while nothing else wants it", () => {
  const buffers = new WriteBuffers();
  const [first, second] = [buffers.take(2_000), buffers.take(2_000)];
  buffers.give(first);
  buffers.give(second);
  assert(buffers.take(2_000) === second);
});
