import { createHash, randomBytes } from "node:crypto";
import type { Database, Statement } from "./database.ts";

/** So many clients of one account may come back; the oldest ones then may no more. */
const PER_ACCOUNT = 100;
/** How long after its last session a client may come back, in milliseconds. */
const VALID_MS = 24 * 3_600_000;

/** A client that logged in with a password and may come back without one. */
export interface Login {
  id: number;
  /** The account's key. */
  account: string;
  /** What stood for the account's password then. */
  credential: string;
  /** The newest message then: it never needs this one or an earlier one. */
  last: number;
}

/** The clients that may come back, by resume token, of which only the SHA-256 is kept. */
export class Logins {
  readonly #database: Database;
  readonly #age: () => Date;
  readonly #statements: Record<
    "add" | "limit" | "find" | "extend" | "renew" | "end" | "forget",
    Statement
  >;

  /** @param age the time by which a client was away for too long; by default the wall clock's */
  constructor(database: Database, age = () => database.now()) {
    this.#database = database;
    this.#age = age;
    this.#statements = database.prepare({
      add: `INSERT INTO logins (token, account, credential, last, expires)
        VALUES (:token, :account, :credential, :last, :expires)`,
      limit: `DELETE FROM logins WHERE account = :account AND id NOT IN
        (SELECT id FROM logins WHERE account = :account ORDER BY expires DESC LIMIT ${PER_ACCOUNT})`,
      find: "SELECT id, account, credential, last FROM logins WHERE token = ? AND expires > ?",
      extend: "UPDATE logins SET expires = ? WHERE id = ?",
      renew: "UPDATE logins SET credential = ? WHERE id = ?",
      end: "DELETE FROM logins WHERE id = ?",
      forget: "DELETE FROM logins WHERE expires <= ?",
    });
  }

  /**
   * Remembers a client.
   *
   * @returns its number, and the token: 32 bytes as hexadecimal digits
   * @throws {ProtocolError} `not-stored`
   */
  async add(login: Omit<Login, "id">): Promise<{ id: number; token: string }> {
    const token = randomBytes(32).toString("hex");
    let id = 0;
    await this.#database.change(() => {
      const { add, limit } = this.#statements;
      id = add.run({ ...login, token: hashOf(token), expires: this.#expiry() });
      limit.run({ account: login.account });
    });
    return { id, token };
  }

  /** The client that has this token, unless it was away for too long. */
  find(token: string): Login | undefined {
    const row = this.#statements.find.get(hashOf(token), this.#age().getTime());
    return row as unknown as Login | undefined;
  }

  /** The client was here until now. */
  extend(id: number): void {
    // Where this can't be stored, the token ends earlier.
    this.#database.change(() => this.#statements.extend.run(this.#expiry(), id)).catch(() => {});
  }

  /**
   * The account has another password, and this client has shown that it is the account's: its token
   * goes on.
   *
   * @throws {ProtocolError} `not-stored`
   */
  async renew(id: number, credential: string): Promise<void> {
    await this.#database.change(() => this.#statements.renew.run(credential, id));
  }

  /** The client has left for good. */
  end(id: number): void {
    // Where this can't be stored, the token ends by itself.
    this.#database.change(() => this.#statements.end.run(id)).catch(() => {});
  }

  /** Forgets those that were away for too long. */
  async forget(): Promise<void> {
    await this.#database.change(() => this.#statements.forget.run(this.#age().getTime()));
  }

  #expiry(): number {
    return this.#database.now().getTime() + VALID_MS;
  }
}

function hashOf(token: string): Uint8Array {
  return createHash("sha256").update(token, "hex").digest();
}
