import type { Clock } from "../clock.ts";
import { foldUsername } from "../protocol/names.ts";
import type { CredentialsFile, FileState } from "./credentials_file.ts";
import {
  type CredentialsLine,
  formatCredentialsLine,
  type HashedLine,
  identityOf,
  parseCredentialsLine,
  secretOf,
} from "./credentials_line.ts";
import { WorkQueue } from "./work_queue.ts";

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

/**
 * The accounts that `credentials.txt` holds. Somebody else may change the file at any time: an operator, or another
 * program of this project.
 */
export class FiledAccounts {
  readonly #file: CredentialsFile;
  readonly #clock: Clock;
  /** Changes of the file, one after another. */
  readonly #changes = new WorkQueue(1);
  #accounts = new Map<string, CredentialsLine>();
  #unreadable: number[] = [];
  /** Whether the file ends within a line. */
  #torn = false;
  #revision = 0;
  /** The file's, when it was believed or changed last. */
  #state: FileState = { stamp: "", size: 0 };
  /** Since when the file is not believed, if it is not. */
  #doubtedSince: number | undefined;
  /** Accounts that somebody else has changed, and nobody was told of yet. */
  readonly #changed = new Set<string>();

  constructor(file: CredentialsFile, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** By the accounts' keys. */
  get accounts(): ReadonlyMap<string, CredentialsLine> {
    return this.#accounts;
  }

  /** The numbers (from 1) of the lines that can't be read. */
  get unreadable(): readonly number[] {
    return this.#unreadable;
  }

  /** Another number as soon as somebody else's changes have been read. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether the file may lack accounts that nobody removed: it is empty, is not there, or ends within a line. */
  get #isPartial(): boolean {
    return this.#torn || this.#accounts.size === 0;
  }

  /** Each account's line as this server writes it, and its identity, by key. */
  get lines(): Map<string, { line: string; identity: string }> {
    return new Map(
      [...this.#accounts].map(([key, account]) =>
        [key, { line: formatLine(account), identity: identityOf(account) }] as const
      ),
    );
  }

  /** The line of one account, as this server writes it. */
  line(key: string): string | undefined {
    const account = this.#accounts.get(key);
    return account && formatLine(account);
  }

  /**
   * Reads the file again if somebody else has changed it. What looks like a file that is only half
   * written, since accounts are gone, is read again two seconds later before it is believed.
   *
   * @returns the usernames of the accounts that are gone, or have another password, since this was asked for last
   */
  async refresh(): Promise<string[]> {
    await this.#changes.run(() => this.#refresh());
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** Does a change to what the file holds now, while nobody else does one. */
  async change<T>(change: () => Promise<T>): Promise<T> {
    return await this.#changes.run(() =>
      this.#file.exclusively(async () => {
        await this.#refresh();
        // What is half written must be neither added to nor taken for all there is.
        for (let rest; (rest = this.#doubtRest()) > 0; await this.#refresh()) {
          await pause(this.#clock, Math.min(rest, DOUBT_PAUSE_MS));
        }
        const result = await change();
        // Else it is still what was read.
        this.#state = this.#file.written ?? this.#state;
        return result;
      })
    );
  }

  /** Adds an account; within a {@linkcode change}. */
  async add(line: HashedLine): Promise<void> {
    await this.#file.append(formatCredentialsLine(line));
    this.#accounts.set(foldUsername(line.username), line);
  }

  /** Puts a line in the place of all about its account: an earlier one may hold the same password. Within a change. */
  async replace(line: HashedLine): Promise<void> {
    const key = foldUsername(line.username);
    const others = await this.#linesWithout(new Set([key]));
    await this.#file.replace([...others, utf8.encode(formatCredentialsLine(line))]);
    this.#accounts.set(key, line);
  }

  /** Removes accounts, all or none; within a change. */
  async remove(keys: ReadonlySet<string>): Promise<void> {
    if (keys.size > 0) await this.#file.replace(await this.#linesWithout(keys));
    for (const key of keys) this.#accounts.delete(key);
  }

  /**
   * Brings accounts to these lines; undefined where they have gone.
   *
   * @returns false where somebody else has changed the file, which has to be looked at first: nothing was written then
   */
  async write(lines: ReadonlyMap<string, string | undefined>): Promise<boolean> {
    const revision = this.#revision;
    return await this.change(async () => {
      if (this.#revision !== revision) return false;
      const added = [...lines.values()].filter((line) => line !== undefined);
      // What was lost comes back whole, or not yet: half of it would pass for all that an operator left.
      if (this.#isPartial || [...lines.keys()].some((key) => this.#accounts.has(key))) {
        const others = await this.#linesWithout(new Set(lines.keys()));
        await this.#file.replace([...others, ...added.map((line) => utf8.encode(line))]);
      } else if (added.length > 0) await this.#file.append(added.join("\n"));
      for (const [key, line] of lines) {
        const account = line === undefined ? undefined : parseCredentialsLine(line);
        if (account === undefined) this.#accounts.delete(key);
        else this.#accounts.set(key, account);
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
    this.#torn = content.length > 0 && content.at(-1) !== LF;
    this.#state = { stamp: state.stamp, size: content.length };
    this.#revision++;
  }

  /** How long the file is still not to be believed, in milliseconds. */
  #doubtRest(): number {
    if (this.#doubtedSince === undefined) return 0;
    return Math.max(this.#doubtedSince + DOUBT_MS - this.#clock.now(), 0);
  }

  async #linesWithout(keys: ReadonlySet<string>): Promise<Uint8Array[]> {
    const lines = splitLines(await this.#file.read());
    return lines.filter((line) => !keys.has(accountOf(line) ?? "")).map(({ bytes }) => bytes);
  }
}

/** Whether an account has the same password as before. */
export function sameSecret(a: CredentialsLine | undefined, b: CredentialsLine): boolean {
  return a !== undefined && secretOf(a) === secretOf(b);
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}

/** As it stands in the file; one whose password is not hashed yet without when it was made. */
function formatLine(account: CredentialsLine): string {
  const { username, secret } = account;
  if (!("hash" in secret)) return `${username}:${secret.password}`;
  return formatCredentialsLine({ ...account, secret });
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
