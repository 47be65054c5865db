import { createHash, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { type Clock, systemClock } from "../clock.ts";
import { foldUsername } from "../protocol/names.ts";
import type { ServerRole } from "../protocol/roles.ts";
import { CredentialsFile } from "./credentials_file.ts";
import {
  credentialOf,
  type CredentialsLine,
  formatCredentialsLine,
  type HashedLine,
  identityOf,
  parseCredentialsLine,
  saltOf,
} from "./credentials_line.ts";
import { FiledAccounts, sameSecret } from "./filed_accounts.ts";
import { hashPassword, type ScryptCost, verifyPassword } from "./phc.ts";
import { type JobOptions, WorkQueue } from "./work_queue.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { reasonOf } from "../reasons.ts";

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

/** Options of {@linkcode Accounts.setPassword}. */
export interface SetPasswordOptions extends JobOptions {
  /**
   * The {@linkcode Accounts.credential} that the user's old password was right for. @default whatever it is: who runs the
   * server may change it
   */
  from?: string | undefined;
  /** The login whose user asks for it. */
  by?: number | undefined;
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

/**
 * The accounts of one server: those of `credentials.txt`, in its data folder. In a cluster they follow its events, and the
 * file is brought to what they are.
 */
export class Accounts {
  readonly filed: FiledAccounts;
  readonly #cost: ScryptCost;
  readonly #clock: Clock;
  readonly #hashing: WorkQueue;
  /** The accounts of a cluster; undefined on a server alone. */
  #shared: Map<string, CredentialsLine> | undefined;
  /** How accounts are changed in a cluster. */
  #changeShared: ChangeShared | undefined;
  /** The account whose name is being claimed. */
  readonly #claimed = new Map<string, CredentialsLine>();
  /** What {@linkcode credential} has found out: whoever comes back is asked for it, and a changed line is another one. */
  readonly #credentials = new WeakMap<CredentialsLine, string>();
  private constructor(file: CredentialsFile, options: AccountsOptions) {
    this.#cost = options.cost;
    this.#clock = options.clock ?? systemClock;
    this.filed = new FiledAccounts(file, this.#clock);
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

  get #accounts(): ReadonlyMap<string, CredentialsLine> {
    return this.#shared ?? this.filed.accounts;
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
    if (account === undefined) return undefined;
    const known = this.#credentials.get(account);
    if (known !== undefined) return known;
    const credential = credentialOf(account);
    this.#credentials.set(account, credential);
    return credential;
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
    return await this.filed.change(() => this.#replace(line, unchanged));
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
    return await this.filed.change(async () => {
      options.signal?.throwIfAborted();
      if (this.#accounts.has(key)) return false;
      this.#claimed.set(key, line);
      try {
        if (claim !== undefined && !await claim(identityOf(line), undefined)) return false;
        await this.filed.add(line);
        return true;
      } finally {
        this.#claimed.delete(key);
      }
    });
  }

  /**
   * Gives an account another password.
   *
   * @returns whether there is such an account, and its password is what it was `from`
   * @throws the signal's reason, where it is aborted before the work was done
   */
  async setPassword(
    username: string,
    password: string,
    { from, by, ...options }: SetPasswordOptions = {},
  ): Promise<boolean> {
    const key = foldUsername(username);
    const account = this.#accounts.get(key);
    if (account === undefined) return false;
    const identity = identityOf(account);
    const expected = (current: CredentialsLine | undefined) =>
      current !== undefined &&
      (from === undefined ? identityOf(current) === identity : credentialOf(current) === from);
    if (!expected(account)) return false;
    const salt = saltOf(account);
    const line = await this.#newLine(account.username, password, { salt, ...options });
    if (this.#changeShared !== undefined) {
      options.signal?.throwIfAborted();
      const current = this.#accounts.get(key);
      if (!expected(current)) return false;
      return await this.#changeShared(formatCredentialsLine(kept(line, current)), by);
    }
    return await this.filed.change(async () => {
      options.signal?.throwIfAborted();
      return await this.#replace(line, expected);
    });
  }

  /**
   * Makes an account an operator of the server, or a user again. A password that is stored as it is becomes a hash.
   *
   * @returns whether there is such an account
   */
  async setRole(username: string, wanted: ServerRole): Promise<boolean> {
    return await this.filed.change(async () => {
      const current = this.#accounts.get(foldUsername(username));
      if (current === undefined) return false;
      const { secret, role: _role, ...rest } = current;
      const { hash } = "hash" in secret
        ? secret
        : (await this.#newLine(username, secret.password.normalize("NFC"), {})).secret;
      const role = wanted === "operator" ? { role: wanted } : {};
      await this.filed.replace({ ...rest, secret: { hash }, ...role });
      return true;
    });
  }

  /**
   * Removes accounts, all or none.
   *
   * @returns how many of them there were
   */
  async remove(usernames: readonly string[]): Promise<number> {
    return await this.filed.change(async () => {
      const keys = new Set(usernames.map(foldUsername).filter((key) => this.#accounts.has(key)));
      await this.filed.remove(keys);
      return keys.size;
    });
  }

  /**
   * Reads the file again if somebody else has changed it.
   *
   * @returns the usernames of the accounts that are gone, or have another password
   */
  async refresh(): Promise<string[]> {
    const changed = await this.filed.refresh();
    return this.#shared === undefined ? changed : [];
  }

  /**
   * From now on these are the accounts of a cluster: they change by {@linkcode take}, and `filed` are those of the
   * file.
   */
  follow(change: ChangeShared): void {
    this.#changeShared = change;
    this.#shared = new Map();
  }

  /** An account of the cluster has this line now; undefined where it has gone. */
  take(key: string, line: string | undefined): void {
    const account = line === undefined ? undefined : parseCredentialsLine(line);
    if (account === undefined) this.#shared?.delete(key);
    else this.#shared?.set(key, account);
  }

  /** The line of an account in the file, whose password has to be hashed if it stands there as it is. */
  async hashedLine(key: string): Promise<string | undefined> {
    const account = this.filed.accounts.get(key);
    if (account === undefined || "hash" in account.secret) return this.filed.line(key);
    const password = account.secret.password.normalize("NFC");
    return formatCredentialsLine(await this.#newLine(account.username, password, {}));
  }

  /** Puts a line in the place of all about its account, if the account is still as it should be. */
  async #replace(
    hashed: HashedLine,
    expected: (current: CredentialsLine | undefined) => boolean,
  ): Promise<boolean> {
    const key = foldUsername(hashed.username);
    const current = this.#accounts.get(key);
    if (!expected(current)) return false;
    await this.filed.replace(kept(hashed, current));
    return true;
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

/** The account was made when it was, and is what it was. */
function kept(line: HashedLine, current: CredentialsLine | undefined): HashedLine {
  const { created, role } = current ?? {};
  return { ...line, ...created && { created }, ...role && { role } };
}

/** Compares two texts in a time that does not tell where they differ. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
