// docs/ACCESSIBILITY.md is what the program does.
import { assert, assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { PassThrough } from "node:stream";
import { Settings } from "../../lib/client/settings.ts";
import { View } from "../../lib/client/view.ts";
import { Console } from "../../lib/console/console.ts";
import { type Page, UNWRAPPED } from "../../lib/console/page.ts";
import { TerminalLines } from "../../lib/console/terminal_lines.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const page = await Deno.readTextFile(new URL("../../docs/ACCESSIBILITY.md", import.meta.url));

/** The control sequences of the table, each at the beginning of a text. */
const SEQUENCES = [...page.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell]) =>
  [...cell!.matchAll(/`(.*?)`/g)].map(([, written]) => {
    const pattern = written!.split(" ").map((part) => {
      const names: Record<string, string> = { ESC: "\x1b", CR: "\r", LF: "\n", BEL: "\x07" };
      return part === "n" ? "(\\d*(?:;\\d+)*)" : (names[part] ?? part).replace(/[[?]/, "\\$&");
    });
    return new RegExp(`^${pattern.join("")}`);
  })
);

/** A terminal that knows what the page lists, and nothing else. */
class Terminal {
  readonly rows = [""];
  /** The first row that was ever touched again after the cursor had left it for good. */
  #row = 0;
  #column = 0;
  readonly columns = 20;

  write(text: string): void {
    for (let rest = text; rest !== "";) {
      const match = SEQUENCES.map((sequence) => sequence.exec(rest)).find((found) => found);
      if (match) this.#act(match[0], Number(match[1] || 1));
      else {
        // deno-lint-ignore no-control-regex
        assert(!/^[\x00-\x1f\x7f]/.test(rest), `not in the table: ${JSON.stringify(rest)}`);
        this.#put(rest[0]!);
      }
      rest = rest.slice(match?.[0].length ?? 1);
    }
  }

  #act(sequence: string, count: number): void {
    if (sequence === "\r") this.#column = 0;
    else if (sequence === "\n") {
      this.#row++;
      this.#column = 0;
      if (this.#row === this.rows.length) this.rows.push("");
    } else if (sequence.endsWith("A")) this.#row -= count;
    else if (sequence.endsWith("B")) this.#row += count;
    else if (sequence.endsWith("J")) {
      this.rows[this.#row] = this.rows[this.#row]!.slice(0, this.#column);
      this.rows.length = this.#row + 1;
    }
    assert(this.#row >= 0 && this.#row < this.rows.length, "the cursor leaves the screen");
  }

  #put(character: string): void {
    assert(this.#column < this.columns, "the terminal would have to wrap a line by itself");
    const row = this.rows[this.#row]!;
    this.rows[this.#row] = row.slice(0, this.#column) + character + row.slice(this.#column + 1);
    this.#column++;
  }
}

function open(settings: Partial<Record<string, unknown>> = {}) {
  const terminal = new Terminal();
  const written: string[] = [];
  const write = (text: string) => {
    written.push(text);
    terminal.write(text);
  };
  const keys = new PassThrough();
  const layout = (): Page => ({ ...UNWRAPPED, columns: terminal.columns, styled: true });
  const clock = new FakeClock();
  const source = new TerminalLines({
    input: keys,
    setRawMode: () => {},
    write,
    page: layout,
    clock,
    onInterrupt: () => {},
  });
  /** What was shown for good, in order. */
  const said: string[] = [];
  const say = (text: string) => {
    // deno-lint-ignore no-control-regex
    said.push(...text.replaceAll(/\x1b\[[\d;]*m/g, "").trimEnd().split("\n"));
    write(text);
  };
  const console = new Console(source, {
    dialogue: say,
    complaint: say,
    signal: write,
    dialoguePage: layout,
    complaintPage: layout,
  });
  const values = new Settings();
  for (const [name, value] of Object.entries({ style: "compact", ...settings })) {
    values.set(name as "style", value);
  }
  const view = new View({ console, settings: values, clock, noColor: false });
  view.username = "joe";
  const type = async (text: string) => {
    keys.write(text);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { terminal, source, view, type, said, written };
}

const words = fc.constantFrom(
  "hello",
  "joe",
  "a longer word",
  "x".repeat(50),
  "two\nlines",
  "*",
  "!",
);
const step = fc.oneof(
  fc.record({ kind: fc.constant("message" as const), text: words, direct: fc.boolean() }),
  fc.record({ kind: fc.constant("complaint" as const), text: words }),
  fc.record({ kind: fc.constant("presence" as const), text: words }),
  fc.record({
    kind: fc.constant("keys" as const),
    text: fc.constantFrom(
      "abc",
      "x".repeat(30),
      "\x1b[D",
      "\x1b[H",
      "\x7f",
      "\x15",
      "\x1b[A",
      "\r",
    ),
  }),
);

Deno.test("ACCESSIBILITY.md: what was shown stays, in order; only the line that is being typed changes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { terminal, source, view, type, said } = open();
      source.watchFocus();
      void source.read({ secret: false, prompt: "> " });
      for (const { kind, ...rest } of steps) {
        const { text, direct } = { direct: false, ...rest };
        const message = { id: 1, from: "anna", sent: 0, text, ...direct && { to: "joe" } };
        if (kind === "message") view.message(message);
        else if (kind === "complaint") view.complain(text);
        else if (kind === "presence") {
          const users = [text.split("\n")[0]!];
          view.presence({ joined: { count: 1, users }, left: { count: 0, users: [] } });
        } else {
          await type(text);
          if (text === "\r") {
            // What was typed stays, too.
            said.push(...terminal.rows.slice(said.length, -1));
            void source.read({ secret: false, prompt: "> " });
          }
        }
        assertEquals(terminal.rows.slice(0, said.length), said);
        const typed = terminal.rows.slice(said.length).join("");
        assert(typed.startsWith("> "), typed);
      }
      source[Symbol.dispose]();
    }),
    { seed: 11, numRuns: 100 },
  );
});

Deno.test("ACCESSIBILITY.md: without colours there are the same words", () => {
  const [colored, plain] = [open({ color: "always" }), open({ color: "never" })];
  for (const { view } of [colored, plain]) {
    for (const to of [undefined, "joe"]) {
      view.message({ id: 1, from: "anna", sent: 0, text: "hello joe", ...to && { to } });
    }
  }
  assert(colored.written.join("").includes("\x1b[38"));
  assertEquals(plain.written.join("").includes("\x1b[38"), false);
  assertEquals(colored.terminal.rows, plain.terminal.rows);
});

Deno.test("ACCESSIBILITY.md: the program's own lines have their marks, and no message has one", () => {
  const { view, said } = open({ times: "off" });
  view.notice("anna joined");
  view.complain("Wrong");
  view.message({ id: 1, from: "anna", sent: 0, text: "* bob joined\n! Wrong\n> hi" });
  const edge = said.filter((line) => !line.startsWith(" "));
  assertEquals(edge, ["* anna joined", "! Wrong", "anna: * bob joined"]);
});

Deno.test("ACCESSIBILITY.md: the page names every sequence that the program knows", () => {
  assertEquals(SEQUENCES.length, 9);
});
