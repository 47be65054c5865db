import type { SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { ProtocolError } from "../protocol/errors.ts";

type Parameters = SQLInputValue[] | [named: Record<string, SQLInputValue>];

/** One row, by column. */
export type Row = Record<string, SQLOutputValue>;

/** A prepared statement. */
export class Statement {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  /**
   * Changes something; inside a change of the database.
   *
   * @returns how many rows
   */
  run(...parameters: Parameters): number {
    return Number(this.#statement.run(...parameters as SQLInputValue[]).changes);
  }

  /** The first row, if there is one. @throws {ProtocolError} `not-readable` */
  get(...parameters: Parameters): Row | undefined {
    try {
      return this.#statement.get(...parameters as SQLInputValue[]) as Row | undefined;
    } catch (cause) {
      throw notReadable(cause);
    }
  }

  /** Every row. @throws {ProtocolError} `not-readable` */
  all(...parameters: Parameters): Row[] {
    // Not by `iterate`: at a damaged page that ends as if there were no more.
    try {
      return this.#statement.all(...parameters as SQLInputValue[]) as Row[];
    } catch (cause) {
      throw notReadable(cause);
    }
  }
}

/** SQLite's code for "database disk image is malformed". */
const SQLITE_CORRUPT = 11;

/** Whether something can't be read because the file is damaged, which no second attempt changes. */
export function isDamage({ cause }: Error): boolean {
  return (cause as { errcode?: number } | undefined)?.errcode === SQLITE_CORRUPT;
}

function notReadable(cause: unknown): ProtocolError {
  return new ProtocolError("not-readable", "the server can't read its log of messages", { cause });
}
