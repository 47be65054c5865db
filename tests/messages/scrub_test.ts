// What was deleted is in none of the files any more.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Database } from "../../lib/messages/database.ts";
import { MessageLog } from "../../lib/messages/message_log.ts";
import { MIGRATIONS } from "../../lib/messages/schema.ts";
import { scrub } from "../../lib/messages/scrub.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { seededRandom } from "../helpers/lossy_link.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const SECRET = "to be forgotten ";

function open(folder: TempFolder) {
  const clock = new FakeClock();
  const database = new Database(folder.file("messages.db"), { clock });
  const log = new MessageLog(database);
  /** Has what was asked for done, and what is to be done when the turn is over. */
  const done = async (...changes: Promise<unknown>[]) => {
    clock.endTurn();
    await Promise.all(changes);
    clock.endTurn();
  };
  return { clock, database, log, done };
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
    const { clock, database, log, done } = open(folder);
    // Sizes of all kinds, so that pages are split and merged as it goes, an hour's work in each commit.
    for (let hour = 0; hour < 20; hour++) {
      const secret = hour < 15 ? SECRET : "kept ";
      const drafts = Array.from({ length: 10 }, () => {
        const text = secret.repeat(1 + random() * characters / secret.length);
        return { from: "joe", to: random() < 0.3 ? "ann" : undefined, text };
      });
      await done(...drafts.map((draft) => log.append(draft)));
      clock.advance(3_600_000);
      if (hour >= 10) {
        await done(log.forgetBefore(new Date(clock.date().getTime() - 10 * 3_600_000)));
      }
    }
    before += countIn(folder, SECRET);
    await done(log.acknowledge("ann", Array.from({ length: log.last }, (_, i) => i + 1)));
    await done(log.forgetBefore(new Date(clock.date().getTime() - 5 * 3_600_000 + 1)));
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
  const { database, log, done } = open(folder);
  await done(
    ...["ann", "joe", "bob"].map((account) => log.enter(account, "a")),
    log.append({ from: "Ann", to: "Joe", text: SECRET }),
    log.append({ from: "joe", to: "ann", text: SECRET }),
    log.append({ from: "ann", to: "ann", text: SECRET }),
    log.append({ from: "ann", to: "bob", text: "ann to bob" }),
    log.append({ from: "ann", to: "never here", text: "it waits" }),
    log.append({ from: "ann", to: undefined, text: "to all" }),
  );
  await done(log.acknowledge("joe", [1]), log.acknowledge("bob", [4]));
  const before = countIn(folder, SECRET);
  await done(log.leave("ann"));
  const texts = (account: string) => log.history(account, { count: 9 }).map(({ text }) => text);
  assertEquals(texts("joe"), [SECRET, SECRET, "to all"]);
  await done(log.leave("joe"));
  assertEquals(countIn(folder, SECRET), 0);
  assertEquals(texts("bob"), ["ann to bob", "to all"]);
  const waiting = log.undelivered("never here", { after: 0, upTo: log.last });
  assertEquals(waiting.items.map(({ text }) => text), ["it waits"]);
  database[Symbol.dispose]();
  console.log(`    direct messages of two removed accounts: ${before} times in the files, then 0`);
});

Deno.test("Database takes out what an older version has deleted and left in the file", async () => {
  await using folder = await TempFolder.create();
  const random = seededRandom(2);
  const older = new DatabaseSync(folder.file("messages.db"));
  older.exec(
    `PRAGMA secure_delete = OFF; ${MIGRATIONS.slice(0, 2).join("")} PRAGMA user_version = 2;
    INSERT INTO accounts (account, since) VALUES ('ann', 0)`,
  );
  const kept: string[] = [];
  const insert = older.prepare(`INSERT INTO messages
    (kind, sender, sender_name, addressee, addressee_name, sent, text)
    VALUES (?, 'joe', 'joe', ?, ?, 0, ?)`);
  older.exec("BEGIN");
  for (let i = 0; i < 1_000; i++) {
    // First whole pages that become free, then pages that some messages stay in.
    const old = i < 500 || i < 999 && random() < 0.5;
    const text = (old ? SECRET : `kept ${i} `).repeat(1 + random() * 20);
    if (!old) kept.push(text);
    const to = i % 3 === 0 ? "ann" : null;
    insert.run(to === null ? "public" : "direct", to, to, text);
  }
  older.exec(`COMMIT; DELETE FROM messages WHERE text LIKE '${SECRET}%';
    INSERT INTO undelivered VALUES ('ann', 1000)`);
  older.close();
  const before = countIn(folder, SECRET);
  assert(before > 0);

  const { database, log } = open(folder);
  assertEquals(countIn(folder, SECRET), 0);
  assertEquals(log.history("ann", { count: 2_000 }).map(({ text }) => text), kept);
  assertEquals(log.last, 1_000);
  const waiting = log.undelivered("ann", { after: 0, upTo: 1_000 });
  assertEquals(waiting.items.map(({ text }) => text), kept.slice(-1));
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
