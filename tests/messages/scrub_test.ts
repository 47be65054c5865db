// What was deleted is in none of the files any more.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Database } from "../../lib/messages/database.ts";
import { type Draft, MessageLog } from "../../lib/messages/message_log.ts";
import { scrub } from "../../lib/messages/scrub.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { seededRandom } from "../helpers/lossy_link.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const SECRET = "to be forgotten ";

function open(folder: TempFolder) {
  const clock = new FakeClock();
  const events: string[] = [];
  const database = new Database(folder.file("messages.db"), clock, (event) => events.push(event));
  const log = new MessageLog(database);
  const append = (draft: Omit<Draft, "kind">) => {
    void log.append({ kind: draft.to === undefined ? "public" : "direct", ...draft }, () => {});
  };
  return { clock, database, log, append, events };
}

/** How often a text stands in the files of a folder. */
function countIn(folder: TempFolder, text: string): number {
  let count = 0;
  for (const { name } of Deno.readDirSync(folder.path)) {
    const bytes = new TextDecoder("latin1").decode(Deno.readFileSync(folder.file(name)));
    count += bytes.split(text).length - 1;
  }
  return count;
}

Deno.test("MessageLog.forgetBefore() leaves nothing in any file of what it forgets", async () => {
  const random = seededRandom(1);
  let before = 0;
  for (const characters of [20, 200, 1_000, 16_000]) {
    await using folder = await TempFolder.create();
    const { clock, database, log, append } = open(folder);
    // Sizes of all kinds, so that pages are split and merged as it goes, an hour's work in each commit.
    for (let hour = 0; hour < 20; hour++) {
      const secret = hour < 15 ? SECRET : "kept ";
      for (let i = 0; i < 10; i++) {
        const text = secret.repeat(1 + random() * characters / secret.length);
        append({ from: "joe", to: random() < 0.3 ? "ann" : undefined, text });
      }
      clock.advance(3_600_000);
      if (hour >= 10) log.forgetBefore(new Date(clock.date().getTime() - 10 * 3_600_000));
      clock.endTurn();
    }
    before += countIn(folder, SECRET);
    for (let id = 1; id <= log.last; id++) log.acknowledge("ann", id);
    clock.endTurn();
    log.forgetBefore(new Date(clock.date().getTime() - 5 * 3_600_000 + 1));
    clock.endTurn();
    assertEquals(countIn(folder, SECRET), 0, `${characters} characters`);
    assert(countIn(folder, "kept ") > 0);
    database[Symbol.dispose]();
    assertEquals(countIn(folder, SECRET), 0);
  }
  assert(before > 0);
  console.log(`    a text in the files ${before} times, after it was forgotten 0`);
});

Deno.test("MessageLog.leave() deletes the direct messages between two removed accounts", async () => {
  await using folder = await TempFolder.create();
  const { clock, database, log, append } = open(folder);
  for (const account of ["ann", "joe", "bob"]) log.enter(account, "a");
  append({ from: "Ann", to: "Joe", text: SECRET });
  append({ from: "joe", to: "ann", text: SECRET });
  append({ from: "ann", to: "ann", text: SECRET });
  append({ from: "ann", to: "bob", text: "ann to bob" });
  append({ from: "ann", to: "never here", text: "it waits" });
  append({ from: "ann", to: undefined, text: "to all" });
  clock.endTurn();
  log.acknowledge("joe", 1);
  log.acknowledge("bob", 4);
  clock.endTurn();
  const before = countIn(folder, SECRET);
  log.leave("ann");
  clock.endTurn();
  const texts = (account: string) => log.history(account, { count: 9 }).map(({ text }) => text);
  assertEquals(texts("joe"), [SECRET, SECRET, "to all"]);
  log.leave("joe");
  clock.endTurn();
  assertEquals(countIn(folder, SECRET), 0);
  assertEquals(texts("bob"), ["ann to bob", "to all"]);
  const waiting = log.undelivered("never here", { after: 0, upTo: log.last, limit: 9 });
  assertEquals(waiting.map(({ text }) => text), ["it waits"]);
  database[Symbol.dispose]();
  console.log(`    direct messages of two removed accounts: ${before} times in the files, then 0`);
});

Deno.test("Database takes out what an older version has deleted and left in the file", async () => {
  await using folder = await TempFolder.create();
  const random = seededRandom(2);
  const first = open(folder);
  first.log.enter("ann", "a", 0);
  const kept: string[] = [];
  for (let i = 0; i < 1_000; i++) {
    // First whole pages that become free, then pages that some messages stay in.
    const old = i < 500 || i < 999 && random() < 0.5;
    const text = (old ? SECRET : `kept ${i} `).repeat(1 + random() * 20);
    if (!old) kept.push(text);
    first.append({ from: "joe", to: i % 3 === 0 ? "ann" : undefined, text });
  }
  first.clock.endTurn();
  for (let id = 1; id <= 999; id++) first.log.acknowledge("ann", id);
  first.clock.endTurn();
  first.database[Symbol.dispose]();
  const older = new DatabaseSync(folder.file("messages.db"));
  older.exec(`PRAGMA secure_delete = OFF; DELETE FROM undelivered WHERE message IN
    (SELECT id FROM messages WHERE text LIKE '${SECRET}%')`);
  older.exec(`DELETE FROM messages WHERE text LIKE '${SECRET}%';
    ALTER TABLE accounts DROP COLUMN identity; PRAGMA user_version = 2`);
  older.close();
  const before = countIn(folder, SECRET);
  assert(before > 0);

  const { database, log } = open(folder);
  assertEquals(countIn(folder, SECRET), 0);
  assertEquals(log.history("ann", { count: 2_000 }).map(({ text }) => text), kept);
  assertEquals(log.last, 1_000);
  const waiting = log.undelivered("ann", { after: 0, upTo: 1_000, limit: 9 });
  assertEquals(waiting.map(({ text }) => text), kept.slice(-1));
  database[Symbol.dispose]();
  console.log(`    a file of an older version: a deleted text ${before} times, then 0`);
});

Deno.test("scrub() throws where the write-ahead log is in use, and leaves the connection as it was", async () => {
  await using folder = await TempFolder.create();
  const database = new DatabaseSync(folder.file("test.db"));
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
  database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
  const rows = database.prepare("SELECT a FROM t").iterate();
  rows.next();
  assertThrows(() => scrub(database), Error, "locked");
  rows.return!();
  assertEquals({ ...database.prepare("PRAGMA synchronous").get() }, { synchronous: 0 });
  scrub(database);
  assertEquals(Deno.statSync(folder.file("test.db-wal")).size, 0);
  database.close();
});
