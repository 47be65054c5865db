import { assertEquals } from "@std/assert";
import { type Deed, LineEditor } from "../../lib/console/line_editor.ts";

/** Presses keys: characters as they are, others by their names, such as `C-a`, `M-b`, `up`. */
function press(editor: LineEditor, ...keys: string[]): Deed {
  let deed: Deed;
  for (const key of keys) {
    const [, ctrl, meta, name = ""] = /^(C-)?(M-)?(.*)$/.exec(key)!;
    const isCharacter = !ctrl && !meta && [...name].length === 1;
    deed = editor.press({
      sequence: isCharacter ? name : "\x1b",
      name: isCharacter ? undefined : name,
      ctrl: ctrl !== undefined,
      meta: meta !== undefined,
    });
  }
  return deed;
}

function type(editor: LineEditor, text: string): void {
  press(editor, ...text);
}

/** The text with a bar where the cursor is. */
function shown({ text, cursor }: LineEditor): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

Deno.test("LineEditor.press() moves and deletes by what people see as a character", () => {
  const editor = new LineEditor();
  const family = "👨‍👩‍👧";
  type(editor, `e\u0301世`);
  editor.insert(family);
  assertEquals(shown(editor), `e\u0301世${family}|`);
  press(editor, "left");
  assertEquals(shown(editor), `e\u0301世|${family}`);
  press(editor, "backspace", "left", "delete");
  assertEquals(shown(editor), `|${family}`);
  press(editor, "right", "x");
  assertEquals(shown(editor), `${family}x|`);
});

Deno.test("LineEditor.press() has the usual keys for words, ends and what was cut", () => {
  const editor = new LineEditor();
  type(editor, "DM joe it's late");
  const steps: [string, string][] = [
    ["M-b", "DM joe it's |late"],
    ["C-left", "DM joe it'|s late"],
    ["M-f", "DM joe it's| late"],
    ["C-w", "DM joe | late"],
    ["C-y", "DM joe it's| late"],
    ["C-k", "DM joe it's|"],
    ["C-a", "|DM joe it's"],
    ["M-d", "| joe it's"],
    ["C-e", " joe it's|"],
    ["C-u", "|"],
    ["C-y", " joe it's|"],
    ["M-return", " joe it's\n|"],
    ["C-h", " joe it's|"],
  ];
  for (const [key, expected] of steps) {
    press(editor, key);
    assertEquals(shown(editor), expected, key);
  }
});

Deno.test("LineEditor remembers lines, and brings back what was being typed", () => {
  const editor = new LineEditor();
  for (const line of ["one", "two", "two", "  "]) {
    type(editor, line);
    assertEquals(press(editor, "return"), "submit");
    assertEquals(editor.take({ remember: true }), line);
  }
  type(editor, "secret");
  editor.take({ remember: false });
  type(editor, "half");
  const seen = ["up", "up", "up", "down", "down", "down"].map((key) => {
    press(editor, key);
    return editor.text;
  });
  assertEquals(seen, ["two", "one", "one", "two", "half", "half"]);
});

Deno.test("LineEditor searches its history with Ctrl-R, and gives the draft back", () => {
  const editor = new LineEditor();
  for (const line of ["PM one", "DM joe two", "PM three"]) {
    type(editor, line);
    editor.take({ remember: true });
  }
  type(editor, "half");
  press(editor, "C-r", "P", "M");
  assertEquals([editor.text, editor.query], ["PM three", "PM"]);
  press(editor, "C-r");
  assertEquals(editor.text, "PM one");
  press(editor, "escape");
  assertEquals([editor.text, editor.query], ["half", undefined]);
  press(editor, "C-r", "j", "o", "end");
  assertEquals([editor.text, editor.query], ["DM joe two", undefined]);
});

Deno.test("LineEditor.paste() shows a large paste by its size, and gives it whole", () => {
  const editor = new LineEditor();
  const large = Array.from({ length: 300 }, (_, at) => `line ${at}`).join("\n");
  assertEquals(editor.paste("one\ntwo"), false);
  assertEquals(editor.paste(large), true);
  const standIn = editor.text.slice("one\ntwo".length);
  assertEquals(editor.standsFor(standIn), `[paste: 300 lines, ${large.length} characters]`);
  assertEquals(editor.take({ remember: true }), `one\ntwo${large}`);
  press(editor, "up", "backspace");
  assertEquals(editor.text, "one\ntwo");
});

Deno.test("LineEditor.complete() puts in what all candidates have in common", () => {
  const editor = new LineEditor();
  type(editor, "DM j");
  assertEquals(editor.complete({ from: 3, candidates: ["joe", "john"] }), true);
  assertEquals(editor.text, "DM jo");
  assertEquals(editor.complete({ from: 3, candidates: ["joe", "john"] }), false);
  assertEquals(editor.complete({ from: 3, candidates: [] }), false);
  assertEquals(editor.complete({ from: 3, candidates: ["joe"] }), true);
  assertEquals(editor.text, "DM joe ");
});
