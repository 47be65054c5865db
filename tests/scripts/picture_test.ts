import { assert, assertEquals } from "@std/assert";
import { drawTerminals } from "../../scripts/picture/svg.ts";

const window = { title: "a & b", columns: 20, rows: 2, text: "gone\n$ echo <b>\n\n  two" };

Deno.test("drawTerminals() shows the last rows as text, in their places", () => {
  const svg = drawTerminals([{ ...window, rows: 3 }]);
  assert(!svg.includes("gone"));
  const rows = [...svg.matchAll(/y="(\d+)" fill="#[^>]*xml:space="preserve"[^>]*>([^<]*)</g)];
  assertEquals(rows.map(([, , text]) => text), ["$ echo &lt;b>", "  two"]);
  assertEquals(Number(rows[1]![1]) - Number(rows[0]![1]), 2 * 16);
  assert(svg.includes('aria-label="a &amp; b"'));
});

Deno.test("drawTerminals() puts windows beside each other", () => {
  const svg = drawTerminals([window, { ...window, rows: 9 }]);
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!;
  assertEquals([Number(width), Number(height)], [2 * 169 + 16, 26 + 9 * 16 + 24]);
  assert(svg.includes("translate(0 0)") && svg.includes("translate(185 0)"));
});

Deno.test("docs/picture.svg is there, and nothing in it is fetched or run", async () => {
  const svg = await Deno.readTextFile(new URL("../../docs/picture.svg", import.meta.url));
  assert(svg.includes("chatserver 1300") && svg.includes("hello everybody"));
  assert(!/<script|href|url\(|<image|correct horse/.test(svg));
});
