/** What a shell offers for a value: folders, files, names of hosts, or some words. */
export type Offer = "folder" | "file" | "host" | readonly string[];

/** An argument of a command. */
export interface ArgumentSpec {
  name: string;
  /** What it is, as the end of a sentence. */
  what: string;
  offer?: Offer;
  /** Whether it may be left out. Those that may stand behind those that may not. @default false */
  optional?: boolean;
}

/** A flag of a command. `--help` and `--version` are always there. */
export interface FlagSpec {
  /** Without the dashes. */
  name: string;
  /** What its value is called. @default it takes none */
  value?: string;
  what: string;
  offer?: Offer;
  /** The heading under which it stands in `--help`. @default "Flags" */
  heading?: string;
}

/** A command line and what it is for. */
export interface Example {
  line: string;
  what: string;
}

/** One command of a program. */
export interface CommandSpec {
  /** The words behind the program's name that call it; none for what the program itself does. */
  words: readonly string[];
  /** What it does, in a few words: "lists the accounts". */
  summary: string;
  /** Paragraphs. */
  description: readonly string[];
  arguments: readonly ArgumentSpec[];
  /** How the arguments stand in the usage. @default one after another */
  synopsis?: string;
  flags: readonly FlagSpec[];
  examples: readonly Example[];
  /** @default those of the program */
  exitCodes?: ExitCodes;
}

/** Exit codes, and what they say. */
export type ExitCodes = readonly (readonly [code: number, meaning: string])[];

/**
 * All that a program's command line may hold. What parses it, `--help`, the completion of the shells and
 * the man page are made from this one table.
 */
export interface ProgramSpec {
  name: string;
  /** What it is, in a few words: "serves a chat". */
  summary: string;
  /** The command without words is the first. */
  commands: readonly CommandSpec[];
  exitCodes: ExitCodes;
  /** The files it uses, and what they are; for the man page. */
  files: readonly (readonly [path: string, what: string])[];
}

/** What every command takes. */
export const COMMON_FLAGS: readonly FlagSpec[] = [
  { name: "help", what: "this text; -h, too" },
  { name: "version", what: "the version" },
];

/** The shells that can be told about the programs. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

/** The command of both programs that prints what completes their command lines. */
export function completionsCommand(program: string): CommandSpec {
  return {
    words: ["completions"],
    summary: "prints what makes a shell complete its command lines",
    description: [
      "Prints a script that makes a shell complete the program's flags and arguments. The " +
      "installer has put it where bash and fish look.",
    ],
    arguments: [{ name: "shell", what: `one of ${SHELLS.join(", ")}`, offer: SHELLS }],
    flags: [],
    examples: [
      { line: `. <(${program} completions bash)`, what: "for this shell, in bash" },
      {
        line: `${program} completions powershell | Out-String | Invoke-Expression`,
        what: "in PowerShell; also a line for the profile",
      },
    ],
  };
}

/** An argument as the usage shows it. */
export function placeholder({ name, optional = false }: ArgumentSpec): string {
  return optional ? `[<${name}>]` : `<${name}>`;
}

/** How a command is called, without its flags: `chatserver users add <username>`. */
export function usageOf(
  program: string,
  { words, arguments: args, synopsis }: CommandSpec,
): string {
  return [program, ...words, synopsis ?? args.map(placeholder).join(" ")]
    .filter((part) => part !== "").join(" ");
}

/** A flag as it is typed: `--data FOLDER`. */
export function flagUsage({ name, value }: FlagSpec): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
