import { ExitCode, ExitError } from "../exit.ts";
import { reasonOf } from "../reasons.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { MAX_PASSWORD_BYTES } from "../protocol/limits.ts";
import { parsePassword } from "../protocol/names.ts";

const LF = 0x0a;
/** A password may have this many bytes, and a line ending of Windows. */
const MAX_BYTES = MAX_PASSWORD_BYTES + 1;
/** The permissions of a file with which others than its owner may do something. */
const OTHERS = 0o077;

/** Where a password stands, if it is not asked for. Its first line is the password. */
export interface PasswordSource {
  /** `--password-file` */
  file?: string | undefined;
  /** `--password-fd` */
  fd?: string | undefined;
}

/**
 * Reads the password from where the user put it; of a stream just the line, so that the rest can be
 * read by somebody else.
 *
 * @returns undefined where it has to be asked for
 * @throws {ExitError} `usage`, where there is none to be had; `refused`, where others can read it too
 */
export async function readPassword({ file, fd }: PasswordSource): Promise<string | undefined> {
  if (file !== undefined && fd !== undefined) {
    throw wrong("--password-file or --password-fd, but not both");
  }
  if (file !== undefined) return await readFrom(JSON.stringify(file), () => open(file));
  if (fd !== undefined) return await readFrom(`file descriptor ${fd}`, () => openDescriptor(fd));
  return undefined;
}

type Source = Pick<Deno.FsFile, "read" | "close">;

async function readFrom(name: string, open: () => Promise<Source>): Promise<string> {
  let line: Uint8Array;
  try {
    const source = await open();
    try {
      line = await readLine(source);
    } finally {
      source.close();
    }
  } catch (cause) {
    if (cause instanceof ExitError) throw cause;
    throw wrong(`the password can't be read from ${name}: ${reasonOf(cause)}`, cause);
  }
  return decode(name, line);
}

/** One byte at a time: what comes after the line is not the password's. */
async function readLine(source: Source): Promise<Uint8Array> {
  const line: number[] = [];
  const byte = new Uint8Array(1);
  while (await source.read(byte) === 1 && byte[0] !== LF && line.length <= MAX_BYTES) {
    line.push(byte[0]!);
  }
  return Uint8Array.from(line);
}

function decode(name: string, line: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(line).replace(/\r$/, "");
  } catch (cause) {
    throw wrong(`the first line of ${name} is no password: it is not valid UTF-8`, cause);
  }
  try {
    return parsePassword(text);
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw wrong(`the first line of ${name} is no password: ${cause.message}`, cause);
  }
}

/** Opens a file that nobody else may read; what is no plain file, such as a pipe, is taken as it is. */
async function open(path: string): Promise<Source> {
  const file = await Deno.open(path);
  const { isFile, isDirectory, mode } = await file.stat();
  const problem = isDirectory
    ? wrong(`${JSON.stringify(path)} is a folder, no file with a password`)
    : isFile && mode !== null && (mode & OTHERS) !== 0
    ? new ExitError(
      ExitCode.refused,
      `${JSON.stringify(path)} is open to others than its owner (mode ${
        (mode & 0o777).toString(8)
      }): close it to them with "chmod 600", and change the password if somebody may have read it`,
    )
    : undefined;
  if (problem === undefined) return file;
  file.close();
  throw problem;
}

async function openDescriptor(fd: string): Promise<Source> {
  if (!/^\d{1,6}$/.test(fd)) {
    throw wrong(`${JSON.stringify(fd)} is no file descriptor: it is a number, such as 3`);
  }
  // It stays open for what comes after the password.
  if (fd === "0") return { read: (buffer) => Deno.stdin.read(buffer), close: () => {} };
  if (Deno.build.os === "windows") {
    throw wrong("Windows has no file descriptors but 0: give --password-file, or --password-fd 0");
  }
  try {
    return await Deno.open(`/dev/fd/${fd}`);
  } catch (cause) {
    // Deno opens pipes that way, and refuses files for want of a permission.
    throw wrong(
      `file descriptor ${fd} is no pipe to read a password from: is it open? A file is given with ` +
        "--password-file",
      cause,
    );
  }
}

function wrong(problem: string, cause?: unknown): ExitError {
  return new ExitError(ExitCode.usage, problem, { cause });
}
