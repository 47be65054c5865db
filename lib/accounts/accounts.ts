import { createHash, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import { foldUsername } from "../protocol/names.ts";
import { CredentialsFile, type FileState } from "./credentials_file.ts";
import {
  type CredentialsLine,
  formatCredentialsLine,
  parseCredentialsLine,
} from "./credentials_line.ts";
import {
  formatPhc,
  hashPassword,
  type PasswordHash,
  type ScryptCost,
  verifyPassword,
} from "./phc.ts";
import { type JobOptions, WorkQueue } from "./work_queue.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { reasonOf } from "../reasons.ts";

/** The identity of an account whose password is stored as it is. */
export const PLAIN_IDENTITY = "plain";
/** A file that lacks accounts is believed when it still does so after this time, in milliseconds. */
const DOUBT_MS = 2_000;
/** How long between two looks at it by whoever waits to change it, in milliseconds. */
const DOUBT_PAUSE_MS = 100;

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
  /** @default the system's */
  clock?: Clock;
}

/** Options of {@linkcode Accounts.create}. */
export interface CreateOptions extends JobOptions {
  /**
   * Claims the name for an account with this identity, before the account is in the file.
   *
   * @returns false where somebody else has it
   * @default nobody else has it
   */
  claim?: (identity: string) => Promise<boolean>;
}

/** What everybody may know of an account. */
export interface Account {
  username: string;
  /** To the second; undefined where an earlier version of this program made it. */
  created: Date | undefined;
}

type HashedLine = CredentialsLine & { secret: { hash: PasswordHash } };

/** The accounts of one server: `credentials.txt` in its data folder, and in memory. */
export class Accounts {
  readonly #file: CredentialsFile;
  readonly #cost: ScryptCost;
  readonly #clock: Clock;
  readonly #hashing: WorkQueue;
  /** Changes of the file, one after another. */
  readonly #changes = new WorkQueue(1);
  #accounts = new Map<string, CredentialsLine>();
  /** The account whose name is being claimed. */
  readonly #claimed = new Map<string, CredentialsLine>();
  #unreadable: number[] = [];
  /** How often somebody else has changed the file. */
  #revision = 0;
  /** The file's, when it was believed or changed last. */
  #state: FileState = { stamp: "", size: 0 };
  /** Since when the file is not believed, if it is not. */
  #doubtedSince: number | undefined;
  /** Accounts that somebody else has changed, and nobody was told of yet. */
  readonly #changed = new Set<string>();

