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

const NO_FILE: FileState = { stamp: "", size: 0 };

/**
 * The bytes of `credentials.txt`. Each change is on the disk when its promise is fulfilled; one that
 * fails leaves the file as it was, or with a torn last line.
 */
export class CredentialsFile {
  readonly path: string;
  /** The file as of the beginning of the change that is being done, or as that has left it. */
  #state: FileState = NO_FILE;
  #written = false;
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
      return stateOf(await Deno.stat(this.path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return NO_FILE;
      throw error;
    }
  }

  /**
   * Whether this program has written all that is in the file, as of the beginning of the change that is being done: it is
   * neither from an editor nor from a backup. The lock says how the program left it. A file that is not there is not
   * what the program left.
   */
  get isOwn(): boolean {
    return this.#isOwn && this.#state.stamp !== NO_FILE.stamp;
  }

  /**
   * How the last change left the file; undefined where it has not written, or somebody else had changed the file
   * meanwhile: then what is in it is not known.
   */
  get written(): FileState | undefined {
    return this.#written ? this.#state : undefined;
  }

  /** What was in the file at the beginning of the change that is being done is as good as the program's own. */
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
    const { stamp } = this.#state = await this.state();
    const left = new Uint8Array(MAX_STAMP_BYTES);
    const length = await file.read(left) ?? 0;
    this.#isOwn = new TextDecoder().decode(left.subarray(0, length)) === stamp;
    this.#vouched = this.#written = false;
    // Closing the file gives the lock up.
    const result = await change();
    if (this.#vouched || this.#isOwn && this.#written) {
      await file.truncate();
      await file.seek(0, Deno.SeekMode.Start);
      await file.write(new TextEncoder().encode(this.#state.stamp));
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
    const found = await file.stat();
    const { size } = found;
    const last = new Uint8Array(1);
    if (size > 0) {
      await file.seek(-1, Deno.SeekMode.End);
      await file.read(last);
    }
    const torn = size > 0 && last[0] !== LF[0];
    await writeAll(file, new TextEncoder().encode(`${torn ? "\n" : ""}${line}\n`));
    // Where there was no file, one was made for this.
    const isNew = size === 0 && this.#state.stamp === NO_FILE.stamp;
    this.#note(isNew ? NO_FILE : stateOf(found), stateOf(await file.stat()));
    if (size === 0) await syncFolder(this.path);
  }

  /** Puts new lines in the place of all that was there, all or nothing. */
  async replace(lines: readonly Uint8Array[]): Promise<void> {
    const temporary = `${this.path}.new`;
    let made: FileState;
    {
      using file = await Deno.open(temporary, {
        write: true,
        create: true,
        truncate: true,
        mode: 0o600,
      });
      await writeAll(file, concat(lines.flatMap((line) => [line, LF])));
      made = stateOf(await file.stat());
    }
    this.#note(await this.state(), made);
    await Deno.rename(temporary, this.path);
    await syncFolder(this.path);
  }

  /** A write made something of what it found: of a file that somebody else has changed meanwhile it is not all our own. */
  #note(found: FileState, made: FileState): void {
    if (found.stamp === this.#state.stamp) {
      this.#state = made;
      this.#written = true;
    } else this.#isOwn = this.#written = false;
  }
}

function stateOf({ mtime, size, ino }: Deno.FileInfo): FileState {
  return { stamp: `${mtime?.getTime()} ${size} ${ino}`, size };
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
