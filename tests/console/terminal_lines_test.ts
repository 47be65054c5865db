import { assertEquals } from "@std/assert";
import { PassThrough } from "node:stream";
import { UNWRAPPED } from "../../lib/console/page.ts";
import { TerminalLines } from "../../lib/console/terminal_lines.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

function open({ dumb = false } = {}) {
  const keys = new PassThrough();
  const clock = new FakeClock();
  const modes: string[] = [];
  const screen: string[] = [];
  const interrupts: number[] = [];
  const source = new TerminalLines({
    input: keys,
    write: (text) => screen.push(text),
    setRawMode: (raw) => modes.push(`raw ${raw}`),
    jobControl: true,
    page: () => ({ ...UNWRAPPED, columns: 20 }),
    dumb,
    clock,
    onInterrupt: () => interrupts.push(1),
  });
  /** Types, and waits until the line editor has taken it. */
  const type = async (text: string | Uint8Array) => {
    keys.write(text);
    await new Promise((resolve) => setImmediate(resolve));
  };
  assertEquals(screen.splice(0), dumb ? [] : ["\x1b[?2004h"]);
  assertEquals(modes.splice(0), ["raw true"]);
  return {
    source,
    type,
    interrupts,
    clock,
    modes: () => modes.splice(0),
    screen: () => screen.splice(0).join(""),
  };
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
  assertEquals(await last, "PM");
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
    assertEquals(screen(), "\r\x1b[J");
  });
  assertEquals(screen(), "half 世界");
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
    assertEquals(screen(), "\x1b[2A\r\x1b[J");
  });
  await type("\r");
  assertEquals(await line, "x".repeat(45));
  source[Symbol.dispose]();
});

