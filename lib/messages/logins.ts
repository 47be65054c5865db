import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Journal } from "../journal/journal.ts";
import type { Login, LoginTable } from "./login_table.ts";

/** How long after its last session a client may come back, in milliseconds. */
const VALID_MS = 24 * 3_600_000;

/** Options of {@linkcode Logins}. */
export interface LoginsOptions {
  journal: Journal;
  table: LoginTable;
  clock: Pick<Clock, "date">;
  /** The time by which a client was away for too long. @default the wall clock's */
  age?: () => Date;
}

/** Lets clients come back, by resume token, of which only the SHA-256 is kept. */
export class Logins {
  readonly #journal: Journal;
  readonly #table: LoginTable;
  readonly #clock: Pick<Clock, "date">;
  readonly #age: () => Date;

  constructor({ journal, table, clock, age = () => clock.date() }: LoginsOptions) {
    this.#journal = journal;
    this.#table = table;
    this.#clock = clock;
    this.#age = age;
  }

  /**
   * Remembers a client.
   *
   * @returns its number, and the token: 32 bytes as hexadecimal digits
   * @throws {ProtocolError} `not-stored`
   */
  async add(login: Omit<Login, "id">): Promise<{ id: number; token: string }> {
    const token = randomBytes(32).toString("hex");
    const id = await this.#journal.append({
      type: "login",
      ...login,
      token: hashOf(token).toString("hex"),
      expires: this.#expiry(),
    });
    return { id, token };
  }

  /** The client that has this token, unless it was away for too long. */
  find(token: string): Login | undefined {
    return this.#table.find(hashOf(token), this.#age());
  }

  /** The client was here until now. */
  extend(login: number): void {
    // Where this can't be stored, the token ends earlier.
    this.#journal.append({ type: "login-extended", login, expires: this.#expiry() })
      .catch(() => {});
  }

  /**
   * The account has another password, and this client has shown that it is the account's: its token
   * goes on.
   *
   * @throws {ProtocolError} `not-stored`
   */
  async renew(login: number, credential: string): Promise<void> {
    await this.#journal.append({ type: "login-renewed", login, credential });
  }

  /** The client has left for good. */
  end(login: number): void {
    // Where this can't be stored, the token ends by itself.
    this.#journal.append({ type: "login-ended", login }).catch(() => {});
  }

  /** Forgets those that were away for too long. */
  async forget(): Promise<void> {
    await this.#journal.append({ type: "logins-expired", by: this.#age().getTime() });
  }

  #expiry(): number {
    return this.#clock.date().getTime() + VALID_MS;
  }
}

function hashOf(token: string) {
  return createHash("sha256").update(token, "hex").digest();
}
