import { DatabaseSync } from "node:sqlite";
import type { Database } from "../../lib/messages/database.ts";
import type { TempFolder } from "../helpers/temp_folder.ts";

/** Each server's own affair: what it has still to take out of the stream, and which lists it has written. */
const OWN = ["erasures", "postings", "sqlite_sequence"];

type Rows = Record<string, unknown>[];

/** Everything that a projection holds, row by row, but for what is each server's own affair. */
export function contentOf(projection: TempFolder | Database): Record<string, Rows> {
  if (!("file" in projection)) return read((sql) => projection.prepare({ sql }).sql.all());
  using database = new DatabaseSync(projection.file("messages.db"));
  return read((sql) => database.prepare(sql).all());
}

function read(all: (sql: string) => Rows): Record<string, Rows> {
  const names = all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .map(({ name }) => name as string).filter((name) => !OWN.includes(name));
  const content = names.map((table) => {
    const rows = all(`SELECT * FROM ${table}`);
    // Whether credentials.txt has an account; a message says the newest event as well.
    for (const row of rows) {
      if (table === "credentials") delete row["filed"];
      if (table === "journal") { for (const own of ["last", "posted"]) delete row[own]; }
    }
    return [table, rows.sort(byText)] as const;
  });
  return Object.fromEntries(content);
}

function byText(a: Rows[number], b: Rows[number]): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
