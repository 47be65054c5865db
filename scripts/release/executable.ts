import { join } from "node:path";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { ROOT } from "./bundle.ts";
import { CANT_DOWNLOAD, CommandError, run } from "./run.ts";
import { checkStub } from "./stub.ts";
import { HOST, type Target } from "./targets.ts";

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  target: Target;
  /** The executable's file. */
  output: string;
  /** The task of `deno.json` that has the flags. */
  task: "server" | "client";
  signal?: AbortSignal;
}

/** The flags that a task of `deno.json` runs its program with: permissions, and what V8 is told. */
export async function flagsOf(task: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  return tasks[task].command.split(" ").filter((word: string) =>
    /^--(?:allow|deny|no-prompt|v8-flags)/.test(word)
  );
}

/**
 * Compiles a bundled program, which has to be alone in its folder: what lies beside it could be
 * embedded, too.
 *
 * `DENORT_BIN` names the runtime stub where Deno has none in its cache and can't download it, and
 * `COMPILE_DENO` the Deno that the stub belongs to, where that is another one.
 *
 * @throws {ExitError} `unforeseen`, with what would help
 */
export async function compile(bundle: string, options: CompileOptions): Promise<void> {
  const { target, output, task, signal } = options;
  await checkStub(target);
  const deno = Deno.env.get("COMPILE_DENO") ?? Deno.execPath();
  const compiling = run(
    [
      deno,
      "compile",
      "--quiet",
      "--no-config",
      "--no-check",
      "--no-code-cache",
      "--unstable-net",
      ...await flagsOf(task),
      "--target",
      target,
      "--output",
      output,
      bundle,
    ],
    {
      cwd: join(bundle, ".."),
      env: { NO_COLOR: "1" },
      ...(signal && { signal }),
    },
  );
  try {
    await compiling;
  } catch (error) {
    throw error instanceof CommandError ? explained(error, target) : error;
  }
}

/** An executable of this system has to start: a stub of another version makes one that does not. */
export async function checkStarts(output: string, target: Target): Promise<void> {
  if (target !== HOST) return;
  try {
    await run([output, "--version"]);
  } catch (cause) {
    const problem = "what was compiled does not start: is DENORT_BIN of the version of the Deno " +
      "that compiles?";
    throw new ExitError(ExitCode.unforeseen, problem, { cause });
  }
}

function explained(error: CommandError, target: Target): Error {
  const { printed } = error;
  if (/invalid value .* for '--target/.test(printed)) {
    return new ExitError(ExitCode.unforeseen, `the Deno that compiles knows no ${target}`);
  }
  if (!CANT_DOWNLOAD.test(printed)) return error;
  return new ExitError(
    ExitCode.unforeseen,
    `there is no runtime for ${target}: Deno can't download it, so it needs the network, a filled ` +
      "cache, or DENORT_BIN with a runtime stub of that target",
    { cause: error },
  );
}
