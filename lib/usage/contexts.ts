import { beginsWith } from "./help.ts";
import { type ArgumentSpec, COMMON_FLAGS, type FlagSpec, type ProgramSpec } from "./table.ts";

/** What may follow some words of a command line. */
export interface Context {
  /** The words, each with a blank before it: "" and " users add". */
  command: string;
  /** The words of commands that may come next. */
  next: readonly Word[];
  /** The arguments, the first of which stands where a word of a command may. */
  arguments: readonly ArgumentSpec[];
  flags: readonly FlagSpec[];
}

/** A word of a command. */
export interface Word {
  word: string;
  summary: string;
}

/** Every place in a program's command lines, the shortest first. */
export function contextsOf({ commands }: ProgramSpec): Context[] {
  const prefixes = commands.flatMap(({ words }) =>
    words.map((_, index) => words.slice(0, index + 1))
  );
  const distinct = new Map([[], ...prefixes].map((words) => [join(words), words]));
  return [...distinct].map(([command, words]) => {
    const own = commands.find((one) => join(one.words) === command);
    const below = commands.filter((one) =>
      one.words.length > words.length && beginsWith(one.words, words)
    );
    const next = new Map<string, string>();
    for (const { words: all, summary } of below) {
      const word = all[words.length]!;
      const single = all.length === words.length + 1;
      next.set(word, single ? summary : `the commands of "${word}"`);
    }
    return {
      command,
      next: [...next].map(([word, summary]) => ({ word, summary })),
      arguments: own?.arguments ?? [],
      flags: [...own?.flags ?? [], ...COMMON_FLAGS],
    };
  });
}

/** The flags with a value of all commands, each once: `--data`. */
export function valuedFlags(contexts: readonly Context[]): string[] {
  const valued = contexts.flatMap(({ flags }) => flags).filter(({ value }) => value !== undefined);
  return [...new Set(valued.map(({ name }) => `--${name}`))];
}

/** The text in single quotation marks, as bash, zsh and PowerShell have them by `escape`. */
export function singleQuoted(text: string, escape: string): string {
  return `'${text.replaceAll("'", escape)}'`;
}

function join(words: readonly string[]): string {
  return words.map((word) => ` ${word}`).join("");
}
