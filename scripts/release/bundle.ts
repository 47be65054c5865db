import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { COMMIT_VARIABLE } from "../../lib/version.ts";
import { CANT_DOWNLOAD, CommandError, run } from "./run.ts";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The time of every file that is packed, whichever its own. */
export const SOURCE_TIME = new Date(Date.UTC(2000, 0, 1));

/**
 * Writes a program into one file, with all that it uses and nothing else.
 *
 * Needs Deno 2.9: the bundles of 2.7 fail at a module of @peculiar/x509's.
 *
 * @throws {ExitError} `unforeseen`
 */
export async function bundle(
  script: string,
  output: string,
  options: { commit: string; signal?: AbortSignal },
): Promise<void> {
  const { commit, signal } = options;
  // It has also what a server of a cluster needs.
  const lock = `--lock=${join(ROOT, "deno.lock")}`;
  const command = ["bundle", "--quiet", lock, "--minify", "--output", output, join(ROOT, script)];
  try {
    await run([Deno.execPath(), ...command], {
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      ...(signal && { signal }),
    });
  } catch (cause) {
    if (!(cause instanceof CommandError && CANT_DOWNLOAD.test(cause.printed))) throw cause;
    const problem =
      "what bundling needs is neither in Deno's cache nor to be downloaded: it needs " +
      "the network, once";
    throw new ExitError(ExitCode.unforeseen, problem, { cause });
  }
  const code = await Deno.readTextFile(output);
  const origin = `globalThis.${COMMIT_VARIABLE}=${JSON.stringify(commit)};\n`;
  await Deno.writeTextFile(output, `${origin}${code}`);
  // The file's time is embedded with it, and the same source has to give the same bytes.
  await Deno.utime(output, SOURCE_TIME, SOURCE_TIME);
}

/** The commit of the checkout: 12 digits, and "+changes" where files differ from it. */
export async function currentCommit(): Promise<string> {
  try {
    const args = ["describe", "--always", "--exclude=*", "--abbrev=12", "--dirty=+changes"];
    return (await run(["git", "-C", ROOT, ...args])).trim();
  } catch {
    // The source was unpacked from an archive, or there is no git.
    return "unknown";
  }
}
