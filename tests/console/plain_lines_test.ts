import { assertEquals, assertRejects } from "@std/assert";
import { Readable } from "node:stream";
import { PlainLines } from "../../lib/console/plain_lines.ts";
import { ExitError } from "../../lib/exit.ts";

async function read(...chunks: Uint8Array[]): Promise<(string | undefined)[]> {
  using source = new PlainLines(Readable.from(chunks));
  const lines = [];
  for (let line; (line = await source.read()) !== undefined;) lines.push(line);
  return [...lines, await source.read()];
}

const utf8 = new TextEncoder();

Deno.test("PlainLines.read() gives each line, then undefined for ever", async () => {
  assertEquals(await read(utf8.encode("one\r\n\ntwo\nlast")), [
    "one",
    "",
    "two",
    "last",
    undefined,
  ]);
  assertEquals(await read(), [undefined]);
});

Deno.test("PlainLines.read() puts characters together that came in pieces", async () => {
  const bytes = utf8.encode("世界\n");
  assertEquals(await read(...[...bytes].map((byte) => Uint8Array.of(byte))), ["世界", undefined]);
});

Deno.test("PlainLines.read() takes no byte order mark for a part of the first line", async () => {
  assertEquals(await read(utf8.encode("\ufeffgeheim\r\n\ufeffx\n")), [
    "geheim",
    "\ufeffx",
    undefined,
  ]);
});

Deno.test("PlainLines.read() refuses a line that no message could be", async () => {
  await assertRejects(() => read(new Uint8Array(20_000)), ExitError, "longer than 17408 bytes");
});
