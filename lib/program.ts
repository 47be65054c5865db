import { red } from "@std/fmt/colors";
import { hanging } from "./console/layout.ts";
import { pageOf } from "./console/page.ts";
import { ExitCode, ExitError } from "./exit.ts";
import { reasonOf } from "./reasons.ts";

/**
 * Runs a program's `main` and ends the process: whatever goes wrong is one line on standard error
 * and an exit code.
 */
export async function runProgram(name: string, main: () => Promise<void>): Promise<never> {
  try {
    await main();
    Deno.exit(ExitCode.done);
  } catch (error) {
    const known = error instanceof ExitError;
    const message = known ? error.message : `unforeseen: ${reasonOf(error)}`;
    const page = pageOf(Deno.stderr);
    const line = hanging(`${name}: ${message.replaceAll(/\s*\n\s*/g, " ")}`, page);
    try {
      writeText(Deno.stderr, `${page.styled ? red(line) : line}\n`);
    } finally {
      Deno.exit(known ? error.exitCode : ExitCode.unforeseen);
    }
  }
}

/** What the program says can't be written any more. */
export class OutputError extends ExitError {
  override name = "OutputError";
}

/**
 * Writes the whole text.
 *
 * @throws {OutputError} `unforeseen`, where nobody reads any more
 */
export function writeText(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) {
      written += stream.writeSync(bytes.subarray(written));
    }
  } catch (cause) {
    const problem = cause instanceof Deno.errors.BrokenPipe
      ? "nobody reads the output any more: it was closed"
      : `the output can't be written: ${(cause as Error).message}`;
    throw new OutputError(ExitCode.unforeseen, problem, { cause });
  }
}

/** Calls `action` at each of the signals that the platform has. */
export function onSignals(signals: readonly Deno.Signal[], action: () => void): void {
  for (const signal of signals) {
    try {
      Deno.addSignalListener(signal, action);
    } catch {
      // Windows knows only some.
    }
  }
}

/** Two signals within this time are one, in milliseconds. */
const SAME_WISH_MS = 1_000;

/**
 * Tells a wish to end from an impatient one. A Ctrl-C may come twice: the terminal sends it to every
 * program, and `deno task` passes its own on.
 */
export class EndWish {
  #since: number | undefined;

  /** Whether this is the first (`now` in milliseconds), the same once more, or one that is repeated. */
  express(now: number): "first" | "same" | "again" {
    if (this.#since === undefined) {
      this.#since = now;
      return "first";
    }
    return now - this.#since < SAME_WISH_MS ? "same" : "again";
  }
}
