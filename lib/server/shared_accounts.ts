import type { Accounts } from "../accounts/accounts.ts";
import {
  type CredentialsLine,
  identityOf,
  parseCredentialsLine,
} from "../accounts/credentials_line.ts";
import type { Clock } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { ConflictError, type Journal } from "../journal/journal.ts";
import type { AccountChange, Projection } from "../journal/projection.ts";
import type { SharedAccount } from "../messages/credentials_table.ts";
import type { Database } from "../messages/database.ts";
import { foldUsername } from "../protocol/names.ts";
import type { Log } from "./log.ts";

/** So many changes of the file are appended at a time. */
const AT_ONCE = 200;
/** So many names are told of many. */
const MAX_NAMES = 5;

/** Options of {@linkcode SharedAccounts}. */
export interface SharedAccountsOptions {
  accounts: Accounts;
  clock: Clock;
  journal: Journal;
  projection: Projection;
  database: Database;
  log: Log;
}

/** What has to be done about an account, so that the cluster and this server's file say the same. */
export type Difference = "none" | "same" | "write" | "publish";

/**
 * Compares an account of the cluster with what this server's `credentials.txt` has.
 *
 * @returns `same` where the file has it so by now; `write` where it has to be written there; `publish` where somebody
 *   has changed the file, and the others have to know
 */
export function compare(
  shared: SharedAccount | undefined,
  filed: { line: string; identity: string } | undefined,
): Difference {
  if (shared?.line === filed?.line) return shared === undefined || shared.filed ? "none" : "same";
  if (shared === undefined || shared.filed) return "publish";
  // Another account has been given the name of one that had gone from the cluster.
  const isNew = shared.line === undefined && filed?.identity !== shared.identity;
  return isNew ? "publish" : "write";
}

/** Whether the line in the file is about an account that the cluster knows, or has removed. */
function isKnown(
  shared: SharedAccount | undefined,
  filed: { identity: string } | undefined,
): boolean {
  return shared !== undefined && (shared.line !== undefined || shared.identity === filed?.identity);
}

/**
 * The accounts of a cluster on one server. Events say what they are; `credentials.txt` is brought to that, and what an
 * operator does to the file becomes events. The table of the accounts says which of them the file has already, so a line
 * that somebody changed is told from one that is not written yet, also after a crash.
 */
export class SharedAccounts {
  readonly #options: SharedAccountsOptions;
  readonly #shared: Map<string, SharedAccount>;
  /** Those that the file may not have as they are. */
  readonly #unfiled = new Set<string>();
  /** Whether the file was written by others than this program, and is not yet what it should be. */
  #isStrange = false;
  /** The file's revision that was compared. */
  #compared = -1;

