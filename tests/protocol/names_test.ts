import { assertEquals, assertThrows } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import {
  foldUsername,
  parseNewUsername,
  parsePassword,
  parseUsername,
} from "../../lib/protocol/names.ts";

Deno.test("parseUsername() takes letters, digits, '.', '_' and '-' of any script", () => {
  for (
    const name of [
      "a",
      "Bob",
      "007",
      "j.r-r_t",
      "Zoë",
      "Мария",
      "世界",
      "नमस्ते",
      "-",
      "x".repeat(32),
    ]
  ) {
    assertEquals(parseUsername(name), name.normalize("NFC"));
  }
});

Deno.test("parseUsername() counts code points after normalization", () => {
  assertEquals(parseUsername("e\u0301".repeat(32)), "é".repeat(32));
  assertEquals(parseUsername("𠀋".repeat(32)), "𠀋".repeat(32));
});

Deno.test("parseUsername() refuses everything else, and says the rule", () => {
  const wrong = [
    ["", "x".repeat(33), "a b", "a:b", "a,b", "a\n", "\u0301a", "a\u200bb", "a\u202eb", "a/b"],
    ["😀", "\ud800", "a\u0000", "a\u00a0b", "*", "a\u2028"],
  ].flat();
  for (const name of wrong) {
    const error = assertThrows(() => parseUsername(name), ProtocolError, "1 to 32 letters");
    assertEquals(error.code, "bad-username");
  }
});

Deno.test("parseUsername() takes letters of one script, or what one language mixes", () => {
  for (
    const name of [
      "joe99",
      "Μαρία",
      "Иван_1",
      "ひらカナ漢字ー",
      "한국漢字",
      "ㄅㄆ漢",
      "عربي",
      "שלום",
      "ไทย",
    ]
  ) {
    assertEquals(parseUsername(name), name);
  }
  // Cyrillic a, e, o, p, c and Greek o among Latin letters; a full-width, a mathematical letter.
  for (const name of ["jоe", "pаul", "rеnew", "bοb", "mаria", "ｊoe", "𝐣oe", "jo℮"]) {
    assertThrows(() => parseUsername(name), ProtocolError);
  }
});

Deno.test("parseUsername() takes no letters that can't be seen, and no piles of marks", () => {
  for (
    const name of ["joe\u3164", "joe\ufe0f", "jo\u034fe", "\u115fjoe", `j${"\u0330".repeat(5)}`]
  ) {
    assertThrows(() => parseUsername(name), ProtocolError);
  }
});

Deno.test("parseNewUsername() keeps to a server's own limit", () => {
  assertEquals(parseNewUsername("abc", 3), "abc");
  assertThrows(() => parseNewUsername("abcd", 3), ProtocolError, "at most 3 letters here");
});

Deno.test("parseNewUsername() takes no name that looks like a flag", () => {
  assertEquals(parseNewUsername("a-"), "a-");
  for (const name of ["-", "-joe", "--help"]) {
    assertThrows(() => parseNewUsername(name), ProtocolError, 'does not begin with "-"');
  }
});

Deno.test("foldUsername() makes spellings of one name equal", () => {
  const same = [["Bob", "bOB"], ["Straße", "STRASSE"], ["straẞe", "strasse"], ["ΟΔΟΣ", "οδος"], [
    "Zoe\u0308",
    "ZOË",
  ]];
  for (const [a, b] of same) assertEquals(foldUsername(a!), foldUsername(b!));
  assertEquals(foldUsername("bob") === foldUsername("rob"), false);
});

Deno.test("foldUsername() of what it gave gives the same", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (name) => {
    assertEquals(foldUsername(foldUsername(name)), foldUsername(name));
  }));
});

Deno.test("parsePassword() compares in one normal form and keeps to its cap", () => {
  assertEquals(parsePassword("e\u0301 é"), "é é");
  assertEquals(parsePassword("x".repeat(1_024)).length, 1_024);
  for (const password of ["", "x".repeat(1_025), "€".repeat(400), "a\u0007b", "a\nb", "\udc00"]) {
    const error = assertThrows(() => parsePassword(password), ProtocolError);
    assertEquals(error.code, "bad-password");
  }
});
