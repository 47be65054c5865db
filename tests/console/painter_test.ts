import { assertEquals } from "@std/assert";
import { type Page, UNWRAPPED } from "../../lib/console/page.ts";
import { Painter } from "../../lib/console/painter.ts";
import { pictureOf } from "../../lib/console/picture.ts";

const page: Page = { ...UNWRAPPED, columns: 10 };

function picture(text: string, cursor = text.length, prompt = "") {
  return pictureOf({ prompt, text, cursor, standsFor: () => undefined }, page);
}

Deno.test("pictureOf() ends each row before the edge, whatever its characters", () => {
  const { rows, row, before } = picture("x".repeat(12), 12, "bob> ");
  assertEquals([rows, row, before], [["bob> xxxx", "xxxxxxxx"], 1, "xxxxxxxx"]);
  assertEquals(picture("世界世界世界").rows, ["世界世界", "世界"]);
  assertEquals(picture("👨‍👩‍👧👨‍👩‍👧").rows, ["👨‍👩‍👧", "👨‍👩‍👧"]);
  assertEquals(picture("a\nb\tc\x1b").rows, ["a␤b␉c", "<U+001B>"]);
});

Deno.test("pictureOf() lays out 16 kB of any script at once", () => {
  const text = "世界 e\u0301 ".repeat(2_000);
  assertEquals(picture(text).rows.length > 1_000, true);
});

function open(dumb = false) {
  const written: string[] = [];
  const painter = new Painter((text) => written.push(text), dumb);
  return { painter, written: () => written.splice(0).join("") };
}

Deno.test("Painter.paint() writes what was added, and nothing else", () => {
  const { painter, written } = open();
  painter.paint(picture("hel", 3, "> "));
  assertEquals(written(), "> hel");
  painter.paint(picture("hello", 5, "> "));
  assertEquals(written(), "lo");
  painter.paint(picture("hello", 5, "> "));
  assertEquals(written(), "");
  painter.paint(picture("hello world", 11, "> "));
  assertEquals(written(), " w\r\norld");
});

Deno.test("Painter.paint() writes again what stands before the cursor, and never counts its columns", () => {
  const { painter, written } = open();
  painter.paint(picture("世ab"));
  written();
  painter.paint(picture("世ab", 2));
  assertEquals(written(), "\r世a");
  painter.paint(picture("世axb", 3));
  assertEquals(written(), "\r\x1b[J世axb\r世ax");
});

Deno.test("Painter goes up to where the line begins, and down to its end", () => {
  const { painter, written } = open();
  painter.paint(picture("x".repeat(25)));
  painter.paint(picture("x".repeat(25), 3));
  assertEquals(written().endsWith("\x1b[2A\rxxx"), true);
  painter.paint(picture("x".repeat(25), 12));
  assertEquals(written(), "\x1b[1B\rxxx");
  painter.clear();
  assertEquals(written(), "\x1b[1A\r\x1b[J");
  painter.paint(picture("x".repeat(25), 3));
  written();
  painter.leave();
  assertEquals(written(), "\x1b[2B\r\n");
});

Deno.test("Painter.reflow() knows where the line begins when the terminal has become narrower", () => {
  const { painter, written } = open();
  painter.paint(picture("x".repeat(25)));
  written();
  painter.reflow({ ...page, columns: 5 });
  painter.clear();
  // Two rows of 9 columns take four of 5, and 7 one more.
  assertEquals(written(), "\x1b[5A\r\x1b[J");
});

Deno.test("Painter sends a dumb terminal no escape sequences", () => {
  const { painter, written } = open(true);
  painter.paint(picture("hel"));
  painter.paint(picture("help"));
  painter.paint(picture("hel"));
  painter.clear();
  painter.paint(picture("hel", 1));
  painter.leave();
  assertEquals(written(), "help\r\nhel\r\nhel\r\n");
});
