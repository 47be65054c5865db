import { join } from "node:path";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { type Entry, sha256Sums, tarGz, zip } from "./archive.ts";
import { ROOT } from "./bundle.ts";
import { checkStarts, compile } from "./executable.ts";
import { workFolder } from "./folders.ts";
import { sharedFiles } from "./share.ts";
import {
  archiveName,
  archiveStem,
  executableName,
  HOST,
  isWindows,
  plainName,
  PROGRAMS,
  type Target,
  TARGETS,
} from "./targets.ts";

/** What goes into an archive beside the executables. */
const DOCUMENTS = ["README.md", "LICENSE", "docs/picture.svg"];

/** Options of {@linkcode release}. */
export interface ReleaseOptions {
  /** The folder with a folder for each bundled program. */
  bundles: string;
  output: string;
  signal: AbortSignal;
  /** Tells how far it is. */
  say: (line: string) => void;
}

/**
 * Makes a target's executables and its archive. They appear in the output folder when all of them
 * are whole; where one fails, nothing is left behind.
 *
 * @throws {ExitError} `unforeseen`, where something is missing for it
 */
export async function release(target: Target, options: ReleaseOptions): Promise<void> {
  const { output, signal, say } = options;
  try {
    await using work = await workFolder(output);
    for (const name of await build(target, work.path, options)) {
      signal.throwIfAborted();
      await Deno.rename(join(work.path, name), join(output, name));
      const { size } = await Deno.stat(join(output, name));
      say(`  ${join(output, name)}, ${(size / 1_048_576).toFixed(1)} MiB`);
    }
  } catch (error) {
    throw isNoSpace(error) ? outOfSpace(output, error) : error;
  }
}

/** Makes the files of a target in a folder. @returns their names */
async function build(target: Target, folder: string, options: ReleaseOptions): Promise<string[]> {
  const { bundles, signal, say } = options;
  const entries: Entry[] = [];
  const plain: string[] = [];
  for (const program of PROGRAMS) {
    say(`${target}: compiling ${program}`);
    const name = executableName(program, target);
    const output = join(folder, name);
    const task = program === "chatserver" ? "server" : "client";
    await compile(join(bundles, program, `${program}.js`), { target, output, task, signal });
    await checkStarts(output, target);
    entries.push({ name, data: await Deno.readFile(output), executable: true });
    if (target === HOST) {
      plain.push(plainName(program, target));
      await Deno.link(output, join(folder, plain.at(-1)!));
    }
  }
  const names = entries.map(({ name }) => name);
  for (const name of DOCUMENTS) {
    entries.push({ name, data: await Deno.readFile(join(ROOT, name)), executable: false });
  }
  entries.push(...sharedFiles({ windows: isWindows(target) }));
  say(`${target}: packing`);
  const archive = archiveName(target);
  const pack = isWindows(target) ? zip : tarGz;
  await Deno.writeFile(join(folder, archive), await pack(archiveStem(target), entries));
  return [...names, ...plain, archive];
}

/** Writes the sums of this version's archives. */
export async function writeSums(output: string): Promise<void> {
  const present = new Set([...Deno.readDirSync(output)].map(({ name }) => name));
  const archives = TARGETS.map(archiveName).filter((name) => present.has(name));
  if (archives.length === 0) return;
  await using work = await workFolder(output);
  await Deno.writeTextFile(join(work.path, "SHA256SUMS"), await sha256Sums(output, archives));
  await Deno.rename(join(work.path, "SHA256SUMS"), join(output, "SHA256SUMS"));
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && /os error 28|os error 112|ENOSPC/.test(error.message);
}

function outOfSpace(output: string, cause: unknown): ExitError {
  const problem = `there is no space left in ${output}: a target needs about 300 MB`;
  return new ExitError(ExitCode.unforeseen, problem, { cause });
}
