import { createHash, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import { foldUsername } from "../protocol/names.ts";
import type { ServerRole } from "../protocol/roles.ts";
import { CredentialsFile, type FileState } from "./credentials_file.ts";
import {
  credentialOf,
  type CredentialsLine,
  formatCredentialsLine,
  identityOf,
  parseCredentialsLine,
  saltOf,
  secretOf,
} from "./credentials_line.ts";
import { hashPassword, type PasswordHash, type ScryptCost, verifyPassword } from "./phc.ts";
import { type JobOptions, WorkQueue } from "./work_queue.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { reasonOf } from "../reasons.ts";

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
   * Claims the name for an account with this identity, before the account is in the file; in a cluster, with this
   * line of the file.
   *
   * @returns false where somebody else has it
   * @default nobody else has it
   */
  claim?: (identity: string, line: string | undefined) => Promise<boolean>;
}

/**
 * Has a cluster's servers know an account by another line of `credentials.txt`.
 *
 * @param by the login whose user did it
 * @returns false where somebody else has changed the account since it was looked at, in this turn of the loop
 */
export type ChangeShared = (line: string, by?: number) => Promise<boolean>;

/** What everybody may know of an account. */
export interface Account {
  username: string;
  /** To the second; undefined where an earlier version of this program made it. */
  created: Date | undefined;
}

type HashedLine = CredentialsLine & { secret: { hash: PasswordHash } };

/**
 * The accounts of one server: `credentials.txt` in its data folder, and in memory. In a cluster those in memory
 * follow its events, and the file is brought to what they are.
 */
export class Accounts {
  readonly #file: CredentialsFile;
  readonly #cost: ScryptCost;
  readonly #clock: Clock;
  readonly #hashing: WorkQueue;
  /** Changes of the file, one after another. */
  readonly #changes = new WorkQueue(1);
  #accounts = new Map<string, CredentialsLine>();
  /** What the file holds; on a server alone these are the accounts. */
  #filed = this.#accounts;
  /** How accounts are changed in a cluster. */
  #changeShared: ChangeShared | undefined;
  /** The account whose name is being claimed. */
  readonly #claimed = new Map<string, CredentialsLine>();
  #unreadable: number[] = [];
  /** Whether the file ends within a line. */
  #torn = false;
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

