// What was deleted is in none of the files any more.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS } from "../../lib/messages/schema.ts";
import { scrub } from "../../lib/messages/scrub.ts";
import { seededRandom } from "../helpers/lossy_link.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { TestStore, texts } from "../helpers/test_store.ts";

const SECRET = "to be forgotten ";

/** How often a text stands in the files of a folder. */
function countIn(folder: TempFolder, text: string): number {
  let count = 0;
  for (const { name } of Deno.readDirSync(folder.path)) {
    const bytes = new TextDecoder("latin1").decode(Deno.readFileSync(folder.file(name)));
    count += bytes.split(text).length - 1;
  }
  return count;
}

Deno.test("forgetBefore() leaves nothing in any file of what it forgets", async () => {
  const random = seededRandom(1);
  let before = 0;
  for (const characters of [20, 200, 1_000, 16_000]) {
    await using folder = await TempFolder.create();
    using store = new TestStore(folder.file("messages.db"));
    const { clock } = store;
    // Sizes of all kinds, so that pages are split and merged as it goes, an hour's work in each commit.
    for (let hour = 0; hour < 20; hour++) {
      const secret = hour < 15 ? SECRET : "kept ";
      const drafts = Array.from({ length: 10 }, () => {
        const text = secret.repeat(1 + random() * characters / secret.length);
        return { from: "joe", to: random() < 0.3 ? "ann" : undefined, text };
      });
      await store.done(...store.append(...drafts));
      clock.advance(3_600_000);
      if (hour >= 10) {
        await store.done(store.forgetBefore(new Date(clock.date().getTime() - 10 * 3_600_000)));
      }
    }
    before += countIn(folder, SECRET);
    await store.done(
      store.acknowledge("ann", Array.from({ length: store.journal.last }, (_, i) => i + 1)),
    );
    await store.done(store.forgetBefore(new Date(clock.date().getTime() - 5 * 3_600_000 + 1)));
    assertEquals(countIn(folder, SECRET), 0, `${characters} characters`);
    assert(countIn(folder, "kept ") > 0);
    store[Symbol.dispose]();
    assertEquals(countIn(folder, SECRET), 0);
  }
  assert(before > 0);
  console.log(`    a text in the files ${before} times, after it was forgotten 0`);
});

Deno.test('"account-removed" deletes the direct messages between two removed accounts', async () => {
  await using folder = await TempFolder.create();
  using store = new TestStore(folder.file("messages.db"));
  await store.done(
    ...["ann", "joe", "bob"].map((account) => store.enter(account, "a")),
    store.send({ from: "Ann", to: "Joe", text: SECRET }),
    store.send({ from: "joe", to: "ann", text: SECRET }),
    store.send({ from: "ann", to: "ann", text: SECRET }),
    store.send({ from: "ann", to: "bob", text: "ann to bob" }),
    store.send({ from: "ann", to: "never here", text: "it waits" }),
    store.send({ from: "ann", to: undefined, text: "to all" }),
  );
  await store.done(store.acknowledge("joe", [4]), store.acknowledge("bob", [7]));
  const before = countIn(folder, SECRET);
  await store.done(store.leave("ann"));
  const history = (account: string) => texts(store.messages.history.of(account, { count: 9 }));
  assertEquals(history("joe"), [SECRET, SECRET, "to all"]);
  await store.done(store.leave("joe"));
  assertEquals(countIn(folder, SECRET), 0);
  assertEquals(history("bob"), ["ann to bob", "to all"]);
  const waiting = store.messages.undelivered("never here", { after: 0, upTo: store.journal.last });
  assertEquals(waiting.items.map(({ text }) => text), ["it waits"]);
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

  using store = new TestStore(folder.file("messages.db"));
  const { messages } = store;
  assertEquals(countIn(folder, SECRET), 0);
  assertEquals(messages.history.of("ann", { count: 2_000 }).map(({ text }) => text), kept);
  assertEquals(messages.last, 1_000);
  const waiting = messages.undelivered("ann", { after: 0, upTo: 1_000 });
  assertEquals(waiting.items.map(({ text }) => text), kept.slice(-1));
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
