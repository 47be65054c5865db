/**
 * Makes what is released, in `dist/`: for each target the two executables and the archive, and the
 * sums of the archives. The executables of this system are there under their plain names, too.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "node:path";
import { ExitCode, ExitError } from "../lib/exit.ts";
import { onSignals, runProgram } from "../lib/program.ts";
import { VERSION } from "../lib/version.ts";
import { bundle, currentCommit, ROOT } from "./release/bundle.ts";
import { makeOutputFolder, workFolder } from "./release/folders.ts";
import { release, writeSums } from "./release/release.ts";
import { HOST, parseTarget, PROGRAMS, type Target, TARGETS } from "./release/targets.ts";

const USAGE = "usage: deno task compile [--target TARGET ... | --all] [--output FOLDER]";
const HELP = `${USAGE}

Makes chatserver and chatclient, an archive of both, and SHA256SUMS.

  --target TARGET  for this target; may be given more than once (default: this system)
  --all            for every target
  --output FOLDER  where to (default: dist)

Targets:
${TARGETS.map((target) => `  ${target}`).join("\n")}

DENORT_BIN names a runtime stub, where Deno has none in its cache and can't download it, and
COMPILE_DENO the Deno it belongs to, where that is another one than this.

Exit codes: 0 done, 2 usage, 1 anything else.`;

function usageError(problem: string): ExitError {
  return new ExitError(ExitCode.usage, `${problem} (${USAGE}; --help tells more)`);
}

function parse(args: readonly string[]): { targets: readonly Target[]; output: string } | "help" {
  const parsed = parseArgs(args, {
    boolean: ["all", "help"],
    string: ["target", "output"],
    collect: ["target"],
    unknown: (arg) => {
      throw usageError(`there is no ${arg}`);
    },
  });
  if (parsed["help"]) return "help";
  const { all, target: names, output = join(ROOT, "dist") } = parsed as unknown as {
    all: boolean;
    target: string[];
    output?: string;
  };
  if (output === "") throw usageError("--output needs a folder");
  if (all && names.length > 0) throw usageError("--all or --target, but not both");
  if (all) return { targets: TARGETS, output };
  if (names.length === 0) return { targets: [HOST], output };
  try {
    return { targets: [...new Set(names.map(parseTarget))], output };
  } catch (error) {
    throw usageError((error as RangeError).message);
  }
}

/** Where the programs of an executable begin. */
const ENTRIES = { chatserver: "scripts/release/chatserver.ts", chatclient: "client.ts" } as const;

async function main(): Promise<void> {
  const options = parse(Deno.args);
  if (options === "help") return console.log(HELP);
  const { targets, output } = options;

  const stopping = new AbortController();
  const stopped = new ExitError(ExitCode.unforeseen, "stopped");
  onSignals(["SIGINT", "SIGTERM"], () => stopping.abort(stopped));
  const { signal } = stopping;

  await makeOutputFolder(output);
  const commit = await currentCommit();
  console.log(`version ${VERSION}, commit ${commit}`);
  await using bundles = await workFolder();
  for (const program of PROGRAMS) {
    console.log(`bundling ${program}`);
    await Deno.mkdir(join(bundles.path, program));
    const file = join(bundles.path, program, `${program}.js`);
    await bundle(ENTRIES[program], file, { commit, signal });
  }
  const failed: string[] = [];
  for (const target of targets) {
    try {
      await release(target, { bundles: bundles.path, output, signal, say: console.log });
    } catch (error) {
      if (signal.aborted || targets.length === 1) throw error;
      // The other targets may go well.
      failed.push(target);
      console.error(`compile: ${target}: ${(error as Error).message}`);
    }
  }
  await writeSums(output);
  if (failed.length > 0) {
    throw new ExitError(ExitCode.unforeseen, `not made: ${failed.join(", ")}`);
  }
}

await runProgram("compile", main);