  /**
   * From now on the accounts in memory are the cluster's.
   *
   * @throws {ExitError} `refused`, where the file has accounts that are others than the cluster's of the same names;
   *   nothing was changed then
   */
  constructor(options: SharedAccountsOptions) {
    this.#options = options;
    const { accounts, projection } = options;
    this.#shared = projection.credentials.all;
    this.#requireSame();
    accounts.follow((line, by) => this.#publish(line, by));
    for (const [key, { line, filed }] of this.#shared) {
      accounts.take(key, line);
      if (!filed) this.#unfiled.add(key);
    }
  }

  /** Events have changed accounts; the file follows. */
  take(changes: readonly AccountChange[]): void {
    for (const { account, line } of changes) {
      const before = this.#shared.get(account);
      if (before?.line === line && before !== undefined) continue;
      const identity = line === undefined ? before?.identity : identityOf(parsed(line));
      if (identity === undefined) continue;
      this.#shared.set(account, { line, identity, filed: false });
      this.#unfiled.add(account);
      this.#options.accounts.take(account, line);
    }
  }

  /**
   * Brings the file and the cluster together. One at a time.
   *
   * @throws where the file can't be read or written
   */
  async settle(): Promise<void> {
    const { accounts } = this.#options;
    await accounts.refresh();
    if (accounts.filed.revision !== this.#compared) await this.#compare();
    await this.#write();
    if (!this.#isStrange || this.#unfiled.size > 0) return;
    await accounts.filed.vouch();
    this.#isStrange = false;
  }

  /**
   * Has others know what somebody did to the file. What is not from this program may be an old backup, or cut short: it
   * adds accounts, and neither changes nor removes any.
   */
  async #compare(): Promise<void> {
    const { accounts, log } = this.#options;
    const { revision, lines: filed } = accounts.filed;
    const isOwn = await accounts.filed.isOwn();
    const publish: string[] = [];
    let refused = 0;
    for (const key of new Set([...this.#shared.keys(), ...filed.keys()])) {
      const shared = this.#shared.get(key);
      const difference = compare(shared, filed.get(key));
      const isRefused = !isOwn && difference === "publish" && isKnown(shared, filed.get(key));
      if (isRefused) {
        shared!.filed = false;
        refused++;
      } else if (difference === "publish") publish.push(key);
      if (isRefused || difference === "same" || difference === "write") this.#unfiled.add(key);
    }
    this.#isStrange ||= !isOwn;
    if (refused > 0) {
      log(
        `credentials.txt was changed by others than chatserver: ${refused} accounts are written again as they ` +
          "are, nobody is removed or changed (chatserver users does that)",
      );
    }
    for (let i = 0; i < publish.length; i += AT_ONCE) {
      await Promise.all(publish.slice(i, i + AT_ONCE).map((key) => this.#publishFiled(key)));
    }
    this.#compared = revision;
  }

  async #publishFiled(key: string): Promise<void> {
    const { accounts, journal, log } = this.#options;
    const since = journal.last;
    const before = this.#shared.get(key);
    const line = await accounts.hashedLine(key);
    if (this.#shared.get(key) !== before) return;
    try {
      if (line !== undefined) {
        if (before?.line === line) return;
        await this.#append(key, line, { since });
        log(`credentials.txt: ${parsed(line).username} was changed here, and is so for all`);
      } else {
        await journal.append({ type: "account-removed", account: key }, { since });
        log(`credentials.txt: ${key} was removed here, and is gone for all`);
      }
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      log(`credentials.txt: ${key} was changed at another server at the same time, which counts`);
    }
  }

  /** Another password. Whether nobody else was faster. */
  async #publish(line: string, by: number | undefined): Promise<boolean> {
    try {
      const key = foldUsername(parsed(line).username);
      await this.#append(key, line, { by, since: this.#options.journal.last });
      return true;
    } catch (error) {
      if (error instanceof ConflictError) return false;
      throw error;
    }
  }

  #append(
    account: string,
    line: string,
    { by, since }: { by?: number | undefined; since: number },
  ): Promise<number> {
    const { role = "user", ...rest } = parsed(line);
    const identity = identityOf(rest);
    const at = this.#options.clock.date().getTime();
    const event = { type: "account-changed", account, identity, line, by, role, at } as const;
    return this.#options.journal.append(event, { since });
  }

  /** Writes to the file what it lacks. */
  async #write(): Promise<void> {
    if (this.#unfiled.size === 0) return;
    const { accounts, database, projection } = this.#options;
    const lines = new Map<string, string | undefined>();
    const different = new Map<string, string | undefined>();
    for (const key of this.#unfiled) {
      const line = this.#shared.get(key)?.line;
      lines.set(key, line);
      if (accounts.filed.line(key) !== line) different.set(key, line);
    }
    if (different.size > 0 && !await accounts.filed.write(different)) return;
    for (const [key, line] of lines) {
      const shared = this.#shared.get(key);
      // It may have changed meanwhile.
      if (shared === undefined || shared.line !== line) continue;
      shared.filed = true;
      this.#unfiled.delete(key);
    }
    database.note(() => {
      for (const [key, line] of lines) projection.credentials.file(key, line);
    });
  }

  /** A folder that was never in this cluster may have brought accounts of its own. */
  #requireSame(): void {
    const shared = [...this.#shared];
    if (shared.some(([, { filed }]) => filed)) return;
    const filed = this.#options.accounts.filed.lines;
    const others = shared.filter(([key, { line, identity }]) =>
      line !== undefined && (filed.get(key)?.identity ?? identity) !== identity
    );
    if (others.length === 0) return;
    const names = others.slice(0, MAX_NAMES).map(([, { line }]) => parsed(line!).username);
    const more = others.length > names.length ? ` and ${others.length - names.length} more` : "";
    throw new ExitError(
      ExitCode.refused,
      `credentials.txt has accounts that are others in this cluster: ${names.join(", ")}${more}: ` +
        "take them out of it, or take another data folder",
    );
  }
}

function parsed(line: string): CredentialsLine {
  const account = parseCredentialsLine(line);
  if (account !== undefined) return account;
  // Whoever published it had read it.
  throw new Error("an event has no line of credentials.txt");
}
