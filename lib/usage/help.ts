import { wrap } from "./wrap.ts";
import { type CommandSpec, COMMON_FLAGS, flagUsage, type ProgramSpec, usageOf } from "./table.ts";

/** The help is for terminals of the usual width, without the last column. */
const COLUMNS = 79;
/** The most columns for what is explained; what is longer has a line of its own. */
const TERM_COLUMNS = 28;

/**
 * What `--help` prints for some of a program's commands: those whose words begin with `words`. The first
 * line is the usage.
 */
export function formatHelp(program: ProgramSpec, words: readonly string[]): string {
  const { name, commands } = program;
  const within = commands.filter((command) => beginsWith(command.words, words));
  const [main] = within;
  const whole = words.length === 0;
  const shown = whole ? [main!] : within;
  const others = whole ? within.slice(1) : [];
  const usage = shown.map((command, index) =>
    `${index === 0 ? "usage:" : "      "} ${usageOf(name, command)} [FLAGS]`
  );
  const sections = [
    usage.join("\n"),
    ...paragraphs(shown).map((text) => wrap(text, COLUMNS)),
    section("Arguments", unique(shown.flatMap(argumentRows))),
    ...flagSections(shown),
    section(
      "Commands",
      (shown.length > 1 ? shown : others).map((command) => commandRow(command, words)),
    ),
    examples(shown),
    section(
      "Exit codes",
      (main!.exitCodes ?? program.exitCodes).map(([code, meaning]) =>
        [`${code}`, meaning] as const
      ),
    ),
  ];
  return sections.filter((text) => text !== "").join("\n\n");
}

/** What the commands do: their descriptions, each once, or the summary of one that has none. */
function paragraphs(commands: readonly CommandSpec[]): readonly string[] {
  const all = [...new Set(commands.flatMap(({ description }) => description))];
  const [command] = commands;
  // What one of a group does stands apart from what the group is for.
  const isOneOfGroup = commands.length === 1 && command!.words.length > 1;
  if (isOneOfGroup) return [sentence(command!), ...all];
  return all.length > 0 ? all : commands.map(sentence);
}

/** A command without the words that all of them begin with. */
function commandRow(command: CommandSpec, words: readonly string[]): Row {
  const usage = usageOf("", { ...command, words: command.words.slice(words.length) });
  return [usage.trim(), command.summary];
}

/** A command's summary as a sentence. */
export function sentence({ summary }: CommandSpec): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

/** Whether a command's words begin with some others. */
export function beginsWith(words: readonly string[], first: readonly string[]): boolean {
  return first.every((word, index) => words[index] === word);
}

type Row = readonly [term: string, what: string];

function argumentRows({ arguments: args }: CommandSpec): Row[] {
  return args.map(({ name, what }) => [`<${name}>`, what] as const);
}

/** The flags by their headings, with those that every command has under the first. */
function flagSections(commands: readonly CommandSpec[]): string[] {
  const flags = commands.flatMap(({ flags }) => flags);
  const headings = new Set(["Flags", ...flags.map(({ heading = "Flags" }) => heading)]);
  return [...headings].map((title) => {
    const own = flags.filter(({ heading = "Flags" }) => heading === title);
    const rows = [...own, ...title === "Flags" ? COMMON_FLAGS : []];
    return section(title, unique(rows.map((flag) => [flagUsage(flag), flag.what] as const)));
  });
}

function unique(rows: readonly Row[]): Row[] {
  return rows.filter(([term], index) => rows.findIndex(([other]) => other === term) === index);
}

function examples(commands: readonly CommandSpec[]): string {
  const all = commands.flatMap(({ examples }) => examples);
  if (all.length === 0) return "";
  const lines = all.map(({ line, what }) => `  ${line}\n${indent(wrap(what, COLUMNS - 6), 6)}`);
  return `Examples:\n${lines.join("\n")}`;
}

function section(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const fitting = rows.map(([term]) => term.length).filter((length) => length <= TERM_COLUMNS);
  const column = Math.max(...fitting, 0) + 4;
  const lines = rows.map(([term, what]) => {
    const text = indent(wrap(what, COLUMNS - column), column);
    const begun = `  ${term}`.padEnd(column);
    return begun.length > column ? `${begun}\n${text}` : begun + text.slice(column);
  });
  return `${title}:\n${lines.join("\n")}`;
}

function indent(text: string, columns: number): string {
  return text.replaceAll(/^/gm, " ".repeat(columns));
}
