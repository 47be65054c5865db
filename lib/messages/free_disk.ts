/** As much as a start writes at most beside the messages, in bytes. */
const NEEDED = 65_536;
/** What the systems call a full disk, or a quota that is used up: Linux, macOS, Windows. */
const FULL = /\(os error (28|122|69|112)\)/;

/** Whether so much can be written in a folder, by its disk and its owner's quota. */
export function hasFreeDisk(folder: string): boolean {
  try {
    const path = Deno.makeTempFileSync({ dir: folder, prefix: "free-" });
    try {
      using file = Deno.openSync(path, { write: true });
      for (let written = 0; written < NEEDED;) {
        written += file.writeSync(new Uint8Array(NEEDED - written));
      }
      return true;
    } finally {
      Deno.removeSync(path);
    }
  } catch (error) {
    return !FULL.test((error as Error).message);
  }
}
