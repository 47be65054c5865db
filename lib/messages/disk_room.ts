/** As much as a start writes at most beside the messages, in bytes. */
const ROOM = 65_536;
/** What the systems call a full disk, or a quota that is used up: Linux, macOS, Windows. */
const FULL = /\(os error (28|122|69|112)\)/;

/** Whether there is any room left in a folder, on its disk and in its owner's quota. */
export function hasRoom(folder: string): boolean {
  try {
    const path = Deno.makeTempFileSync({ dir: folder, prefix: "room-" });
    try {
      using file = Deno.openSync(path, { write: true });
      for (let written = 0; written < ROOM;) {
        written += file.writeSync(new Uint8Array(ROOM - written));
      }
      return true;
    } finally {
      Deno.removeSync(path);
    }
  } catch (error) {
    return !FULL.test((error as Error).message);
  }
}
