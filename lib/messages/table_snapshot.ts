import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { Database } from "./database.ts";
import { UNDELIVERED } from "./mailboxes.ts";
import type { Statement } from "./statement.ts";

/** The tables as they are after an event, but for messages that the journal has. */
export interface Snapshot {
  /** The number of the event. */
  upTo: number;
  /** Messages with lower ids are in the parts, as far as they are kept at all. */
  before: number;
  /** Rows of tables, each part up to about 600 kB in UTF-8. */
  parts: string[];
}

/** Some rows of a table. */
interface Part {
  table: string;
  columns: string[];
  rows: Cell[][];
}

/** Bytes are written as hexadecimal digits. */
type Cell = string | number | null | { hex: string };

/** A part is ended when it has so many UTF-16 code units. */
const PART_CHARACTERS = 200_000;

/** What is in no row, but made from rows: which messages of the journal are in the table, as 32 bits a word. */
const LIVE = "live";

/** Each server's own affair. */
const OWN: ReadonlySet<string> = new Set(["journal", "postings", "sqlite_sequence"]);

/** What each server keeps for itself of a table that is the same at all. */
const FILED = "filed";

/** Reads all tables at once, and fills them again. */
export class TableSnapshot {
  readonly #database: Database;
  /** The tables but for messages, and their columns. */
  readonly #tables: ReadonlyMap<string, string[]>;
  readonly #statements;
  readonly #reading: ReadonlyMap<string, Statement>;

  constructor(database: Database) {
    this.#database = database;
    const { names } = database.prepare({
      names: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
    });
    const tables = names.all().map(({ name }) => name as string).filter((name) => !OWN.has(name));
    this.#tables = new Map(tables.map((table) => [table, columnsOf(database, table)]));
    const erased = "(deleted_by IS NOT NULL OR id IN (SELECT message FROM erasures))";
    this.#statements = database.prepare({
      before: `SELECT id FROM messages WHERE NOT ${UNDELIVERED} ORDER BY id LIMIT 1`,
      [LIVE]: `SELECT id >> 5 AS word, sum(1 << (id & 31)) AS bits FROM messages
        WHERE id >= ? AND NOT ${erased} GROUP BY word ORDER BY word`,
      messages: `SELECT * FROM messages WHERE id < ? OR ${erased}`,
    });
    const texts = Object.fromEntries(tables.map((table) => [table, `SELECT * FROM ${table}`]));
    this.#reading = new Map(Object.entries(database.prepare(texts)));
  }

  /** Takes one, inside a transaction. @param upTo the newest event that the tables have */
  take(upTo: number): Snapshot {
    const { before: first, live, messages } = this.#statements;
    const before = first!.get()?.["id"] as number | undefined ?? upTo + 1;
    const parts: string[] = [];
    for (const [table, columns] of this.#tables) {
      const rows = table === "messages" ? messages!.all(before) : this.#reading.get(table)!.all();
      parts.push(...partsOf(table, columns, rows));
    }
    parts.push(...partsOf(LIVE, ["word", "bits"], live!.all(before)));
    return { upTo, before, parts };
  }

  /** Empties the tables, inside a transaction. */
  clear(): void {
    for (const [table] of this.#tables) {
      // What an operator has changed in credentials.txt is seen by this server's own copy.
      if (table !== "credentials") this.#run(`DELETE FROM ${table}`);
    }
  }

  /**
   * Puts the rows of a part into their table, inside a transaction.
   *
   * @returns the ids of messages that are to be taken from the journal, ascending
   */
  load(text: string): number[] {
    const { table, columns, rows } = JSON.parse(text) as Part;
    if (table === LIVE) {
      return rows.flatMap(([word, bits]) => idsOf(word as number, bits as number));
    }
    const known = this.#tables.get(table);
    if (known === undefined || columns.join() !== known.join()) {
      throw new Error(`no table ${table} with the columns ${columns.join(", ")}`);
    }
    const statement = this.#prepare(
      `INSERT OR REPLACE INTO ${table} (${columns.join(", ")})
        VALUES (${columns.map(() => "?").join(", ")}) ${table === "credentials" ? KEEP_FILED : ""}`,
    );
    for (const row of rows) statement.run(...row.map(toValue));
    return [];
  }

  #run(sql: string): void {
    this.#prepare(sql).run();
  }

  #prepare(sql: string): Statement {
    return this.#database.prepare({ sql }).sql;
  }
}

/** An account that credentials.txt has so already need not be written again. */
const KEEP_FILED = `ON CONFLICT (account) DO UPDATE SET filed = filed AND line IS excluded.line,
  line = excluded.line, identity = excluded.identity`;

function columnsOf(database: Database, table: string): string[] {
  const { columns } = database.prepare({
    columns: `SELECT name FROM pragma_table_info('${table}')`,
  });
  return columns.all().map(({ name }) => name as string);
}

function* partsOf(
  table: string,
  columns: string[],
  rows: Record<string, SQLOutputValue>[],
): Iterable<string> {
  const head = `{"table":${JSON.stringify(table)},"columns":${JSON.stringify(columns)},"rows":[`;
  let some: string[] = [];
  let size = 0;
  for (const row of rows) {
    const cells = columns.map((column) => column === FILED ? 0 : toCell(row[column]!));
    const text = JSON.stringify(cells);
    some.push(text);
    size += text.length;
    if (size < PART_CHARACTERS) continue;
    yield `${head}${some.join()}]}`;
    [some, size] = [[], 0];
  }
  if (some.length > 0) yield `${head}${some.join()}]}`;
}

function toCell(value: SQLOutputValue): Cell {
  if (value instanceof Uint8Array) return { hex: value.toHex() };
  return value as string | number | null;
}

function toValue(cell: Cell): SQLInputValue {
  return typeof cell === "object" && cell !== null ? Uint8Array.fromHex(cell.hex) : cell;
}

function idsOf(word: number, bits: number): number[] {
  const ids: number[] = [];
  for (let i = 0; i < 32; i++) if (bits & 1 << i) ids.push(word * 32 + i);
  return ids;
}
