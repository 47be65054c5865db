import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { foldUsername, parsePassword, parseUsername } from "../../lib/protocol/names.ts";

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
  assertEquals(parseUsername("𝒳".repeat(32)), "𝒳".repeat(32));
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

Deno.test("foldUsername() makes spellings of one name equal", () => {
  const same = [["Bob", "bOB"], ["Straße", "STRASSE"], ["ΟΔΟΣ", "οδος"], ["Zoe\u0308", "ZOË"]];
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
