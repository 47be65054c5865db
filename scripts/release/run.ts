import { ExitCode, ExitError } from "../../lib/exit.ts";

/** Options of {@linkcode run}. */
export interface RunOptions {
  /** @default the current folder */
  cwd?: string;
  /** Variables beside the environment's own. */
  env?: Record<string, string>;
  /** Ends the command where it is aborted. */
  signal?: AbortSignal;
}

/**
 * Runs a command to its end.
 *
 * @returns its standard output
 * @throws {CommandError} where it fails; the signal's reason, where that is aborted
 */
export async function run(
  [command, ...args]: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, ...options })
    .output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  options.signal?.throwIfAborted();
  if (success) return output!;
  throw new CommandError([command, ...args], `${errors}${output}`);
}

/** What a Deno prints that can't download something. */
export const CANT_DOWNLOAD = /error sending request/;

/** A command that failed. The message is one line. */
export class CommandError extends ExitError {
  override name = "CommandError";
  /** All that the command printed. */
  readonly printed: string;

  constructor(command: readonly string[], printed: string) {
    const name = command.slice(0, 2).join(" ");
    super(ExitCode.unforeseen, `"${name}" failed: ${summary(printed)}`);
    this.printed = printed;
  }
}

/** What a Deno that failed says is wrong: its error and the causes, without the stack behind them. */
function summary(printed: string): string {
  const [problem] = printed.split("Stack backtrace:");
  const lines = problem!.split("\n").map((line) => line.trim());
  const error = lines.findIndex((line) => line.startsWith("error: "));
  return lines.slice(Math.max(error, 0)).filter((line) => line !== "").join(" ")
    .replace(/^error: /, "");
}
