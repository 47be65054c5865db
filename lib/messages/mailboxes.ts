import { PLAIN_IDENTITY } from "../accounts/credentials_line.ts";
import type { Database } from "./database.ts";
import type { Postings } from "./postings.ts";

/** A message in `messages` is a direct one that its addressee has not acknowledged. */
export const UNDELIVERED = `(addressee IS NOT NULL AND (
    id > (SELECT delivered FROM accounts WHERE account = addressee)
    OR EXISTS (SELECT 1 FROM exceptions WHERE account = addressee AND message = id)) IS TRUE)`;

/** Which public messages an account may read: those since it was made, or all that the log keeps. */
export const HISTORY_RULES = ["joined", "all"] as const;
export type HistoryRule = (typeof HISTORY_RULES)[number];

/** Which messages an account may read: those with higher ids. `publicAfter` is never above `ownAfter`. */
export interface Entitlement {
  /** Of the public ones. */
  publicAfter: number;
  /** Of its own, which it sent or is the addressee of: an earlier account of its name had those before. */
  ownAfter: number;
}

/**
 * What each account is entitled to, and which of its direct messages it has acknowledged: a cursor, and
 * the exceptions behind it.
 */
export class Mailboxes {
  /** Says what may be read, not what is stored or delivered: another one holds for all that is there. */
  readonly history: HistoryRule;
  readonly #statements;
  readonly #postings: Postings;
  /** Accounts that are known to have a mailbox. */
  readonly #met = new Set<string>();

  constructor(
    database: Database,
    { history, postings }: { history: HistoryRule; postings: Postings },
  ) {
    this.history = history;
    this.#postings = postings;
    this.#statements = prepare(database);
  }

  /** What tells each account from others of its name, by its key; empty where that is not known. */
  get identities(): Map<string, string> {
    const rows = this.#statements.all.all() as { account: string; identity: string }[];
    return new Map(rows.map(({ account, identity }) => [account, identity]));
  }

  /** The same for one account; undefined where there is none. */
  identity(account: string): string | undefined {
    return this.#statements.find.get(account)?.["identity"] as string | undefined;
  }

  /** Nothing is its own where there is no such account. */
  entitlement(account: string): Entitlement {
    const since = this.#statements.find.get(account)?.["since"] as number | undefined ?? Infinity;
    return { publicAfter: this.history === "all" ? 0 : since, ownAfter: since };
  }

  /** The newest message when the account's last session ended; undefined where it is not known. */
  seen(account: string): number | undefined {
    return this.#statements.find.get(account)?.["seen"] as number | null ?? undefined;
  }

  /** The account's last session has ended. */
  see(account: string, last: number): void {
    this.#statements.see.run(last, account);
  }

  /** Up to which id the account needs no message of any room any more. */
  heard(account: string): number {
    return this.#statements.heard.get(account)?.["heard"] as number | undefined ?? 0;
  }

  /** The account needs none up to this id, either. */
  hear(account: string, upTo: number): void {
    this.#statements.hear.run(upTo, account);
  }

  /** Up to which id the account has acknowledged direct messages, but for exceptions; undefined where there is none. */
  delivered(account: string): number | undefined {
    return this.#statements.delivered.get(account)?.["delivered"] as number | undefined;
  }

  /** Gives an account a mailbox, or the one that it has another identity. */
  open(account: string, { identity, since, delivered }: {
    identity: string;
    since: number;
    /** It has acknowledged direct messages up to this id. */
    delivered: number;
  }): void {
    this.#statements.open.run({ account, identity, since, delivered });
  }

  /** Whether another account has this name now: with another identity than the one that is known. */
  isAnother(account: string, identity: string): boolean {
    const known = this.identity(account);
    // One that was kept without an identity, or with a password that has become a hash, is the same.
    return known !== undefined && known !== identity && known !== "" && known !== PLAIN_IDENTITY;
  }

  /**
   * An account has gone.
   *
   * @returns whether it had a mailbox
   */
  close(account: string): boolean {
    this.#statements.clear.run(account);
    this.#met.delete(account);
    return this.#statements.close.run(account) > 0;
  }

  /** A direct message goes to an account: to one that was never seen before it is one that waits for it. */
  receive(account: string, message: number): void {
    if (this.#met.has(account)) return;
    const before = message - 1;
    this.#statements.meet.run({ account, identity: "", since: before, delivered: before });
    this.#met.add(account);
  }

  /**
   * Direct messages were acknowledged by their addressee.
   *
   * @param ids ascending
   */
  acknowledge(account: string, ids: readonly number[]): void {
    const { except, unexcept, advance } = this.#statements;
    const cursor = this.delivered(account);
    if (cursor === undefined) return;
    for (const id of ids) if (id <= cursor) unexcept.run(account, id);
    const highest = ids.at(-1) ?? 0;
    if (highest <= cursor) return;
    const range = { after: cursor, upTo: highest, limit: Infinity };
    const there = this.#postings.oldest(account, "received", range);
    const acknowledged = new Set(ids);
    for (const id of there) if (!acknowledged.has(id)) except.run(account, id);
    advance.run(highest, account);
  }

  /** Nobody knows whether what was applied last is in the tables. */
  forgetMet(): void {
    this.#met.clear();
  }
}

function prepare(database: Database) {
  return database.prepare({
    find: "SELECT since, identity, seen FROM accounts WHERE account = ?",
    see: "UPDATE accounts SET seen = ? WHERE account = ?",
    heard: "SELECT heard FROM accounts WHERE account = ?",
    hear: "UPDATE accounts SET heard = max(heard, ?) WHERE account = ?",
    delivered: "SELECT delivered FROM accounts WHERE account = ?",
    all: "SELECT account, identity FROM accounts",
    open: `INSERT INTO accounts (account, since, delivered, identity)
      VALUES (:account, :since, :delivered, :identity)
      ON CONFLICT (account) DO UPDATE SET identity = excluded.identity`,
    meet: `INSERT OR IGNORE INTO accounts (account, since, delivered, identity)
      VALUES (:account, :since, :delivered, :identity)`,
    close: "DELETE FROM accounts WHERE account = ?",
    clear: "DELETE FROM exceptions WHERE account = ?",
    advance: "UPDATE accounts SET delivered = ? WHERE account = ?",
    except: "INSERT OR IGNORE INTO exceptions (account, message) VALUES (?, ?)",
    unexcept: "DELETE FROM exceptions WHERE account = ? AND message = ?",
  });
}
