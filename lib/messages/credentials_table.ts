import type { Database } from "./database.ts";

/** An account of a cluster, as the events have it. */
export interface SharedAccount {
  /** Its line of `credentials.txt`; undefined where the account was removed. */
  line: string | undefined;
  identity: string;
  /** Whether this server's `credentials.txt` has it so. */
  filed: boolean;
}

/** The accounts of a cluster; empty on a server alone. */
export class CredentialsTable {
  readonly #statements;

  constructor(database: Database) {
    this.#statements = database.prepare({
      all: "SELECT account, line, identity, filed FROM credentials",
      put: `INSERT INTO credentials (account, line, identity, filed) VALUES (?, ?, ?, 0)
        ON CONFLICT (account) DO UPDATE SET filed = filed AND line IS excluded.line,
          line = excluded.line, identity = excluded.identity`,
      remove: "UPDATE credentials SET line = NULL, filed = 0 WHERE account = ? AND line NOT NULL",
      file: "UPDATE credentials SET filed = 1 WHERE account = ? AND line IS ?",
    });
  }

  /** Every account, also those that were removed, by key. */
  get all(): Map<string, SharedAccount> {
    const rows = this.#statements.all.all() as {
      account: string;
      line: string | null;
      identity: string;
      filed: number;
    }[];
    return new Map(
      rows.map(({ account, line, identity, filed }) =>
        [account, { line: line ?? undefined, identity, filed: filed === 1 }] as const
      ),
    );
  }

  /** An account is there, or has another line. */
  put(account: string, line: string, identity: string): void {
    this.#statements.put.run(account, line, identity);
  }

  /** An account has gone. */
  remove(account: string): void {
    this.#statements.remove.run(account);
  }

  /** `credentials.txt` has the account with this line, or has it no more. */
  file(account: string, line: string | undefined): void {
    this.#statements.file.run(account, line ?? null);
  }
}
