import { dirname } from "node:path";
import { concat } from "../protocol/lines.ts";

const MAX_STAMP_BYTES = 128;

const LF = Uint8Array.of(0x0a);

/** How long to wait for somebody else's change, and how long between two looks, in milliseconds. */
const LOCK_LIMIT_MS = 5_000;
const LOCK_PAUSE_MS = 20;

/** Tells one version of the file from another, without its content. */
export interface FileState {
  /** Changes when the file does; empty where there is none. */
  stamp: string;
  /** In bytes. */
  size: number;
}

/**
 * The bytes of `credentials.txt`. Each change is on the disk when its promise is fulfilled; one that
 * fails leaves the file as it was, or with a torn last line.
 */
export class CredentialsFile {
  readonly path: string;
  #isOwn = false;
  /** Whether it is to be taken for one's own from now on. */
  #vouched = false;

  constructor(path: string) {
    this.path = path;
  }

  /** The file's content, which is empty where there is no file. */
  async read(): Promise<Uint8Array> {
    try {
      return await Deno.readFile(this.path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Uint8Array();
      throw error;
    }
  }

  /** Makes the file its owner's alone, if it is there: an older one may be everybody's. */
  async protect(): Promise<void> {
    if (Deno.build.os === "windows") return;
    try {
      await Deno.chmod(this.path, 0o600);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** What the file is like now. */
  async state(): Promise<FileState> {
    try {
      const { mtime, size, ino } = await Deno.stat(this.path);
      return { stamp: `${mtime?.getTime()} ${size} ${ino}`, size };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return { stamp: "", size: 0 };
      throw error;
    }
  }

  /**
   * Whether this program has written all that is in the file, as of the beginning of the change that is being done: it is
   * neither from an editor nor from a backup. The lock says how the program left it.
   */
  get isOwn(): boolean {
    return this.#isOwn;
  }

  /** Whatever is in the file by the end of the change that is being done is as good as the program's own. */
  vouch(): void {
    this.#vouched = true;
  }

  /**
   * Does a change while nobody else does one, in this process or another.
   *
   * @throws {Deno.errors.TimedOut} where somebody else's change takes longer than five seconds
   */
  async exclusively<T>(change: () => Promise<T>): Promise<T> {
    const path = this.path.replace(/\.txt$/, ".lock");
    using file = await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
    for (let waited = 0; !await file.tryLock(true); waited += LOCK_PAUSE_MS) {
      if (waited >= LOCK_LIMIT_MS) {
        throw new Deno.errors.TimedOut(`somebody else has been changing ${this.path} for too long`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
    }
    const { stamp } = await this.state();
    const left = new Uint8Array(MAX_STAMP_BYTES);
    const length = await file.read(left) ?? 0;
    this.#isOwn = new TextDecoder().decode(left.subarray(0, length)) === stamp;
    this.#vouched = false;
    // Closing the file gives the lock up.
    const result = await change();
    const now = await this.state();
    if (this.#vouched || this.#isOwn && now.stamp !== stamp) {
      await file.truncate();
      await file.seek(0, Deno.SeekMode.Start);
      await file.write(new TextEncoder().encode(now.stamp));
    }
    return result;
  }

  /** Adds a line, on a line of its own even after a torn one. */
  async append(line: string): Promise<void> {
    using file = await Deno.open(this.path, {
      read: true,
      append: true,
      create: true,
      mode: 0o600,
    });
    const { size } = await file.stat();
    const last = new Uint8Array(1);
    if (size > 0) {
      await file.seek(-1, Deno.SeekMode.End);
      await file.read(last);
    }
    const torn = size > 0 && last[0] !== LF[0];
    await writeAll(file, new TextEncoder().encode(`${torn ? "\n" : ""}${line}\n`));
    if (size === 0) await syncFolder(this.path);
  }

  /** Puts new lines in the place of all that was there, all or nothing. */
  async replace(lines: readonly Uint8Array[]): Promise<void> {
    const temporary = `${this.path}.new`;
    {
      using file = await Deno.open(temporary, {
        write: true,
        create: true,
        truncate: true,
        mode: 0o600,
      });
      await writeAll(file, concat(lines.flatMap((line) => [line, LF])));
    }
    await Deno.rename(temporary, this.path);
    await syncFolder(this.path);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
  await file.sync();
}

/** Has the folder's entry for a file on the disk too. Windows does that by itself. */
async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(dirname(path));
  await folder.sync();
}
