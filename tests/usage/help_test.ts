import { assert, assertEquals, assertMatch } from "@std/assert";
import { CHATCLIENT } from "../../lib/client/usage.ts";
import { LIMITS } from "../../lib/server/limits.ts";
import { CHATSERVER } from "../../lib/server/usage.ts";
import { formatHelp } from "../../lib/usage/help.ts";
import { parseProgram } from "../../lib/usage/parse.ts";

const PROGRAMS = [CHATCLIENT, CHATSERVER];

/** A line of an example in words, as a shell takes it; without what stands before and behind a pipe. */
function wordsOf(line: string): string[] {
  const call = line.split("|").find((part) => part.trim().startsWith("chat")) ?? "";
  return [...call.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
}

Deno.test("formatHelp() fits into 80 columns, for every command", () => {
  for (const program of PROGRAMS) {
    for (
      const words of [
        [],
        ["users"],
        ["control"],
        ...program.commands.map(({ words }) => words),
      ]
    ) {
      if (["users", "control"].includes(words[0]!) && program === CHATCLIENT) continue;
      const help = formatHelp(program, words);
      assert(help.startsWith(`usage: ${[program.name, ...words].join(" ")}`), help);
      for (const line of help.split("\n")) {
        assert(line.length < 80 && line === line.trimEnd(), line);
      }
    }
  }
});

Deno.test("formatHelp() names every flag, argument, limit, exit code, and examples", () => {
  for (const program of PROGRAMS) {
    for (const { words, flags, arguments: args, examples, exitCodes } of program.commands) {
      const help = formatHelp(program, words);
      for (const { name } of [...flags, { name: "help" }, { name: "version" }]) {
        assertMatch(help, new RegExp(`^  --${name}\\b`, "m"));
      }
      for (const { name } of args) assertMatch(help, new RegExp(`^  <${name}>`, "m"));
      for (const { line } of examples) assert(help.includes(`\n  ${line}\n`), line);
      for (const [code] of exitCodes ?? program.exitCodes) {
        assertMatch(help, new RegExp(`^  ${code}  `, "m"));
      }
    }
    assert(program.commands[0]!.examples.length > 0);
  }
  const help = formatHelp(CHATSERVER, []);
  for (const { flag, default: normal } of Object.values(LIMITS)) {
    assertMatch(help, new RegExp(`--${flag} N[^]*?\\(default:\\s+${normal}\\)`));
  }
});

Deno.test("formatHelp() says of a group what each of its commands does, and what is for all of them once", () => {
  for (const group of ["users", "control"]) {
    const commands = CHATSERVER.commands.filter(({ words }) => words[0] === group);
    const help = formatHelp(CHATSERVER, [group]).replaceAll(/\s+/g, " ");
    for (const { words, summary, description } of commands) {
      assert(help.includes(summary), `${words}: ${summary}`);
      for (const text of description) assertEquals(help.split(text).length, 2, text);
      const own = formatHelp(CHATSERVER, words).replaceAll(/\s+/g, " ");
      assert(own.toLowerCase().includes(`${summary.toLowerCase()}.`), own);
    }
  }
});

Deno.test("every example is a command line that the program takes", () => {
  let count = 0;
  for (const program of PROGRAMS) {
    for (const { examples, words } of program.commands) {
      for (const { line } of examples) {
        const [name, ...args] = wordsOf(line.replace(/^\. <\((.*)\)$/, "$1"));
        assertEquals(name, program.name, line);
        assertEquals(parseProgram(args, program)?.command, words.join(" "), line);
        count++;
      }
    }
  }
  assert(count >= 10);
});
