import { sentence } from "./help.ts";
import { wrap } from "./wrap.ts";
import {
  type CommandSpec,
  COMMON_FLAGS,
  type ExitCodes,
  type FlagSpec,
  type ProgramSpec,
} from "./table.ts";

/** Escapes make the lines longer, and 80 is the most. */
const SOURCE_COLUMNS = 60;

/**
 * A program's page of the manual, section 1, in the macros of man(7).
 *
 * @param version such as "0.1.0"
 */
export function formatManPage(program: ProgramSpec, version: string): string {
  const { name, commands, exitCodes, files } = program;
  const [main, ...others] = commands;
  const other = name === "chatserver" ? "chatclient" : "chatserver";
  return [
    // The same source gives the same page, so there is no day on it.
    `.TH ${name.toUpperCase()} 1 "" "chat ${escaped(version)}" "User Commands"`,
    ".SH NAME",
    `${name} \\- ${escaped(program.summary)}`,
    ".SH SYNOPSIS",
    commands.map((command) => synopsis(name, command)).join("\n.br\n"),
    ".SH DESCRIPTION",
    paragraphs(main!.description),
    ...main!.arguments.map(({ name, what }) => tagged(`.I ${escaped(name)}`, what)),
    ".SH OPTIONS",
    ...options([...main!.flags, ...COMMON_FLAGS]),
    ".SH COMMANDS",
    ...others.flatMap((command) => section(name, command)),
    ".SH EXIT STATUS",
    ...codes(exitCodes),
    ".SH FILES",
    ...files.map(([path, what]) => tagged(`.I ${escaped(path)}`, what)),
    ".SH EXAMPLES",
    ...commands.flatMap(({ examples }) => examples).map(({ line, what }) =>
      tagged(`.B ${escaped(line)}`, what)
    ),
    ".SH SEE ALSO",
    `.BR ${other} (1)`,
    "",
  ].join("\n");
}

function section(program: string, command: CommandSpec): string[] {
  return [
    `.SS ${escaped([program, ...command.words].join(" "))}`,
    paragraphs([sentence(command), ...command.description]),
    ...command.arguments.map(({ name, what }) => tagged(`.I ${escaped(name)}`, what)),
    ...options(command.flags),
    ...command.exitCodes === undefined
      ? []
      : [".PP", "Its exit status:", ...codes(command.exitCodes)],
  ];
}

function synopsis(program: string, { words, arguments: args, synopsis }: CommandSpec): string {
  const rest = synopsis ?? args.map(({ name }) => `<${name}>`).join(" ");
  const shown = escaped(rest).replaceAll(/<(\w+)>/g, "\\fI$1\\fR");
  return `\\fB${escaped([program, ...words].join(" "))}\\fR ${shown} [\\fIFLAGS\\fR]`;
}

function options(flags: readonly FlagSpec[]): string[] {
  return flags.map(({ name, value, what }) => {
    const flag = `\\fB${escaped(`--${name}`)}\\fR`;
    return tagged(value === undefined ? flag : `${flag} \\fI${escaped(value)}\\fR`, what);
  });
}

function codes(all: ExitCodes): string[] {
  return all.map(([code, meaning]) => tagged(`.B ${code}`, meaning));
}

function tagged(term: string, text: string): string {
  return `.TP\n${term}\n${filled(text)}`;
}

function paragraphs(all: readonly string[]): string {
  return all.map(filled).join("\n.PP\n");
}

/** Text in lines of the usual length; where they end means nothing. */
function filled(text: string): string {
  return wrap(text, SOURCE_COLUMNS).split("\n").map(escaped).join("\n");
}

/** Backslashes, hyphens that may be copied, and what looks like a request at the beginning. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("~", "\\(ti")
    .replaceAll('"', "\\(dq").replaceAll("'", "\\(aq").replace(/^\./, "\\&.");
}
