import { type CommandLine, parseCommandLine } from "../command_line.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { beginsWith, formatHelp } from "./help.ts";
import type { CommandSpec, ProgramSpec } from "./table.ts";

/** A command line of a program with commands. */
export interface ProgramCommandLine extends CommandLine {
  /** The command's words with blanks between them; empty for what the program itself does. */
  command: string;
}

/**
 * Reads a program's command line. `--help` and `--version` print what they are for, and so does `-h`.
 *
 * @returns undefined where that was all there was to do
 * @throws {ExitError} `usage`
 */
export function parseProgram(
  args: readonly string[],
  program: ProgramSpec,
): ProgramCommandLine | undefined {
  const { words, rest } = splitWords(args, program);
  const command = program.commands.find((one) => one.words.join(" ") === words.join(" "));
  if (command === undefined && !asksForHelp(rest)) {
    const choices = program.commands.filter((one) => beginsWith(one.words, words))
      .map((one) => one.words[words.length]);
    throw new ExitError(
      ExitCode.usage,
      `${program.name} ${words.join(" ")} takes one of ${choices.join(", ")} (--help tells more)`,
    );
  }
  const { arguments: named, flags } = command ?? { arguments: [], flags: [] } as Partial<
    CommandSpec
  > as CommandSpec;
  const parsed = parseCommandLine(rest, {
    program: program.name,
    help: formatHelp(program, words),
    arguments: named.map(({ name }) => name),
    optional: named.filter(({ optional }) => optional).length,
    flags: flags.filter(({ value }) => value === undefined).map(({ name }) => name),
    options: flags.filter(({ value }) => value !== undefined).map(({ name }) => name),
  });
  return parsed && { ...parsed, command: words.join(" ") };
}

/**
 * The words that belong to a command's name, and all else. Behind the first of them flags may stand between them:
 * `chatserver control --data FOLDER status`.
 */
function splitWords(
  args: readonly string[],
  { commands }: ProgramSpec,
): { words: readonly string[]; rest: readonly string[] } {
  const words: string[] = [];
  const rest: string[] = [];
  let next = 0;
  while (next < args.length) {
    const arg = args[next]!;
    const candidates = commands.filter((one) =>
      one.words.length > words.length && beginsWith(one.words, words)
    );
    if (candidates.some((one) => one.words[words.length] === arg)) {
      words.push(arg);
      next++;
      continue;
    }
    const flag = words.length === 0 ? undefined : candidates.flatMap(({ flags }) => flags)
      .find(({ name }) => arg === `--${name}` || arg.startsWith(`--${name}=`));
    if (flag === undefined) break;
    const taken = flag.value === undefined || arg.includes("=") ? 1 : 2;
    rest.push(...args.slice(next, next + taken));
    next += taken;
  }
  return { words, rest: [...rest, ...args.slice(next)] };
}

function asksForHelp(args: readonly string[]): boolean {
  return args.some((arg) => ["--help", "-h", "--version"].includes(arg));
}
