import { assertEquals, assertRejects } from "@std/assert";
import { Console, type LineSource } from "../../lib/console/console.ts";
import { UNWRAPPED } from "../../lib/console/page.ts";

/** A source that answers when the test says so. */
class FakeSource implements LineSource {
  answer: (line: string | undefined) => void = () => {};
  asked: boolean[] = [];

  read({ secret }: { secret: boolean }): Promise<string | undefined> {
    this.asked.push(secret);
    return new Promise((resolve) => this.answer = resolve);
  }
  interrupted = 0;
  interrupt(write: () => void): void {
    this.interrupted++;
    write();
  }
  [Symbol.dispose](): void {}
}

function open() {
  const source = new FakeSource();
  const out: string[] = [];
  const err: string[] = [];
  const console = new Console(source, {
    dialogue: (text) => out.push(text),
    complaint: (text) => err.push(text),
    dialoguePage: () => UNWRAPPED,
    complaintPage: () => ({ ...UNWRAPPED, columns: 20 }),
  });
  return { source, console, output: () => out.splice(0).join(""), errors: () => err.splice(0) };
}

const { signal } = new AbortController();

Deno.test("Console.ask() prints the question and gives the answer", async () => {
  const { source, console, output } = open();
  const answer = console.ask("To:", { signal });
  assertEquals(output(), "To:\n");
  source.answer("joe");
  assertEquals(await answer, "joe");
  assertEquals([output(), source.asked], ["", [false]]);
});

Deno.test("Console.ask() keeps what is typed already out of the question's line", () => {
  const { source, console } = open();
  void console.ask("To:", { signal });
  assertEquals(source.interrupted, 1);
});

Deno.test("Console.ask() leaves an empty line where a secret was typed", async () => {
  const { source, console, output } = open();
  const answer = console.ask("Password:", { signal, secret: true });
  source.answer("geheim");
  assertEquals(await answer, "geheim");
  assertEquals([output(), source.asked], ["Password:\n\n", [true]]);
});

Deno.test("Console.print() prints an open question again, and only an open one", async () => {
  const { source, console, output } = open();
  console.print("one");
  assertEquals(output(), "one\n");
  const answer = console.ask("To:", { signal });
  console.print("two");
  assertEquals(output(), "To:\ntwo\nTo:\n");
  source.answer("joe");
  await answer;
  console.print("three");
  assertEquals(output(), "three\n");
});

Deno.test("Console.complain() stays out of the dialogue", () => {
  const { console, output, errors } = open();
  console.complain("No.");
  assertEquals([output(), errors()], ["", ["No.\n"]]);
});

Deno.test("Console.complain() wraps, and lets only the first line begin at the edge", () => {
  const { console, errors } = open();
  console.complain("This is refused. To:");
  assertEquals(errors(), ["This is refused.\n  To:\n"]);
});

Deno.test("Console.ask() ends with the signal's reason, at once", async () => {
  const { console } = open();
  const over = new AbortController();
  const answer = console.ask("To:", { signal: over.signal });
  over.abort(new RangeError("over"));
  await assertRejects(() => answer, RangeError, "over");
  await assertRejects(() => console.ask("To:", { signal: over.signal }), RangeError, "over");
});