  /** The keys of the accounts that are operators of the server. */
  get operators(): Set<string> {
    const found = [...this.#accounts].filter(([, { role }]) => role === "operator");
    return new Set(found.map(([key]) => key));
  }

  /** What tells an account from others of its name; undefined where there is none. */
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
    return account && credentialOf(account);
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
    const key = foldUsername(username);
    const written = formatCredentialsLine(line);
    if (this.#changeShared !== undefined) {
      options.signal?.throwIfAborted();
      return !this.#accounts.has(key) && await claim!(identityOf(line), written);
    }
    return await this.#change(async () => {
      options.signal?.throwIfAborted();
      if (this.#accounts.has(key)) return false;
      this.#claimed.set(key, line);
      try {
        if (claim !== undefined && !await claim(identityOf(line), undefined)) return false;
        await this.#file.append(written);
        this.#accounts.set(key, line);
        return true;
      } finally {
        this.#claimed.delete(key);
      }
    });
  }

  /**
   * Gives an account another password.
   *
   * @param by the login whose user asks for it
   * @returns whether there is such an account; in a cluster, also false where it was changed meanwhile
   */
  async setPassword(username: string, password: string, by?: number): Promise<boolean> {
    const account = this.#accounts.get(foldUsername(username));
    if (account === undefined) return false;
    const line = await this.#newLine(account.username, password, { salt: saltOf(account) });
    if (this.#changeShared !== undefined) {
      const current = this.#accounts.get(foldUsername(username));
      if (!sameSecret(current, account)) return false;
      return await this.#changeShared(formatCredentialsLine(kept(line, current)), by);
    }
    return await this.#change(() => this.#replace(line, (current) => current !== undefined));
  }

  /**
   * Makes an account an operator of the server, or a user again. A password that is stored as it is becomes a hash.
   *
   * @returns whether there is such an account
   */
  async setRole(username: string, wanted: ServerRole): Promise<boolean> {
    return await this.#change(async () => {
      const current = this.#accounts.get(foldUsername(username));
      if (current === undefined) return false;
      const { secret, role: _role, ...rest } = current;
      const { hash } = "hash" in secret
        ? secret
        : (await this.#newLine(username, secret.password.normalize("NFC"), {})).secret;
      const role = wanted === "operator" ? { role: wanted } : {};
      await this.#write({ ...rest, secret: { hash }, ...role });
      return true;
    });
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
    const changed = [...this.#filed].filter(([key, account]) =>
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
    this.#filed = accounts;
    if (this.#changeShared === undefined) {
      for (const [, { username }] of changed) this.#changed.add(username);
      this.#accounts = accounts;
    }
    this.#unreadable = unreadable;
    this.#torn = content.length > 0 && content.at(-1) !== LF;
    this.#state = { stamp: state.stamp, size: content.length };
    this.#revision++;
  }

  /**
   * From now on these are the accounts of a cluster: they change by {@linkcode take}, and {@linkcode fileLines} says
   * what the file holds.
   */
  follow(change: ChangeShared): void {
    this.#changeShared = change;
    this.#accounts = new Map();
  }

  /** An account of the cluster has this line now; undefined where it has gone. */
  take(key: string, line: string | undefined): void {
    const account = line === undefined ? undefined : parseCredentialsLine(line);
    if (account === undefined) this.#accounts.delete(key);
    else this.#accounts.set(key, account);
  }

  /** Whether the file may lack accounts that nobody removed: it is empty, is not there, or ends within a line. */
  get isPartial(): boolean {
    return this.#torn || this.#filed.size === 0;
  }

  /** The accounts that the file holds, by key: each one's line as this server writes it, and its identity. */
  get fileLines(): Map<string, { line: string; identity: string }> {
    return new Map(
      [...this.#filed].map(([key, account]) =>
        [key, { line: formatLine(account), identity: identityOf(account) }] as const
      ),
    );
  }

  /** The line of one account in the file, as this server writes it. */
  fileLine(key: string): string | undefined {
    const account = this.#filed.get(key);
    return account && formatLine(account);
  }

  /** The line of an account in the file, whose password has to be hashed if it stands there as it is. */
  async hashedLine(key: string): Promise<string | undefined> {
    const account = this.#filed.get(key);
    if (account === undefined || "hash" in account.secret) return account && formatLine(account);
    const password = account.secret.password.normalize("NFC");
    return formatCredentialsLine(await this.#newLine(account.username, password, {}));
  }

  /**
   * Brings accounts in the file to these lines; undefined where they have gone.
   *
   * @returns false where somebody else has changed the file, which has to be looked at first: nothing was written then
   */
  async file(lines: ReadonlyMap<string, string | undefined>): Promise<boolean> {
    const revision = this.#revision;
    return await this.#change(async () => {
      if (this.#revision !== revision) return false;
      const added = [...lines.values()].filter((line) => line !== undefined);
      // What was lost comes back whole, or not yet: half of it would pass for all that an operator left.
      if (this.isPartial || [...lines.keys()].some((key) => this.#filed.has(key))) {
        const others = await this.#linesWithout(new Set(lines.keys()));
        await this.#file.replace([...others, ...added.map((line) => utf8.encode(line))]);
      } else if (added.length > 0) await this.#file.append(added.join("\n"));
      for (const [key, line] of lines) {
        const account = line === undefined ? undefined : parseCredentialsLine(line);
        if (account === undefined) this.#filed.delete(key);
        else this.#filed.set(key, account);
      }
      this.#torn = false;
      return true;
    });
  }

  /** Whether the file, as it was read last, is what this program wrote: neither from an editor nor from a backup. */
  async isOwn(): Promise<boolean> {
    return await this.#unchanged((file) => file.isOwn);
  }

  /** What the file held when it was read last is as good as this program's own. */
  async vouch(): Promise<void> {
    await this.#unchanged((file) => {
      file.vouch();
      return true;
    });
  }

  /** @returns false where the file is another one by now */
  async #unchanged(then: (file: CredentialsFile) => boolean): Promise<boolean> {
    const file = this.#file;
    return await this.#changes.run(() =>
      file.exclusively(async () => (await file.state()).stamp === this.#state.stamp && then(file))
    );
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
    await this.#write(kept(hashed, current));
    return true;
  }

  async #write(line: HashedLine): Promise<void> {
    const key = foldUsername(line.username);
    // Every line about this account goes: an earlier one may hold the same password.
    const others = await this.#linesWithout(new Set([key]));
    await this.#file.replace([...others, utf8.encode(formatCredentialsLine(line))]);
    this.#accounts.set(key, line);
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

/** The account was made when it was, and is what it was. */
function kept(line: HashedLine, current: CredentialsLine | undefined): HashedLine {
  const { created, role } = current ?? {};
  return { ...line, ...created && { created }, ...role && { role } };
}

/** As it stands in the file; one whose password is not hashed yet without when it was made. */
function formatLine(account: CredentialsLine): string {
  const { username, secret } = account;
  if (!("hash" in secret)) return `${username}:${secret.password}`;
  return formatCredentialsLine({ ...account, secret });
}

function sameSecret(a: CredentialsLine | undefined, b: CredentialsLine): boolean {
  return a !== undefined && secretOf(a) === secretOf(b);
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
