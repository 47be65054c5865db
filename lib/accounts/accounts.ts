import { createHash, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { foldUsername } from "../protocol/names.ts";
import { CredentialsFile } from "./credentials_file.ts";
import { type CredentialsLine, parseCredentialsLine } from "./credentials_line.ts";
import { formatPhc, hashPassword, type ScryptCost, verifyPassword } from "./phc.ts";
import { WorkQueue } from "./work_queue.ts";

const LF = 0x0a;
/** Tab, CR and space. */
const BLANKS: readonly number[] = [0x09, 0x0d, 0x20];

const utf8 = new TextEncoder();
/** Refuses what is no UTF-8; takes a byte order mark away. */
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** Options of {@linkcode Accounts.load}. */
export interface AccountsOptions {
  /** What new hashes cost. */
  cost: ScryptCost;
  /** How many passwords may be hashed at a time. @default every core but one, at least one */
  hashesAtOnce?: number;
}

/** The accounts of one server: `credentials.txt` in its data folder, and in memory. */
export class Accounts {
  readonly #file: CredentialsFile;
  readonly #accounts = new Map<string, CredentialsLine>();
  readonly #cost: ScryptCost;
  readonly #hashing: WorkQueue;
  /** Changes of the file, one after another. */
  readonly #changes = new WorkQueue(1);

  private constructor(file: CredentialsFile, options: AccountsOptions) {
    this.#file = file;
    this.#cost = options.cost;
    this.#hashing = new WorkQueue(
      options.hashesAtOnce ?? Math.max(navigator.hardwareConcurrency - 1, 1),
    );
  }

  /**
   * Reads `credentials.txt` in a data folder; there need be none.
   *
   * @returns the accounts, and the numbers (from 1) of the lines that can't be read
   */
  static async load(
    folder: string,
    options: AccountsOptions,
  ): Promise<{ accounts: Accounts; unreadable: number[] }> {
    const accounts = new Accounts(new CredentialsFile(join(folder, "credentials.txt")), options);
    const unreadable = accounts.#read(splitLines(await accounts.#file.read()));
    return { accounts, unreadable };
  }

  /** The account's username as it was registered, or undefined where there is none. */
  find(username: string): string | undefined {
    return this.#accounts.get(foldUsername(username))?.username;
  }

  /**
   * Whether this is the account's password. One that was stored as it is becomes a hash.
   *
   * @throws the signal's reason, where it is aborted before the work began
   */
  async verify(
    username: string,
    password: string,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<boolean> {
    const account = this.#accounts.get(foldUsername(username));
    if (account === undefined) return false;
    const { secret } = account;
    if ("hash" in secret) {
      return this.#hashing.run(() => verifyPassword(password, secret.hash), { signal });
    }
    if (!sameText(password, secret.password.normalize("NFC"))) return false;
    await this.#hashPlaintext(account, password, { signal });
    return true;
  }

  /**
   * Creates an account. It is on the disk when the promise is fulfilled.
   *
   * @returns whether it was created: false where somebody else has the name by now
   * @throws the signal's reason, where it is aborted before the work was done
   */
  async create(
    username: string,
    password: string,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<boolean> {
    const hash = await this.#hashing.run(() => hashPassword(password, this.#cost), { signal });
    return this.#changes.run(async () => {
      signal?.throwIfAborted();
      const key = foldUsername(username);
      if (this.#accounts.has(key)) return false;
      await this.#file.append(`${username}:${formatPhc(hash)}`);
      this.#accounts.set(key, { username, secret: { hash } });
      return true;
    });
  }

  /** Later lines win, as the file is appended to. */
  #read(lines: readonly FileLine[]): number[] {
    const unreadable: number[] = [];
    for (const line of lines) {
      const account = parseLine(line);
      if (account !== undefined) this.#accounts.set(foldUsername(account.username), account);
      else unreadable.push(line.number);
    }
    return unreadable;
  }

  async #hashPlaintext(
    account: CredentialsLine,
    password: string,
    options: { signal?: AbortSignal | undefined },
  ): Promise<void> {
    const hash = await this.#hashing.run(() => hashPassword(password, this.#cost), options);
    await this.#changes.run(async () => {
      const key = foldUsername(account.username);
      if (this.#accounts.get(key) !== account) return;
      // Every line about this account goes: an earlier one may hold the same password.
      const others = splitLines(await this.#file.read()).filter((line) => accountOf(line) !== key);
      await this.#file.replace([
        ...others.map(({ bytes }) => bytes),
        utf8.encode(`${account.username}:${formatPhc(hash)}`),
      ]);
      this.#accounts.set(key, { username: account.username, secret: { hash } });
    });
  }
}

interface FileLine {
  /** The line's number, from 1. */
  number: number;
  /** The line as it is in the file, without its LF. */
  bytes: Uint8Array;
}

/** The lines that are not empty. */
function splitLines(content: Uint8Array): FileLine[] {
  const lines: FileLine[] = [];
  for (let start = 0, number = 1; start < content.length; number++) {
    const lf = content.indexOf(LF, start);
    const bytes = content.subarray(start, lf < 0 ? content.length : lf);
    if (!bytes.every((byte) => BLANKS.includes(byte))) lines.push({ number, bytes });
    start += bytes.length + 1;
  }
  return lines;
}

function parseLine({ bytes }: FileLine): CredentialsLine | undefined {
  try {
    return parseCredentialsLine(strictUtf8.decode(bytes));
  } catch {
    return undefined;
  }
}

function accountOf(line: FileLine): string | undefined {
  const account = parseLine(line);
  return account && foldUsername(account.username);
}

/** Compares two texts in a time that does not tell where they differ. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
