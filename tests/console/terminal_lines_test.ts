import { assertEquals } from "@std/assert";
import { PassThrough } from "node:stream";
import { TerminalLines } from "../../lib/console/terminal_lines.ts";

function open() {
  const keys = new PassThrough();
  const screen: string[] = [];
  const interrupts: number[] = [];
  const source = new TerminalLines({
    input: keys,
    write: (text) => screen.push(text),
    columns: () => 20,
    onInterrupt: () => interrupts.push(1),
  });
  /** Types, and waits until the line editor has taken it. */
  const type = async (text: string) => {
    keys.write(text);
    await new Promise((resolve) => setImmediate(resolve));
  };
  assertEquals(screen.splice(0), ["\x1b[?2004h"]);
  return { source, type, interrupts, screen: () => screen.splice(0).join("") };
}

Deno.test("TerminalLines.read() shows what is typed, and gives the line", async () => {
  const { source, type, screen } = open();
  const line = source.read({ secret: false });
  await type("hel");
  await type("lo\r");
  assertEquals(await line, "hello");
  assertEquals(screen(), "hello\r\n");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines.read() shows nothing of a secret, and keeps it out of the history", async () => {
  const { source, type, screen } = open();
  const first = source.read({ secret: false });
  await type("PM\r");
  await first;
  screen();
  const secret = source.read({ secret: true });
  await type("gehx\x7feim\r");
  assertEquals(await secret, "geheim");
  assertEquals(screen(), "");
  const next = source.read({ secret: false });
  await type("\x1b[A\r");
  assertEquals(await next, "PM");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines shows and keeps nothing that is typed after a secret, too early", async () => {
  const { source, type, screen } = open();
  const secret = source.read({ secret: true });
  await type("wrong\r");
  assertEquals(await secret, "wrong");
  await type("geheim\rPM");
  assertEquals(screen(), "");
  const next = source.read({ secret: false });
  assertEquals(screen().includes("geheim"), false);
  await type("\r");
  assertEquals(await next, "PM");
  const last = source.read({ secret: false });
  // One line up there is the command; above it there is nothing.
  await type("\x1b[A\x1b[A\r");
  assertEquals(await last, "");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines ignores Ctrl-Z, which would show what is typed", async () => {
  const { source, type, screen } = open();
  const secret = source.read({ secret: true });
  await type("ge\x1aheim\r");
  assertEquals(await secret, "geheim");
  assertEquals(screen(), "");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines.interrupt() takes the typed line away, and puts it back", async () => {
  const { source, type, screen } = open();
  const line = source.read({ secret: false });
  await type("half 世界");
  screen();
  source.interrupt(() => {
    assertEquals(screen(), "\x1b[1G\x1b[0J");
  });
  assertEquals(screen(), "\x1b[1G\x1b[0Jhalf 世界\x1b[10G");
  await type("!\r");
  assertEquals(await line, "half 世界!");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines.interrupt() goes up to where a wrapped line begins", async () => {
  const { source, type, screen } = open();
  const line = source.read({ secret: false });
  await type("x".repeat(45));
  screen();
  source.interrupt(() => {
    assertEquals(screen(), "\x1b[2A\x1b[1G\x1b[0J");
  });
  await type("\r");
  assertEquals(await line, "x".repeat(45));
  source[Symbol.dispose]();
});

Deno.test("TerminalLines.read() gives lines that were typed before they were asked for", async () => {
  const { source, type } = open();
  await type("one\rtwo\r");
  assertEquals(await source.read({ secret: false }), "one");
  assertEquals(await source.read({ secret: false }), "two");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines.read() gives undefined after Ctrl-D", async () => {
  const { source, type } = open();
  const line = source.read({ secret: false });
  await type("\x04");
  assertEquals(await line, undefined);
  assertEquals(await source.read({ secret: false }), undefined);
  source[Symbol.dispose]();
});

Deno.test("TerminalLines tells of Ctrl-C, and drops what was typed", async () => {
  const { source, type, interrupts, screen } = open();
  const line = source.read({ secret: false });
  await type("half");
  await type("\x03");
  assertEquals(interrupts.length, 1);
  screen();
  source.interrupt(() => {});
  assertEquals(screen().includes("half"), false);
  source[Symbol.dispose]();
  assertEquals(await line, undefined);
});

Deno.test("TerminalLines.read() gives a paste as one line, which can still be edited", async () => {
  const { source, type, screen } = open();
  const line = source.read({ secret: false });
  await type("PM ");
  await type("\x1b[200~one\rtwo\n");
  await type("  three\n\x1b[201~");
  assertEquals(screen(), "PM one␤two␤  three");
  await type("!\r");
  assertEquals(await line, "PM one\ntwo\n  three!");
  source[Symbol.dispose]();
  assertEquals(screen().endsWith("\x1b[?2004l"), true);
});
