import { assert, assertEquals } from "@std/assert";
import {
  BadLine,
  encodeJsonLine,
  MAX_JSON_LINE_BYTES,
  readJsonLines,
} from "../../lib/client/json_lines.ts";

const utf8 = new TextEncoder();

/** What is read of an input that comes in chunks of so many bytes. */
async function read(bytes: Uint8Array, size: number): Promise<string[]> {
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
  }
  const lines: string[] = [];
  for await (const line of readJsonLines(chunks())) {
    lines.push(line instanceof BadLine ? `bad: ${line.why}` : line);
  }
  return lines;
}

Deno.test("readJsonLines() goes on after a bad line, however the input is cut", async () => {
  const bytes = new Uint8Array([
    ...utf8.encode("one\n\n  \n"),
    0xe4,
    ...utf8.encode("\nzwölf\n"),
    0xff,
  ]);
  const bad = "bad: a line is not valid UTF-8";
  for (let size = 1; size <= bytes.length; size++) {
    assertEquals(await read(bytes, size), ["one", bad, "zwölf", bad]);
  }
});

Deno.test("readJsonLines() skips a line that is too long, to its end and no further", async () => {
  const long = "x".repeat(MAX_JSON_LINE_BYTES + 1);
  const bytes = utf8.encode(`one\n${long}\ntwo\n${long}${long}\n${"y".repeat(9)}`);
  const bad = `bad: a line is longer than ${MAX_JSON_LINE_BYTES} bytes`;
  for (const size of [1_000, 65_536, bytes.length]) {
    assertEquals(await read(bytes, size), ["one", bad, "two", bad, "yyyyyyyyy"]);
  }
});

Deno.test("encodeJsonLine() lets nothing out that a terminal obeys, and loses nothing", () => {
  const text = "\u001b[2J \u009b2J \u007f \u202e \u2028 \u{e0041} \u200d 世界 \ud800 \n";
  const line = encodeJsonLine({ text });
  assertEquals(JSON.parse(line), { text });
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\p{Cf}\p{Cs}]/u.test(line), line);
  assert(line.includes("世界"));
  assert(line.indexOf("\n") === line.length - 1);
});
