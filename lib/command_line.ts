import { parseArgs } from "@std/cli/parse-args";
import { ExitCode, ExitError } from "./exit.ts";
import { describeVersion } from "./version.ts";

/** What a program's command line may hold. */
export interface CommandLineSpec {
  /** The program's name. */
  program: string;
  /** Shown by `--help`. The first line is the usage. */
  help: string;
  /** The names of the arguments, in order. */
  arguments: readonly string[];
  /** How many of them, the last ones, may be left out. @default 0 */
  optional?: number;
  /** Flags that stand alone. `help` and `version` are always there. */
  flags?: readonly string[];
  /** Flags with a value. */
  options?: readonly string[];
}

/** What stood on a command line. */
export interface CommandLine {
  /** The arguments that were given, by name. */
  arguments: Record<string, string>;
  flags: ReadonlySet<string>;
  /** The values of the flags that have one, by name; the last where one is given twice. */
  options: Record<string, string>;
}

/**
 * Reads a command line. `--help` and `--version` print what they are for.
 *
 * @returns undefined where that was all there was to do
 * @throws {ExitError} `usage`
 */
export function parseCommandLine(
  args: readonly string[],
  spec: CommandLineSpec,
): CommandLine | undefined {
  function wrong(problem: string): never {
    const [usage] = spec.help.split("\n");
    throw new ExitError(ExitCode.usage, `${problem} (${usage}; --help tells more)`);
  }
  // "-h" is the only short flag, and "_" is the parser's own name for the arguments: it would take both for known.
  const flags = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const unknown = flags.find((arg) => /^(-[^-]|--_(=|$))/.test(arg) && arg !== "-h");
  if (unknown !== undefined) wrong(`there is no flag ${unknown}`);

  const boolean = ["help", "version", ...spec.flags ?? []];
  const options = spec.options ?? [];
  const valued = boolean.find((name) => flags.some((arg) => arg.startsWith(`--${name}=`)));
  if (valued !== undefined) wrong(`--${valued} takes no value`);
  const parsed = parseArgs(args, {
    boolean,
    alias: { help: "h" },
    // "_": arguments that look like numbers stay as they were typed.
    string: ["_", ...options],
    unknown: (arg, key) => key === undefined ? true : wrong(`there is no flag ${arg}`),
  });
  if (parsed["help"]) return void console.log(spec.help);
  if (parsed["version"]) return void console.log(describeVersion(spec.program));

  const positional = parsed._.map(String);
  const needed = spec.arguments.slice(0, spec.arguments.length - (spec.optional ?? 0));
  const missing = needed[positional.length];
  if (missing !== undefined) wrong(`the ${missing} is missing`);
  const empty = spec.arguments.find((_, index) => positional[index] === "");
  if (empty !== undefined) wrong(`the ${empty} is empty`);
  const surplus = positional[spec.arguments.length];
  if (surplus !== undefined) wrong(`there is one argument too many: ${surplus}`);

  const values = options.filter((name) => parsed[name] !== undefined).map((name) => {
    const value = String(parsed[name]);
    return value === "" ? wrong(`--${name} needs a value`) : [name, value];
  });
  return {
    arguments: Object.fromEntries(positional.map((value, index) => [spec.arguments[index], value])),
    flags: new Set(boolean.filter((name) => parsed[name])),
    options: Object.fromEntries(values),
  };
}

/**
 * Reads a port.
 *
 * @param lowest 0 where the system may choose one
 * @throws {ExitError} `usage`
 */
export function parsePort(text: string, lowest: 0 | 1): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port >= lowest && port <= 65_535)) {
    throw new ExitError(
      ExitCode.usage,
      `${JSON.stringify(text)} is no port: a port is a number from ${lowest} to 65535`,
    );
  }
  return port;
}
