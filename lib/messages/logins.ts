import { createHash, randomBytes } from "node:crypto";
import type { Database, Statement } from "./database.ts";

/** How long after its last session a client may come back, in milliseconds. */
const VALID_MS = 24 * 3_600_000;

/** A client that logged in with a password and may come back without one. */
export interface Login {
  id: number;
  /** The account's key. */
  account: string;
  /** What stood for the account's password then. */
  credential: string;
}

/** The clients that may come back, by resume token, of which only the SHA-256 is kept. */
export class Logins {
  readonly #database: Database;
  readonly #statements: Record<"add" | "find" | "extend" | "end" | "forget", Statement>;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = database.prepare({
      add: "INSERT INTO logins (token, account, credential, expires) VALUES (?, ?, ?, ?)",
      find: "SELECT id, account, credential FROM logins WHERE token = ? AND expires > ?",
      extend: "UPDATE logins SET expires = ? WHERE id = ?",
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
  async add(account: string, credential: string): Promise<{ id: number; token: string }> {
    const token = randomBytes(32).toString("hex");
    let id = 0;
    await this.#database.change(() => {
      id = this.#statements.add.run(hashOf(token), account, credential, this.#expiry());
    });
    return { id, token };
  }

  /** The client that has this token, unless it was away for too long. */
  find(token: string): Login | undefined {
    const row = this.#statements.find.get(hashOf(token), this.#database.now().getTime());
    return row as unknown as Login | undefined;
  }

  /** The client was here until now. */
  extend(id: number): void {
    // Where this can't be stored, the token ends earlier.
    this.#database.change(() => this.#statements.extend.run(this.#expiry(), id)).catch(() => {});
  }

  /** The client has left for good. */
  end(id: number): void {
    // Where this can't be stored, the token ends by itself.
    this.#database.change(() => this.#statements.end.run(id)).catch(() => {});
  }

  /** Forgets those that were away for too long. */
  async forget(): Promise<void> {
    await this.#database.change(() => this.#statements.forget.run(this.#database.now().getTime()));
  }

  #expiry(): number {
    return this.#database.now().getTime() + VALID_MS;
  }
}

function hashOf(token: string): Uint8Array {
  return createHash("sha256").update(token, "hex").digest();
}
