import type { Database } from "./database.ts";

/**
 * Messages whose texts the stream of a cluster still has, though they were deleted here, or were never said: who
 * trims the stream takes them out of it. Empty on a server alone.
 */
export class Erasures {
  readonly #database: Database;
  readonly #statements;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = database.prepare({
      add: "INSERT OR IGNORE INTO erasures (message, event) VALUES (?, ?)",
      due: "SELECT message FROM erasures WHERE event <= ? ORDER BY message",
      any: "SELECT 1 FROM erasures LIMIT 1",
      remove: "DELETE FROM erasures WHERE event <= ?",
    });
  }

  /** Whether there are any. */
  get waiting(): boolean {
    return this.#statements.any.get() !== undefined;
  }

  /** An event, which may be the message's own, says that the text of a message is not to be kept. */
  add(message: number, event: number): void {
    this.#statements.add.run(message, event);
  }

  /** The ids of those of which events up to this one say so. */
  due(upTo: number): number[] {
    return this.#statements.due.all(upTo).map(({ message }) => message as number);
  }

  /** The stream has them no more. */
  done(upTo: number): void {
    this.#database.note(() => this.#statements.remove.run(upTo));
  }
}
