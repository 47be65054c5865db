import { assert, assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { legible } from "../../lib/console/foreign.ts";
import { block, hanging } from "../../lib/console/layout.ts";
import { type Page, UNWRAPPED } from "../../lib/console/page.ts";

/** A terminal of a width. */
function wide(columns: number, rest: Partial<Page> = {}): Page {
  return { ...UNWRAPPED, columns, ...rest };
}

Deno.test("block() has every line stand back, and wraps between words", () => {
  assertEquals(block("one two three\n\nfour", wide(11)), "  one two\n  three\n  \n  four");
});

Deno.test("block() keeps the same distance from the right edge", () => {
  assertEquals(block("one two", wide(11)), "  one two");
  assertEquals(block("one two", wide(10)), "  one\n  two");
});

Deno.test("block() wraps nothing where there is no width", () => {
  const line = "word ".repeat(1_000).trimEnd();
  assertEquals(block(line, UNWRAPPED), `  ${line}`);
});

Deno.test("block() cuts what is too long for a line, and never in the middle of a character", () => {
  assertEquals(block("a abcdefgh b", wide(9)), "  a\n  abcde\n  fgh b");
  assertEquals(block("世界世界", wide(9)), "  世界\n  世界");
  assertEquals(block("xe\u0301e\u0301e\u0301", wide(9)), "  xe\u0301e\u0301\n  e\u0301");
  assertEquals(block("👨‍👩‍👧👨‍👩‍👧", wide(14)), "  👨‍👩‍👧\n  👨‍👩‍👧");
});

Deno.test("block() takes the width that the most generous terminal gives", () => {
  const fits = (text: string, columns: number, rest?: Partial<Page>) =>
    !block(text, wide(columns + 4, rest)).includes("\n");
  const widths = { "世": 2, "🇩🇪": 4, "❤️": 3, "👍🏽": 4, "ｱ": 1, "Ж": 1, "—": 1, "·": 1 };
  for (const [text, width] of Object.entries(widths)) {
    assertEquals([fits(text.repeat(3), 3 * width), fits(text.repeat(3), 3 * width - 1)], [
      true,
      false,
    ]);
  }
  assertEquals(fits("ЖЖ", 3, { wideAmbiguous: true }), false);
});

Deno.test("hanging() begins at the edge, and goes on standing back", () => {
  assertEquals(hanging("From: somebody with a name", wide(18)), "From: somebody\n  with a name");
  assertEquals(hanging("    abcdefgh", wide(13)), "    abcde\n      fgh");
  assertEquals(hanging("    abc", wide(8)), "  ab\n    c");
  assertEquals(hanging("", wide(18)), "");
});

/** As narrow as a terminal draws it: what a wide character, and nothing else, takes twice. */
function leastWidth(text: string): number {
  return [...text].reduce((sum, character) => sum + (/[世👍]/u.test(character) ? 2 : 1), 0);
}

Deno.test("block() fills no line beyond the edge, at any width, and loses nothing but blanks", () => {
  const character = fc.constantFrom(
    "a",
    "b",
    " ",
    "  ",
    "\n",
    "\t",
    "世",
    "👍",
    "e\u0301",
    "\u3164",
  );
  const text = fc.array(character, { maxLength: 300 }).map((characters) => characters.join(""));
  fc.assert(fc.property(text, fc.integer({ min: 1, max: 200 }), (text, columns) => {
    const readable = legible(text);
    const lines = block(readable, wide(columns)).split("\n");
    for (const line of lines) {
      // Where the program's own lines begin: the edge, the menu at 6, the list of users at 9.
      assert(/^ {2,5}(?:[^ ]|$)/.test(line), JSON.stringify(line));
      assert(leastWidth(line) <= Math.max(columns, 4), `${columns}: ${JSON.stringify(line)}`);
    }
    assertEquals(lines.join("").replaceAll(" ", ""), readable.replaceAll(/[ \n]/g, ""));
  }));
});
