/**
 * Prepares what a release consists of, in `dist/`, where the archives of all targets are: their sums,
 * the installers, which get to know the page of the releases, and the notes.
 *
 *     deno task release TAG PAGE
 *
 * @module
 */
import { join } from "node:path";
import { parseCommandLine } from "../lib/command_line.ts";
import { ExitCode, ExitError } from "../lib/exit.ts";
import { runProgram } from "../lib/program.ts";
import { VERSION } from "../lib/version.ts";
import { ROOT } from "./release/bundle.ts";
import { fillIn, notesOf } from "./release/publication.ts";
import { writeSums } from "./release/release.ts";
import { archiveName, TARGETS } from "./release/targets.ts";

async function main(): Promise<void> {
  const commandLine = parseCommandLine(Deno.args, {
    program: "release",
    help: "usage: deno task release <tag> <page>",
    arguments: ["tag", "page"],
  });
  if (commandLine === undefined) return;
  const { tag, page } = commandLine.arguments;
  if (tag !== `v${VERSION}`) {
    throw new ExitError(ExitCode.usage, `the tag is ${tag}, but deno.json says ${VERSION}`);
  }
  const dist = join(ROOT, "dist");
  const present = new Set([...Deno.readDirSync(dist)].map(({ name }) => name));
  const missing = TARGETS.map(archiveName).filter((name) => !present.has(name));
  if (missing.length > 0) {
    throw new ExitError(ExitCode.unforeseen, `there is no ${missing.join(", no ")} in dist`);
  }
  const notes = notesOf(await Deno.readTextFile(join(ROOT, "CHANGELOG.md")), VERSION);
  await Deno.writeTextFile(join(dist, "NOTES.md"), notes);
  for (const name of ["install.sh", "install.ps1"]) {
    const installer = await Deno.readTextFile(join(ROOT, "scripts", name));
    await Deno.writeTextFile(join(dist, name), fillIn(installer, page!));
  }
  await writeSums(dist);
}

await runProgram("release", main);
