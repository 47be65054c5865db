import type { DatabaseSync } from "node:sqlite";

/** `PRAGMA synchronous`: a checkpoint is on the disk before the write-ahead log is cut off. */
const FULL = 2;

/**
 * Takes what was deleted out of the write-ahead log too, where the pages are still as they were: with
 * `secure_delete` it then is in none of the files any more. It takes the log's length, and is done when it
 * returns.
 *
 * @throws where the file can't be written; it then may be tried again
 */
export function scrub(database: DatabaseSync): void {
  const synchronous = valueOf(database, "synchronous");
  database.exec(`PRAGMA synchronous = ${FULL}`);
  try {
    const busy = valueOf(database, "wal_checkpoint(TRUNCATE)", "busy");
    if (busy !== 0) throw new Error("the database is in use");
  } finally {
    database.exec(`PRAGMA synchronous = ${synchronous}`);
  }
}

function valueOf(database: DatabaseSync, pragma: string, column = pragma): number {
  return database.prepare(`PRAGMA ${pragma}`).get()![column] as number;
}
