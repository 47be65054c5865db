import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { PasteDecoder } from "../../lib/console/paste.ts";

const BEGIN = "\x1b[200~";
const END = "\x1b[201~";

function decode(...pieces: string[]): string {
  const decoder = new PasteDecoder();
  return pieces.map((piece) => decoder.decode(piece)).join("");
}

Deno.test("PasteDecoder.decode() makes a paste one line, at every split of the input", () => {
  const input = `ab\r${BEGIN}one\r\ntwo\n\nthree\r${END}\rx${BEGIN}y${END}\x1b[A`;
  const expected = "ab\rone␤two␤␤three\rxy\x1b[A";
  for (let first = 0; first <= input.length; first++) {
    for (let second = first; second <= input.length; second++) {
      const pieces = [input.slice(0, first), input.slice(first, second), input.slice(second)];
      assertEquals(decode(...pieces), expected);
    }
  }
});

Deno.test("PasteDecoder.decode() leaves what is typed as it is", () => {
  const keys = fc.string({ unit: "binary" }).filter((text) => !text.includes("\x1b"));
  fc.assert(fc.property(keys, (text) => assertEquals(decode(text), text)));
});
