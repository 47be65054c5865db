import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { visible, visibleLine } from "../../lib/protocol/visible.ts";

Deno.test("visible() shows what would act on a terminal, or reorder text", () => {
  const attacks = {
    "\x1b[2Jx": "<U+001B>[2Jx",
    "\x1b]0;title\x07": "<U+001B>]0;title<U+0007>",
    "\x9b2J": "<U+009B>2J",
    "a\rb": "a<U+000D>b",
    "a\u202eb\u202c": "a<U+202E>b<U+202C>",
    "\u2066a\u2069": "<U+2066>a<U+2069>",
    "a\u200bb\ufeff": "a<U+200B>b<U+FEFF>",
    "a\u2028b": "a<U+2028>b",
    "\u{e0041}": "<U+E0041>",
    "\x7f": "<U+007F>",
  };
  for (const [text, shown] of Object.entries(attacks)) assertEquals(visible(text), shown);
});

Deno.test("visible() leaves what people write", () => {
  for (const text of ["Hello\n\tguys", "世界 🎉", "👩‍👩‍👧", "שלום עולם", "می‌خواهم", "é e\u0301"]) {
    assertEquals(visible(text), text);
  }
});

Deno.test("visibleLine() never gives more than a line, nor a control character", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assertEquals(/\p{Cc}/u.test(visibleLine(text)), false);
    assertEquals(/(?![\n\t])\p{Cc}/u.test(visible(text)), false);
  }));
});
