import { ExitCode, ExitError } from "../../lib/exit.ts";

/** A folder that is gone with its user. */
export interface WorkFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes an empty folder. @param dir where; the system's temporary folder unless told */
export async function workFolder(dir?: string): Promise<WorkFolder> {
  const path = await Deno.makeTempDir({ prefix: ".compile-", ...(dir !== undefined && { dir }) });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/**
 * Makes the folder for what is made, where there is none.
 *
 * @throws {ExitError} `unforeseen`, where that can't be
 */
export async function makeOutputFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (cause) {
    const isFile = cause instanceof Deno.errors.AlreadyExists ||
      cause instanceof Deno.errors.NotADirectory;
    const problem = isFile ? "is a file or lies below one" : (cause as Error).message;
    throw new ExitError(
      ExitCode.unforeseen,
      `${path} can't be the folder for what is made (--output names it): ${problem}`,
      { cause },
    );
  }
}
