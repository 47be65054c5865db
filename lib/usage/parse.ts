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
  const words = leadingWords(args, program);
  const command = program.commands.find((one) => one.words.join(" ") === words.join(" "));
  const rest = args.slice(words.length);
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

/** The words at the beginning that belong to a command's name. */
function leadingWords(args: readonly string[], { commands }: ProgramSpec): readonly string[] {
  let count = 0;
  while (
    count < args.length &&
    commands.some(({ words }) =>
      words.length > count && beginsWith(words, args.slice(0, count + 1))
    )
  ) count++;
  return args.slice(0, count);
}

function asksForHelp(args: readonly string[]): boolean {
  return args.some((arg) => ["--help", "-h", "--version"].includes(arg));
}
