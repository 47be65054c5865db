import type { SQLInputValue } from "node:sqlite";
import type { Database } from "./database.ts";
import type { Statement } from "./statement.ts";

/** Which table {@linkcode Rows} is of. */
export interface RowsOptions<R, K extends keyof R> {
  table: string;
  /** The columns of the primary key, and all others. */
  key: readonly K[];
  values: readonly Exclude<keyof R, K>[];
}

/** A table whose rows are read and written whole. What was replaced can be put back until it is {@linkcode keep}ed. */
export class Rows<R extends { [C in keyof R]: SQLInputValue }, K extends keyof R> {
  readonly #key: readonly K[];
  readonly #columns: readonly (keyof R)[];
  readonly #statements: Record<"get" | "put" | "remove", Statement>;
  /** The rows as the disk has them, by their keys; undefined where there is none. */
  readonly #replaced = new Map<string, { key: Pick<R, K>; row: R | undefined }>();

  constructor(database: Database, { table, key, values }: RowsOptions<R, K>) {
    this.#key = key;
    this.#columns = [...key, ...values];
    const where = key.map((column) => `${String(column)} = ?`).join(" AND ");
    this.#statements = database.prepare({
      get: `SELECT ${this.#columns.join(", ")} FROM ${table} WHERE ${where}`,
      put: `INSERT OR REPLACE INTO ${table} (${this.#columns.join(", ")})
        VALUES (${this.#columns.map(() => "?").join(", ")})`,
      remove: `DELETE FROM ${table} WHERE ${where}`,
    });
  }

  get(key: Pick<R, K>): R | undefined {
    return this.#statements.get.get(...this.#valuesOf(key)) as R | undefined;
  }

  put(row: R): void {
    this.#remember(row);
    this.#write(row);
  }

  remove(key: Pick<R, K>): void {
    this.#remember(key);
    this.#statements.remove.run(...this.#valuesOf(key));
  }

  /** What was changed is on the disk. */
  keep(): void {
    this.#replaced.clear();
  }

  /** The rows are as the disk had them; what comes after is kept with that. */
  putBack(): void {
    for (const { key, row } of this.#replaced.values()) {
      if (row === undefined) this.#statements.remove.run(...this.#valuesOf(key));
      else this.#write(row);
    }
  }

  #write(row: R): void {
    this.#statements.put.run(...this.#columns.map((column) => row[column]));
  }

  #remember(key: Pick<R, K>): void {
    const name = JSON.stringify(this.#valuesOf(key));
    if (!this.#replaced.has(name)) this.#replaced.set(name, { key, row: this.get(key) });
  }

  #valuesOf(key: Pick<R, K>): SQLInputValue[] {
    return this.#key.map((column) => key[column]);
  }
}
