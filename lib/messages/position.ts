import type { Database } from "./database.ts";

/** Up to which event of which stream the tables have come. */
export class Position {
  readonly #stream: string | null;
  readonly #statements;

  /** @param stream null where the events are a single server's own */
  constructor(database: Database, stream: string | null) {
    this.#stream = stream;
    this.#statements = database.prepare({
      // What is being restored is nothing yet.
      read: `SELECT stream, restoring, iif(restoring, 0,
          max(last, coalesce((SELECT max(id) FROM messages), 0))) AS last FROM journal`,
      advance: "UPDATE journal SET last = ?, stream = ?, restoring = 0",
      restore: "UPDATE journal SET last = 0, stream = ?, restoring = 1",
    });
  }

  /** The number of the newest event that the tables know of. */
  get last(): number {
    return this.#statements.read.get()!["last"] as number;
  }

  /** Whether the tables are only partly filled from a snapshot. */
  get restoring(): boolean {
    return this.#statements.read.get()!["restoring"] === 1;
  }

  /** The stream of which the tables are, where that is another one: null for a single server. */
  get foreign(): { stream: string | null } | undefined {
    const { last, stream, restoring } = this.#statements.read.get()!;
    const isUsed = last as number > 0 || restoring === 1;
    return isUsed && stream !== this.#stream ? { stream: stream as string | null } : undefined;
  }

  /** The tables have come to an event, inside a transaction. */
  advance(last: number): void {
    this.#statements.advance.run(last, this.#stream);
  }

  /** The tables are nothing until they {@linkcode advance}, inside a transaction. */
  restore(): void {
    this.#statements.restore.run(this.#stream);
  }
}