Deno.test("TerminalLines.read() gives lines that were typed before they were asked for", async () => {
  const { source, type } = open();
  await type("one\r");
  await type("two\r");
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

Deno.test("TerminalLines drops what was typed at Ctrl-C, and tells of the next one", async () => {
  const { source, type, interrupts, screen } = open();
  const line = source.read({ secret: false });
  await type("half");
  screen();
  await type("\x03");
  assertEquals([interrupts.length, screen()], [0, "\r\x1b[J"]);
  await type("x");
  await type("\x7f");
  await type("\x03");
  assertEquals([interrupts.length, screen().endsWith("Ctrl-C once more\r\n  leaves.\r\n")], [
    0,
    true,
  ]);
  await type("\x03");
  assertEquals(interrupts.length, 1);
  source[Symbol.dispose]();
  assertEquals(await line, undefined);
});

Deno.test("TerminalLines tells of Ctrl-C at once where nothing shows", async () => {
  const { source, type, interrupts } = open();
  void source.read({ secret: true });
  await type("geh\x03");
  assertEquals(interrupts.length, 1);
  source[Symbol.dispose]();
});

Deno.test("TerminalLines.read() gives a paste as one line, which can still be edited", async () => {
  const { source, type, screen, modes } = open();
  const line = source.read({ secret: false });
  await type("PM ");
  await type("\x1b[200~one\rtwo\n");
  await type("  three\n\x1b[201~");
  assertEquals(screen(), "PM one␤two␤  three");
  await type("!\r");
  assertEquals(await line, "PM one\ntwo\n  three!");
  source[Symbol.dispose]();
  assertEquals(screen().endsWith("\x1b[?2004l"), true);
  assertEquals(modes(), ["raw false"]);
});

Deno.test("TerminalLines takes lines that come faster than anybody types for a paste", async () => {
  const { source, type, screen, clock } = open();
  const line = source.read({ secret: false });
  await type("PM one\rDM joe two");
  await type("\rEX\r");
  clock.advance(49);
  assertEquals(screen(), "");
  clock.advance(1);
  assertEquals(screen(), "PM one␤DM joe two␤E\r\nX");
  await type("\r");
  assertEquals(await line, "PM one\nDM joe two\nEX");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines shows a large paste by its size, and says what to do", async () => {
  const { source, type, screen } = open({ dumb: true });
  const line = source.read({ secret: false, prompt: "> " });
  const text = "x\n".repeat(300);
  await type(`\x1b[200~${text}\x1b[201~`);
  const shown = screen().replaceAll(/\r\n {2}/g, " ").replaceAll("\r\n", "");
  assertEquals(
    shown,
    "> A paste of 300 lines: Enter sends it as one message, Ctrl-C drops it." +
      "> [paste: 300 lines, 599 characters]",
  );
  await type("\r");
  assertEquals(await line, text.trimEnd());
  source[Symbol.dispose]();
});

Deno.test("TerminalLines.read() shows the prompt before what is typed, also after a message", async () => {
  const { source, type, screen } = open();
  void source.read({ secret: false, prompt: "bob> " });
  await type("hi");
  assertEquals(screen(), "bob> hi");
  source.interrupt(() => {});
  assertEquals(screen(), "\r\x1b[Jbob> hi");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines.read() gives several lines between quotation marks as one", async () => {
  const { source, type } = open();
  const line = source.read({ secret: false });
  for (const part of ['PM """one\r', "two\r", '  three"""\r']) await type(part);
  assertEquals(await line, "PM one\ntwo\n  three");
  const next = source.read({ secret: false });
  for (const part of ['PM """\r', "one\r", '"""\r']) await type(part);
  assertEquals(await next, "PM one");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines completes what the assistant knows, and lists what is not clear", async () => {
  const { source, type, screen } = open();
  source.assistant = {
    complete: (before) => ({ from: before.length - 1, candidates: ["joe", "john"] }),
    remembers: () => false,
    typedAhead: () => {},
  };
  void source.read({ secret: false });
  await type("DM j\t");
  assertEquals(screen(), "DM jo");
  source.assistant.complete = () => ({ from: 3, candidates: ["joe", "john"] });
  await type("\t");
  assertEquals(screen(), "\r\x1b[Jjoe  john\r\nDM jo");
  await type("\r\x1b[A");
  assertEquals(screen(), "\r\n");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines has the terminal suspend at a second Ctrl-Z, and comes back whole", async () => {
  const { source, type, screen, modes } = open();
  const line = source.read({ secret: false });
  source.watchFocus();
  await type("half");
  screen();
  await type("\x1a");
  // As a shell wants it, before the terminal suspends the program.
  assertEquals(modes(), ["raw false"]);
  assertEquals(screen().endsWith("half\x1b[?2004l\x1b[?1004l"), true);
  // What has come meanwhile may be shown first, with the line below it.
  source.interrupt(() => {});
  screen();
  source.resumed();
  assertEquals(modes(), ["raw true"]);
  assertEquals(screen(), "\x1b[?2004h\x1b[?1004h\r\x1b[Jhalf");
  // Whoever thinks better of it types a line, which the terminal shows, and which nobody has sent.
  await type("\x1a");
  screen();
  await type(" and more\n");
  assertEquals(modes(), ["raw false", "raw true"]);
  assertEquals(screen(), "\x1b[?2004h\x1b[?1004h\r\x1b[Jhalf and more");
  await type("\r");
  assertEquals(await line, "half and more");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines has the terminal back ten seconds after a single Ctrl-Z, and for a secret", async () => {
  const { source, type, screen, modes, clock } = open();
  const line = source.read({ secret: false });
  await type("half");
  await type("\x1a");
  clock.advance(9_999);
  assertEquals(modes(), ["raw false"]);
  screen();
  clock.advance(1);
  assertEquals([modes(), screen()], [["raw true"], "\r\x1b[J\x1b[?2004hhalf"]);
  await type("!\r");
  assertEquals(await line, "half!");
  void source.read({ secret: false });
  await type("\x1a");
  void source.read({ secret: true });
  assertEquals([modes(), clock.timers], [["raw false", "raw true"], 0]);
  source[Symbol.dispose]();
});

const LATIN_1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const NO_UTF8 = "Some of what you typed is not valid UTF-8";

Deno.test("TerminalLines says once a line what is no UTF-8, and goes on", async () => {
  const { source, type, screen } = open();
  const line = source.read({ secret: false });
  // Cut in the middle of a character that is right.
  await type(new TextEncoder().encode("é").slice(0, 1));
  await type(new TextEncoder().encode("é\ufffd").slice(1));
  assertEquals(screen(), "é\ufffd");
  await type(LATIN_1("caf\xe9"));
  await type("s");
  const [before, after] = screen().replaceAll(/\r\n {2}/g, " ").split(NO_UTF8);
  assertEquals(before, "caf\r\x1b[J");
  assertEquals(after?.endsWith("settings.\r\né\ufffdcaf\ufffds"), true, after);
  await type(LATIN_1("\xff\r"));
  assertEquals([await line, screen()], ["é\ufffdcaf\ufffds\ufffd", "\ufffd\r\n"]);
  const next = source.read({ secret: false });
  await type(LATIN_1("\xfcber\r"));
  assertEquals(await next, "\ufffdber");
  assertEquals(screen().replaceAll(/\r\n {2}/g, " ").includes(NO_UTF8), true);
  source[Symbol.dispose]();
});

Deno.test("TerminalLines says that a secret was no UTF-8, when nobody types it any more", async () => {
  const { source, type, screen } = open();
  const secret = source.read({ secret: true });
  await type(LATIN_1("geh\xe9im"));
  assertEquals(screen(), "");
  await type("\r");
  assertEquals(await secret, "geh\ufffdim");
  const said = screen().replaceAll(/\r\n {2}/g, " ");
  assertEquals([said.startsWith(NO_UTF8), said.includes("geh")], [true, false]);
  source[Symbol.dispose]();
});

Deno.test("TerminalLines keeps to itself what was typed for a shell", async () => {
  const { source, type, screen, clock } = open();
  const line = source.read({ secret: false });
  await type("\x1a");
  screen();
  const toldOff = () => screen().replaceAll(/\s+/g, " ").includes("so it was not sent.");
  await type("fg\n");
  assertEquals(toldOff(), true);
  await type("\x1a");
  clock.advance(10_000);
  screen();
  await type("fg\r");
  assertEquals(toldOff(), true);
  await type("fg\r");
  assertEquals(await line, "fg");
  source[Symbol.dispose]();
});

Deno.test("TerminalLines knows whether the terminal has the focus", async () => {
  const { source, type, screen } = open();
  source.watchFocus();
  assertEquals(screen(), "\x1b[?1004h");
  await type("\x1b[I");
  assertEquals(source.focused, true);
  await type("\x1b[O");
  assertEquals([source.focused, screen()], [false, ""]);
  source[Symbol.dispose]();
  assertEquals(screen(), "\x1b[?2004l\x1b[?1004l");
});
