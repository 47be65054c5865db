import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { MAX_LINE_BYTES, MAX_RUN_BYTES, MAX_TEXT_BYTES } from "../../lib/protocol/limits.ts";
import { encodeMessage, encodeRecord } from "../../lib/protocol/records.ts";
import { parseText } from "../../lib/protocol/text.ts";

Deno.test("parseText() gives the text as it is", () => {
  for (const text of ["Hello", " two  spaces ", "a\nb\tc", "世界 🎉", "x".repeat(MAX_TEXT_BYTES)]) {
    assertEquals(parseText(text), text);
  }
});

Deno.test("parseText() refuses, and says why", () => {
  const wrong = {
    "": "empty",
    " \n\t ": "empty",
    "a\u0000": "control character",
    "a\u001b[2J": "control character",
    "a\r\nb": "control character",
    "a\u007f": "control character",
    "a\u009b": "control character",
    "a\ud800": "not valid Unicode",
    ["€".repeat(MAX_TEXT_BYTES / 3 + 1)]: `at most ${MAX_TEXT_BYTES}`,
  };
  for (const [text, problem] of Object.entries(wrong)) {
    const error = assertThrows(() => parseText(text), ProtocolError, problem);
    assertEquals(error.code, "bad-text");
  }
});

Deno.test("parseText() lets through only what fits into a line and a run, however it is escaped", () => {
  const worst = parseText(`x${"\n".repeat(MAX_TEXT_BYTES - 2)}x`);
  const name = "𝒳".repeat(32);
  const id = Number.MAX_SAFE_INTEGER;
  const request = encodeRecord({ type: "direct", id, to: name, text: worst });
  const message = encodeMessage({ id, from: name, to: name, sent: id, text: worst, late: true });
  const bytes = [request, message].map((line) => new TextEncoder().encode(line).length);
  assertEquals([bytes[0]! <= MAX_LINE_BYTES, bytes[1]! <= MAX_RUN_BYTES], [true, true]);
});
