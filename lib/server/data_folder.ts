import { join } from "node:path";
import { ExitCode, ExitError } from "../exit.ts";
import { reasonOf } from "../reasons.ts";

/**
 * Takes a data folder for one server, until the result is disposed of or the process ends. The
 * folder is made where there is none.
 *
 * @throws {ExitError} `refused`, where another server has it or it can't be written
 */
export async function lockDataFolder(folder: string): Promise<Disposable> {
  let file: Deno.FsFile;
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, "chatserver.lock");
    file = await Deno.open(path, { create: true, write: true, mode: 0o600 });
  } catch (cause) {
    throw new ExitError(
      ExitCode.refused,
      `the data folder ${JSON.stringify(folder)} can't be written: ${reasonOf(cause)}`,
      { cause },
    );
  }
  // Closing the file gives the lock up.
  if (await file.tryLock(true)) return file;
  file.close();
  throw new ExitError(
    ExitCode.refused,
    `the data folder ${JSON.stringify(folder)} is in use by another chatserver`,
  );
}
