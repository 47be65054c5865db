import { assert, assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { legible, legibleLine } from "../../lib/console/foreign.ts";

Deno.test("legible() leaves what people write", () => {
  for (
    const text of [
      "a  b   c",
      "one\n  two\n\n\nthree",
      "नमस्ते می‌خواهم Tiếng Việt a\u0301\u0323",
      "👨‍👩‍👧 ❤️‍🔥 🇩🇪 1️⃣",
      "a·b ··· c",
    ]
  ) assertEquals(legible(text), text);
});

Deno.test("legible() shows what moves other text, and does not move it far", () => {
  const cases = {
    "a    b": "a····b",
    "\tif x:": "····if x:",
    "a\u00a0\u2002\u2800b": "a   b",
    "a\u00a0\u3164\u2800\u3000b": "a······b",
    "a  \u200d  \u200db": "a····b",
    "a \u{1d159}\u{13441} \u034f b": "a·····b",
    [`a${" ".repeat(1_000)}b`]: `a${"·".repeat(32)}b`,
    "a\u200d\u200d\u200d\u200db": "a\u200d\u200d<U+200D><U+200D>b",
    "a  \t\u3164": "a",
    "a\n \u2800 \n\n\n\n\nb": "a\n\n\nb",
  };
  for (const [text, shown] of Object.entries(cases)) assertEquals(legible(text), shown);
});

Deno.test("legible() shows what has no known shape", () => {
  assertEquals(legible("\ue000\u{f0000}\uffff\ud800"), "<U+E000><U+F0000><U+FFFF><U+D800>");
  assertEquals(legible(`a${"\u0301".repeat(6)}`), `a${"\u0301".repeat(4)}<U+0301><U+0301>`);
});

Deno.test("legibleLine() gives one line", () => {
  assertEquals(legibleLine("a\n\tb"), "a<U+000A>····b");
});

Deno.test("legible() leaves no run of blanks of more than three", () => {
  const character = fc.constantFrom(
    ..." \t\n\u00a0\u3164\u2800\u200d\u034f\u3000\u1680x·".split(""),
  );
  fc.assert(fc.property(fc.array(character, { maxLength: 60 }), (characters) => {
    const shown = legible(characters.join(""));
    assert(!/[^\S\n]{4}|[^\S\n]$|\n{4}|[\t\u3164\u2800\u3000]/m.test(shown), shown);
  }));
});
