import type { LoginEvent } from "../journal/events.ts";
import type { Database } from "./database.ts";

/** So many clients of one account may come back; the oldest ones then may no more. */
const PER_ACCOUNT = 100;

/** A client that logged in with a password and may come back without one. */
export interface Login {
  id: number;
  /** The account's key. */
  account: string;
  /** What stood for the account's password then. */
  credential: string;
  /** The newest event then: the client never needs this one or an earlier one. */
  last: number;
}

/** The clients that may come back. */
export class LoginTable {
  readonly #statements;

  constructor(database: Database) {
    this.#statements = prepare(database);
  }

  /**
   * A login whose client may come back.
   *
   * @param token SHA-256 of the resume token
   * @param time by which it must not have expired
   */
  find(token: Uint8Array, time: Date): Login | undefined {
    return this.#statements.find.get(token, time.getTime()) as unknown as Login | undefined;
  }

  /** Whether others had to go for it. */
  add(id: number, { account, credential, token, last, expires }: LoginEvent): boolean {
    const { add, limit } = this.#statements;
    add.run({ id, account, credential, token: Uint8Array.fromHex(token), last, expires });
    return limit.run({ account }) > 0;
  }

  extend(id: number, expires: number): void {
    this.#statements.extend.run(expires, id);
  }

  /** Its account has another password now. */
  renew(id: number, credential: string): void {
    this.#statements.renew.run(credential, id);
  }

  end(id: number): void {
    this.#statements.end.run(id);
  }

  /** Forgets those that have expired by a time. Whether there were any. */
  expire(by: number): boolean {
    return this.#statements.expire.run(by) > 0;
  }
}

function prepare(database: Database) {
  return database.prepare({
    // A batch of which nobody knew whether it was stored is applied again.
    add: `INSERT OR REPLACE INTO logins (id, token, account, credential, last, expires)
      VALUES (:id, :token, :account, :credential, :last, :expires)`,
    limit: `DELETE FROM logins WHERE account = :account AND id NOT IN
      (SELECT id FROM logins WHERE account = :account ORDER BY expires DESC, id DESC LIMIT ${PER_ACCOUNT})`,
    find: "SELECT id, account, credential, last FROM logins WHERE token = ? AND expires > ?",
    extend: "UPDATE logins SET expires = ? WHERE id = ?",
    renew: "UPDATE logins SET credential = ? WHERE id = ?",
    end: "DELETE FROM logins WHERE id = ?",
    expire: "DELETE FROM logins WHERE expires <= ?",
  });
}
