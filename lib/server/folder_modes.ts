import { join } from "node:path";
import { reasonOf } from "../reasons.ts";

/** The bits of a mode that are about others than the owner. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
/** Where everybody may put files, but only take away their own: never one server's folder. */
const STICKY = 0o1000;

/** What the server and SQLite keep in a data folder. */
const OWN =
  /^(credentials\.(txt|txt\.new|lock)|identity\.pem(\.new)?|chatserver\.lock|control\.(sock|new)|messages\.db.*)$/;

/**
 * Makes the server's files their owner's alone, and the data folder too if nothing else is in it: it may be
 * any folder, so one that others use stays as it is.
 *
 * @returns what was done, and what could not be, in lines for the log
 */
export async function protectFolder(folder: string): Promise<string[]> {
  if (Deno.build.os === "windows") return [];
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  const own = names.filter((name) => OWN.test(name)).toSorted();
  const lines = [await tighten(folder, names.length === own.length ? 0o700 : undefined)];
  for (const name of own) lines.push(await tighten(join(folder, name), 0o600));
  return lines.filter((line) => line !== undefined);
}

/** @param mode the mode it shall have; undefined where it has to stay as it is */
async function tighten(path: string, mode: number | undefined): Promise<string | undefined> {
  const now = (await Deno.stat(path)).mode! & 0o7777;
  if ((now & OTHERS) === 0) return undefined;
  const was = `${JSON.stringify(path)} was open to others (mode ${now.toString(8)})`;
  if (mode !== undefined && (now & STICKY) === 0) {
    try {
      await Deno.chmod(path, mode);
      return `${was}: now it is for its owner only`;
    } catch (error) {
      return `${was}, and still is: ${reasonOf(error)}`;
    }
  }
  if ((now & OTHERS_WRITE) === 0) return undefined;
  return `${was}, who can replace the server's files in it: give it a folder of its own (--data)`;
}
