import { assertEquals } from "@std/assert";
import { COMMANDS, DIRECT } from "../../lib/client/commands/table.ts";
import { closestCommand, readInput } from "../../lib/client/input.ts";

function read(line: string, compact: boolean): string {
  const input = readInput(line, { commands: COMMANDS, direct: DIRECT, compact });
  switch (input.kind) {
    case "command":
      return `${input.command.name}(${input.rest})`;
    case "text":
      return `text: ${input.text}`;
    case "unknown":
      return `unknown: ${input.word}`;
    case "nothing":
      return "nothing";
  }
}

Deno.test("readInput() takes commands of the table in any case in the classic style", () => {
  const lines: Record<string, string> = {
    "PM hello": "PM(hello)",
    " pm  hello all ": "PM(hello all)",
    "Dm joe a\nb": "DM(joe a\nb)",
    "": "nothing",
    "quit": "EX()",
    "Exit": "EX()",
    "quit it": "text: quit it",
    "?": "HE()",
    "/help": "HE()",
    "/MSG joe hi": "DM(joe hi)",
    "/pm hi": "PM(hi)",
    "@joe hi": "DM(@joe hi)",
    "@joe: hi": "DM(@joe: hi)",
    "/wave": "unknown: /wave",
    "/etc/passwd": "text: /etc/passwd",
    "hello": "text: hello",
    "/compact": "/compact()",
    "compact": "text: compact",
  };
  for (const [line, expected] of Object.entries(lines)) {
    assertEquals(read(line, false), expected);
  }
});

Deno.test("readInput() takes plain text for a message in the compact style", () => {
  const lines: Record<string, string> = {
    "he said hi": "text: he said hi",
    "HE": "HE()",
    "/he": "HE()",
    "PM hello": "PM(hello)",
    "pm hello": "text: pm hello",
    "quit": "EX()",
    "I quit": "text: I quit",
    "//quit": "text: /quit",
    "  indented": "text:   indented",
    "@joe hi": "DM(@joe hi)",
    "dm joe hi": "DM(joe hi)",
    "Dm joe": "DM(joe)",
    "dm": "text: dm",
    "dms are private": "text: dms are private",
    "@ noon": "text: @ noon",
    "/wave": "unknown: /wave",
  };
  for (const [line, expected] of Object.entries(lines)) {
    assertEquals(read(line, true), expected);
  }
});

Deno.test("COMMANDS gives each word one meaning, and a help line that fits", () => {
  const words = COMMANDS.flatMap(({ words }) => words);
  assertEquals(words.length, new Set(words).size);
  for (const { alone = [], words, name, help } of COMMANDS) {
    assertEquals(alone.filter((word) => !words.includes(word) && word !== ":q"), []);
    assertEquals(`${name} ${help}`.length <= 60, true);
  }
});

Deno.test("closestCommand() knows what was probably meant", () => {
  const meant: Record<string, string | undefined> = {
    "/hlep": "/help",
    "/QIUT": "/quit",
    "/msgg": "/msg",
    "/wo": "/who",
    "/away": undefined,
    "/nick": undefined,
    "/x": undefined,
  };
  for (const [word, command] of Object.entries(meant)) {
    assertEquals(closestCommand(word, COMMANDS), command);
  }
});
