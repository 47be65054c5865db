import { assertEquals } from "@std/assert";
import { spansOf } from "../../scripts/picture/spans.ts";

Deno.test("spansOf() gives a line's text with its colours and what is bold", () => {
  assertEquals(spansOf("\x1b[1m07:16 \x1b[38;5;166mbob\x1b[39m: hi\x1b[0m there"), [
    { text: "07:16 ", color: undefined, bold: true },
    { text: "bob", color: "#d75f00", bold: true },
    { text: ": hi", color: undefined, bold: true },
    { text: " there", color: undefined, bold: false },
  ]);
  assertEquals(spansOf("plain"), [{ text: "plain", color: undefined, bold: false }]);
});
