import { assert, assertEquals } from "@std/assert";
import { drawTerminals } from "../../scripts/picture/svg.ts";

const window = {
  title: "a & b",
  columns: 20,
  text: "$ echo <b>\n\n  \x1b[38;5;32mtwo\x1b[39m and \x1b[1mbold\x1b[0m",
};

Deno.test("drawTerminals() shows the rows as text, in their places and colours", () => {
  const svg = drawTerminals([[window]]);
  const rows = [...svg.matchAll(/y="(\d+)" fill="#[^>]*xml:space="preserve"[^>]*>(.*)<\/text>/g)];
  assertEquals(rows.map(([, , text]) => text), [
    "$ echo &lt;b>",
    '  <tspan fill="#0087d7">two</tspan> and <tspan font-weight="bold">bold</tspan>',
  ]);
  assertEquals(Number(rows[1]![1]) - Number(rows[0]![1]), 2 * 16);
  assert(svg.includes('aria-label="a &amp; b"'));
});

Deno.test("drawTerminals() puts windows beside and below each other, and columns are of one height", () => {
  const svg = drawTerminals([[window, window], [window]]);
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!;
  const high = 26 + 3 * 16 + 24;
  assertEquals([Number(width), Number(height)], [2 * 169 + 16, 2 * high + 16]);
  for (const at of ["0 0", `0 ${high + 16}`, "185 0"]) assert(svg.includes(`translate(${at})`));
  assertEquals(svg.match(/height="\d+" rx/g), [
    `height="${high}" rx`,
    `height="${high}" rx`,
    `height="${2 * high + 16}" rx`,
  ]);
});

Deno.test("docs/picture.svg is there, and nothing in it is fetched or run", async () => {
  const svg = await Deno.readTextFile(new URL("../../docs/picture.svg", import.meta.url));
  assert(svg.includes("chatserver 1300") && svg.includes("hello everybody"));
  assert(!/<script|href|url\(|<image|correct horse/.test(svg));
});
