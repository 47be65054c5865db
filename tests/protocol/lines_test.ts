import { assertEquals, assertThrows } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { LineDecoder } from "../../lib/protocol/lines.ts";

const utf8 = new TextEncoder();

/** Decodes `bytes`, cut at the given places. */
function decodeCut(bytes: Uint8Array, cuts: readonly number[], maxBytes = 1_000) {
  const decoder = new LineDecoder(maxBytes);
  const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  const lines = places.slice(1).flatMap((end, index) => [
    ...decoder.decode(bytes.subarray(places[index], end)),
  ]);
  return { lines, rest: decoder.end() };
}

Deno.test("LineDecoder.decode() gives the same lines at every split of the input", () => {
  const text = "one\n\nzwölf €\n世界 🎉\n\r\nlast";
  const bytes = utf8.encode(text);
  const expected = { lines: ["one", "", "zwölf €", "世界 🎉", "\r"], rest: "last" };
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      assertEquals(decodeCut(bytes, [first, second]), expected);
    }
  }
});

Deno.test("LineDecoder.decode() gives any lines, split anywhere", () => {
  const lines = fc.array(fc.string({ unit: "grapheme" }).map((s) => s.replaceAll("\n", "")));
  fc.assert(
    fc.property(lines, fc.array(fc.nat(200)), (lines, cuts) => {
      const bytes = utf8.encode(lines.map((line) => `${line}\n`).join(""));
      const within = cuts.map((cut) => Math.min(cut, bytes.length));
      assertEquals(decodeCut(bytes, within), { lines, rest: undefined });
    }),
  );
});

Deno.test("LineDecoder.decode() takes a line of just the cap and refuses one byte more", () => {
  assertEquals(decodeCut(utf8.encode("12345678\n"), [3], 8).lines, ["12345678"]);
  for (const cuts of [[], [4], [8], [1, 2, 3]]) {
    assertThrows(
      () => decodeCut(utf8.encode("123456789"), cuts, 8),
      ProtocolError,
      "a line is longer than 8 bytes",
    );
  }
});

Deno.test("LineDecoder.decode() keeps no more than the cap of a line that never ends", () => {
  const decoder = new LineDecoder(100);
  const chunk = new Uint8Array(60).fill(0x61);
  assertEquals([...decoder.decode(chunk)], []);
  assertThrows(() => [...decoder.decode(chunk)], ProtocolError);
});

Deno.test("LineDecoder.decode() applies a cap that changes between two lines of one chunk", () => {
  const decoder = new LineDecoder(4);
  const lines = decoder.decode(utf8.encode("1234\n12345678\n"));
  assertEquals(lines.next().value, "1234");
  decoder.maxBytes = 8;
  assertEquals(lines.next().value, "12345678");
});

Deno.test("LineDecoder.decode() refuses what is no UTF-8", () => {
  for (const hex of ["ff0a", "c3280a", "eda0800a", "e4b80a", "c0800a"]) {
    assertThrows(() => decodeCut(Uint8Array.fromHex(hex), []), ProtocolError, "not valid UTF-8");
  }
});

Deno.test("LineDecoder.decode() is not disturbed when its chunk's memory is used again", () => {
  const decoder = new LineDecoder(100);
  const chunk = utf8.encode("abc");
  assertEquals([...decoder.decode(chunk)], []);
  chunk.fill(0x78);
  assertEquals([...decoder.decode(utf8.encode("d\n"))], ["abcd"]);
});