  private constructor(file: CredentialsFile, options: AccountsOptions) {
    this.#file = file;
    this.#cost = options.cost;
    this.#clock = options.clock ?? systemClock;
    this.#hashing = new WorkQueue(
      options.hashesAtOnce ?? Math.max(navigator.hardwareConcurrency - 1, 1),
    );
  }

  /**
   * Reads `credentials.txt` in a data folder; there need be none.
   *
   * @throws {ExitError} `refused`, where it is there and can't be read
   */
  static async load(folder: string, options: AccountsOptions): Promise<Accounts> {
    const file = new CredentialsFile(join(folder, "credentials.txt"));
    const accounts = new Accounts(file, options);
    try {
      await file.protect();
      await accounts.refresh();
    } catch (cause) {
      const problem = `${JSON.stringify(file.path)} can't be read: ${reasonOf(cause)}`;
      throw new ExitError(ExitCode.refused, problem, { cause });
    }
    return accounts;
  }

  /** The numbers (from 1) of the lines that can't be read. */
  get unreadable(): readonly number[] {
    return this.#unreadable;
  }

  /** How many accounts there are. */
  get count(): number {
    return this.#accounts.size;
  }

  /** Every account, in the order of the usernames. */
  get all(): Account[] {
    const byKey = [...this.#accounts].sort(([a], [b]) => a < b ? -1 : 1);
    return byKey.map(([, { username, created }]) => ({ username, created }));
  }

  /** The account's username as it was registered, or undefined where there is none. */
  find(username: string): string | undefined {
    return this.#accounts.get(foldUsername(username))?.username;
  }

  /** When the account was made, to the second; undefined where that is not known. */
  created(username: string): Date | undefined {
    return this.#accounts.get(foldUsername(username))?.created;
  }

  /** Another number as soon as somebody else's changes have been read. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * What tells each account from another one that had or will have its name, by the accounts' keys; also of
   * the one that is being made.
   */
  get identities(): Map<string, string> {
    const accounts = [...this.#accounts, ...this.#claimed];
    return new Map(accounts.map(([key, account]) => [key, identityOf(account)]));
  }

  /** The same for one account; undefined where there is none. */
  identity(username: string): string | undefined {
    const account = this.#accounts.get(foldUsername(username));
    return account && identityOf(account);
  }

  /**
   * What stands for the account's password: another password, or another account of this name, has
   * another one. It tells nothing about the password. Undefined where there is no such account.
   */
  credential(username: string): string | undefined {
    const account = this.#accounts.get(foldUsername(username));
    return account && createHash("sha256").update(written(account)).digest("hex");
  }

  /**
   * Whether this is the account's password. One that was stored as it is becomes a hash.
   *
   * @throws the signal's reason, where it is aborted before the work began
   */
  async verify(username: string, password: string, options: JobOptions = {}): Promise<boolean> {
    const account = this.#accounts.get(foldUsername(username));
    if (account === undefined) return false;
    const { secret } = account;
    // The account may be another one by the time the password is hashed.
    const unchanged = (current?: CredentialsLine) => sameSecret(current, account);
    if ("hash" in secret) {
      const right = await this.#hashing.run(() => verifyPassword(password, secret.hash), options);
      return right && unchanged(this.#accounts.get(foldUsername(username)));
    }
    if (!sameText(password, secret.password.normalize("NFC"))) return false;
    const line = await this.#newLine(account.username, password, options);
    return await this.#change(() => this.#replace(line, unchanged));
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
    { claim, ...options }: CreateOptions = {},
  ): Promise<boolean> {
    const hashed = await this.#newLine(username, password, options);
    const created = new Date(Math.floor(this.#clock.date().getTime() / 1_000) * 1_000);
    const line = { ...hashed, created };
    return await this.#change(async () => {
      options.signal?.throwIfAborted();
      const key = foldUsername(username);
      if (this.#accounts.has(key)) return false;
      this.#claimed.set(key, line);
      try {
        if (claim !== undefined && !await claim(identityOf(line))) return false;
        await this.#file.append(formatCredentialsLine(line));
        this.#accounts.set(key, line);
        return true;
      } finally {
        this.#claimed.delete(key);
      }
    });
  }

  /** Gives an account another password. Whether there is such an account. */
  async setPassword(username: string, password: string): Promise<boolean> {
    const account = this.#accounts.get(foldUsername(username));
    if (account === undefined) return false;
    const line = await this.#newLine(account.username, password, { salt: saltOf(account) });
    return await this.#change(() => this.#replace(line, (current) => current !== undefined));
  }

  /**
   * Removes accounts, all or none.
   *
   * @returns how many of them there were
   */
  async remove(usernames: readonly string[]): Promise<number> {
    return await this.#change(async () => {
      const keys = new Set(usernames.map(foldUsername).filter((key) => this.#accounts.has(key)));
      if (keys.size > 0) await this.#file.replace(await this.#linesWithout(keys));
      for (const key of keys) this.#accounts.delete(key);
      return keys.size;
    });
  }

  /**
   * Reads the file again if somebody else has changed it. What looks like a file that is only half
   * written, since accounts are gone, is read again two seconds later before it is believed.
   *
   * @returns the usernames of the accounts that are gone, or have another password
   */
  async refresh(): Promise<string[]> {
    await this.#changes.run(() => this.#refresh());
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  async #refresh(): Promise<void> {
    const state = await this.#file.state();
    if (state.stamp === this.#state.stamp) {
      this.#doubtedSince = undefined;
      return;
    }
    const content = await this.#file.read();
    const accounts = new Map<string, CredentialsLine>();
    const unreadable: number[] = [];
    // Later lines win, as the file is appended to.
    for (const line of splitLines(content)) {
      const account = parseLine(line);
      if (account !== undefined) accounts.set(foldUsername(account.username), account);
      else unreadable.push(line.number);
    }
    const changed = [...this.#accounts].filter(([key, account]) =>
      !sameSecret(accounts.get(key), account)
    );
    // Editors may empty a file before they write it. A line cut short, or an earlier one for the same
    // name, would pass for another password.
    const half = content.length < this.#state.size || changed.some(([key]) => !accounts.has(key));
    if (changed.length > 0 && half) {
      this.#doubtedSince ??= this.#clock.now();
      if (this.#doubtRest() > 0) return;
    }
    this.#doubtedSince = undefined;
    for (const [, { username }] of changed) this.#changed.add(username);
    this.#accounts = accounts;
    this.#unreadable = unreadable;
    this.#state = { stamp: state.stamp, size: content.length };
    this.#revision++;
  }

  /** How long the file is still not to be believed, in milliseconds. */
  #doubtRest(): number {
    if (this.#doubtedSince === undefined) return 0;
    return Math.max(this.#doubtedSince + DOUBT_MS - this.#clock.now(), 0);
  }

  /** Does a change to what the file holds now, while nobody else does one. */
  async #change<T>(change: () => Promise<T>): Promise<T> {
    return await this.#changes.run(() =>
      this.#file.exclusively(async () => {
        await this.#refresh();
        // What is half written must be neither added to nor taken for all there is.
        for (let rest; (rest = this.#doubtRest()) > 0; await this.#refresh()) {
          await pause(this.#clock, Math.min(rest, DOUBT_PAUSE_MS));
        }
        const result = await change();
        this.#state = await this.#file.state();
        return result;
      })
    );
  }

  /** Puts a line in the place of all about its account, if the account is still as it should be. */
  async #replace(
    hashed: HashedLine,
    expected: (current: CredentialsLine | undefined) => boolean,
  ): Promise<boolean> {
    const key = foldUsername(hashed.username);
    const current = this.#accounts.get(key);
    if (!expected(current)) return false;
    const line = current?.created ? { ...hashed, created: current.created } : hashed;
    // Every line about this account goes: an earlier one may hold the same password.
    const others = await this.#linesWithout(new Set([key]));
    await this.#file.replace([...others, utf8.encode(formatCredentialsLine(line))]);
    this.#accounts.set(key, line);
    return true;
  }

  async #linesWithout(keys: ReadonlySet<string>): Promise<Uint8Array[]> {
    const lines = splitLines(await this.#file.read());
    return lines.filter((line) => !keys.has(accountOf(line) ?? "")).map(({ bytes }) => bytes);
  }

  async #newLine(
    username: string,
    password: string,
    { salt, ...options }: JobOptions & { salt?: Uint8Array | undefined },
  ): Promise<HashedLine> {
    const hash = await this.#hashing.run(() => hashPassword(password, this.#cost, salt), options);
    return { username, secret: { hash } };
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

function sameSecret(a: CredentialsLine | undefined, b: CredentialsLine): boolean {
  return a !== undefined && written(a) === written(b);
}

/** The salt: an account keeps it when its password is changed, and a new one gets a new one. */
function identityOf(account: CredentialsLine): string {
  return saltOf(account)?.toHex() ?? PLAIN_IDENTITY;
}

function saltOf({ secret }: CredentialsLine): Uint8Array | undefined {
  return "hash" in secret ? secret.hash.salt : undefined;
}

function written({ secret }: CredentialsLine): string {
  return "hash" in secret ? formatPhc(secret.hash) : secret.password;
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
