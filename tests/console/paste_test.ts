import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { beginsPaste, continuesPaste, PasteDecoder } from "../../lib/console/paste.ts";

const BEGIN = "\x1b[200~";
const END = "\x1b[201~";

function decode(...pieces: string[]): string {
  const decoder = new PasteDecoder();
  return pieces.flatMap((piece) => decoder.decode(piece))
    .map((piece) => "paste" in piece ? `<${piece.paste}>` : piece.keys).join("");
}

Deno.test("PasteDecoder.decode() gives a paste in one piece, at every split of the input", () => {
  const input = `ab\r${BEGIN}one\r\ntwo\n\nthree\r${END}\rx${BEGIN}y${END}\x1bOA`;
  const expected = "ab\r<one\ntwo\n\nthree>\rx<y>\x1bOA";
  // An escape at the end of a piece is a key; terminals send their marks in one.
  for (let first = 0; first <= input.length; first++) {
    if (input[first - 1] === "\x1b") continue;
    for (let second = first; second <= input.length; second++) {
      if (input[second - 1] === "\x1b") continue;
      const pieces = [input.slice(0, first), input.slice(first, second), input.slice(second)];
      assertEquals(decode(...pieces), expected);
    }
  }
});

Deno.test("PasteDecoder.decode() leaves what is typed as it is", () => {
  const keys = fc.string({ unit: "binary" }).filter((text) => !text.includes("\x1b"));
  fc.assert(fc.property(keys, (text) => assertEquals(decode(text), text)));
});

Deno.test("PasteDecoder.decode() gives an escape at once: it is a key", () => {
  assertEquals(decode("\x1b"), "\x1b");
});

Deno.test("beginsPaste() knows lines that nobody types so fast, and no keys that act", () => {
  for (const keys of ["one\rtwo", "\rtwo\r", "one\r\ntwo\r\n", "a\tb\nc"]) {
    assertEquals(beginsPaste(keys), true, keys);
    assertEquals(continuesPaste(keys), true, keys);
  }
  for (const keys of ["one\r", "one\r\n", "\r\r", "one\r\x1b[A", "\x03one\rtwo", "one"]) {
    assertEquals(beginsPaste(keys), false, keys);
  }
  assertEquals([continuesPaste("more"), continuesPaste("\x1b[A")], [true, false]);
});
