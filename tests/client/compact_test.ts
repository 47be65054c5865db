import { assertEquals } from "@std/assert";
import { formatLine } from "../../lib/client/compact.ts";
import { UNWRAPPED } from "../../lib/console/page.ts";

const sent = new Date(2026, 0, 31, 7, 16, 5).getTime();
const message = { id: 1, from: "anna", sent, text: "hello" };
const form = { page: UNWRAPPED, times: "short", own: false } as const;

Deno.test("formatLine() gives a message in a line, with time, sender and addressee", () => {
  assertEquals(formatLine(message, form), "07:16 anna: hello");
  assertEquals(formatLine({ ...message, to: "joe" }, form), "07:16 anna -> you: hello");
  assertEquals(
    formatLine({ ...message, to: "joe" }, { ...form, own: true }),
    "07:16 anna -> joe: hello",
  );
  assertEquals(formatLine(message, { ...form, times: "off" }), "anna: hello");
  assertEquals(formatLine(message, { ...form, times: "full" }), "2026-01-31 07:16:05 anna: hello");
  assertEquals(formatLine({ ...message, sent: 8.64e15 + 1 }, form), "--:-- anna: hello");
});

Deno.test("formatLine() wraps under the text, or less deep where there is little room", () => {
  const text = "one two three\nfour";
  const shown = (columns: number, name = "anna") =>
    formatLine({ ...message, text, from: name }, { ...form, page: { ...UNWRAPPED, columns } })
      .split("\n");
  assertEquals(shown(80), ["07:16 anna: one two three", "            four"]);
  assertEquals(
    formatLine({ ...message, from: "a", text: "x".repeat(27) }, {
      ...form,
      page: { ...UNWRAPPED, columns: 36 },
    }),
    `07:16 a: ${"x".repeat(25)}\n         xx`,
  );
  assertEquals(shown(36, "a"), ["07:16 a: one two three", "         four"]);
  assertEquals(shown(30), ["07:16 anna: one two three", "  four"]);
  assertEquals(shown(20), ["07:16 anna: one", "  two three", "  four"]);
  assertEquals(shown(20, "a".repeat(20)), [
    "07:16",
    "  aaaaaaaaaaaaaaaa",
    "  aaaa: one two",
    "  three",
    "  four",
  ]);
});

Deno.test("formatLine() gives the name its colour, where it is in one piece", () => {
  const paint = (name: string) => `<${name}>`;
  assertEquals(formatLine(message, { ...form, paint }), "07:16 <anna>: hello");
});

Deno.test("formatLine() says which room a message was said in", () => {
  const said = { ...message, room: "lab" };
  assertEquals(formatLine(said, form), "07:16 anna -> #lab: hello");
  assertEquals(formatLine(said, { ...form, own: true }), "07:16 anna -> #lab: hello");
});
