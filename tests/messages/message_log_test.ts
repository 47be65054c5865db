import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { PLAIN_IDENTITY } from "../../lib/accounts/credentials_line.ts";
import { ExitError } from "../../lib/exit.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { TestDisk } from "../helpers/test_disk.ts";
import { direct, type Draft, pub, TestStore, texts } from "../helpers/test_store.ts";

Deno.test(`"account-removed" leaves a new account of an old name nothing of the old one's`, async () => {
  using store = new TestStore();
  const { clock, messages } = store;
  store.enter("joe", "1");
  store.append(direct("ann", "joe", "secret"));
  clock.endTurn();
  const entered = Promise.all([store.leave("joe"), store.enter("joe", "2")]);
  clock.endTurn();
  await entered;
  assertEquals(messages.history.of("joe", { count: 10 }), []);
  assertEquals(messages.undelivered("joe", { after: 0, upTo: 10 }).items, []);
});

Deno.test('"account-changed" leaves another account of an old name nothing, however it came about', async () => {
  using store = new TestStore();
  const { clock, messages } = store;
  const waiting = () => texts(messages.undelivered("joe", { after: 0, upTo: 9 }).items);
  const enter = async (identity: string) => {
    const entered = store.enter("joe", identity);
    clock.endTurn();
    await entered;
  };
  await enter(PLAIN_IDENTITY);
  store.append(direct("ann", "joe", "secret"));
  // The password has become a hash, and then another one: the account is the same.
  await enter("salt");
  await enter("salt");
  assertEquals(waiting(), ["secret"]);
  await enter("another salt");
  assertEquals([waiting(), messages.history.of("joe", { count: 9 })], [[], []]);
});

Deno.test("reconcile() parts from accounts that have gone, or gave way to others", async () => {
  using store = new TestStore();
  const { clock, messages } = store;
  for (const account of ["ann", "bob", "joe"]) store.enter(account, "old");
  store.append(
    direct("x", "ann", "to ann"),
    direct("x", "bob", "to bob"),
    direct("x", "joe", "to joe"),
  );
  clock.endTurn();
  const reconciled = store.reconcile(new Map([["bob", "new"], ["joe", "old"], ["eve", "new"]]));
  clock.endTurn();
  await reconciled;
  assertEquals(store.gone, ["ann", "bob"]);
  const waiting = (account: string) =>
    texts(messages.undelivered(account, { after: 0, upTo: 9 }).items);
  assertEquals(["ann", "bob", "joe"].map(waiting), [[], [], ["to joe"]]);
});

Deno.test("MessageLog.undelivered() gives direct messages until they are acknowledged", () => {
  using store = new TestStore();
  const { clock, messages } = store;
  store.append(direct("joe", "Ann", "one"), pub("joe", "x"), direct("joe", "ANN", "two"));
  clock.endTurn();
  const waiting = (after = 0, upTo = 10) =>
    texts(messages.undelivered("ann", { after, upTo }).items);
  assertEquals(waiting(), ["one", "two"]);
  assertEquals(waiting(1), ["two"]);
  assertEquals(waiting(0, 2), ["one"]);
  store.acknowledge("ann", [1]);
  clock.endTurn();
  assertEquals(waiting(), ["two"]);
  // What is acknowledged before an earlier one leaves that one waiting.
  store.append(direct("joe", "ann", "three"), direct("joe", "ann", "four"));
  clock.endTurn();
  store.acknowledge("ann", [5]);
  clock.endTurn();
  assertEquals(waiting(), ["two", "four"]);
  assertEquals([3, 5, 6].map((id) => messages.isUndelivered(id)), [true, false, true]);
  store.acknowledge("ann", [3, 6]);
  clock.endTurn();
  assertEquals(waiting(), []);
});

Deno.test("MessageLog.flow() gives what others wrote to all, and to the account, after a message", () => {
  using store = new TestStore();
  const { clock, messages } = store;
  store.append(
    pub("joe", "one"),
    direct("joe", "Ann", "two"),
    pub("ANN", "her own"),
    direct("joe", "bob", "not hers"),
    direct("ann", "ann", "to herself"),
  );
  clock.endTurn();
  store.acknowledge("ann", [2]);
  clock.endTurn();
  const flow = (after: number) =>
    messages.flow("ann", after).items.map((
      { message, undelivered },
    ) => [message.text, undelivered]);
  assertEquals(flow(0), [["one", false], ["two", false], ["to herself", true]]);
  assertEquals(flow(1), [["two", false], ["to herself", true]]);
  assertEquals(flow(store.journal.last), []);
});

Deno.test("forgetBefore() keeps what still has to be delivered, and never an id twice", async () => {
  using store = new TestStore();
  const { clock, delivered, messages } = store;
  store.enter("ann", "1");
  store.append(pub("joe", "old"), direct("joe", "ann", "old, but waiting"));
  clock.advance(1_000);
  store.append(pub("joe", "new"));
  clock.endTurn();
  const forgotten = store.forgetBefore(new Date(clock.date().getTime() - 500));
  clock.endTurn();
  await forgotten;
  assertEquals(texts(messages.history.of("ann", { count: 10 })), ["old, but waiting", "new"]);
  store.append(pub("joe", "next"));
  clock.endTurn();
  assertEquals(delivered.at(-1)?.id, 6);
});

Deno.test("MessageLog refuses what it can't use, and leaves it as it is", async () => {
  await using folder = await TempFolder.create();
  const newer = folder.file("newer.db");
  const database = new DatabaseSync(newer);
  database.exec("PRAGMA user_version = 99; CREATE TABLE t (a)");
  database.close();
  const error = assertThrows(
    () => new TestStore(newer),
    ExitError,
    "was written by a newer chatserver",
  );
  assertEquals(error.exitCode, 4);
  const nonsense = folder.file("nonsense.db");
  await Deno.writeTextFile(nonsense, "this is no database, ".repeat(1_000));
  assertThrows(() => new TestStore(nonsense), ExitError, "is damaged: put a backup in its place");
  assertEquals((await Deno.stat(nonsense)).size, 21_000);
  assertThrows(() => new TestStore(folder.path), ExitError, "can't be used");
});

/** Here pages with messages begin. */
const BEHIND_ROOTS = 131_072;

Deno.test("MessageLog refuses a file whose end is damaged, and says what it can't read of one", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  const whole = new TestStore(path);
  whole.enter("ann", "1");
  for (let i = 0; i < 2_000; i++) whole.append(pub("joe", `${i} `.repeat(50)));
  whole[Symbol.dispose]();
  const damage = async (end: number) => {
    const file = await Deno.open(path, { write: true });
    await file.seek(BEHIND_ROOTS, Deno.SeekMode.Start);
    await file.write(new Uint8Array(end - BEHIND_ROOTS).fill(0xaa));
    file.close();
  };
  await damage(2 * BEHIND_ROOTS);
  const damaged = new TestStore(path);
  const unreadable = assertThrows(
    () => damaged.messages.history.of("ann", { count: 2_000 }),
    ProtocolError,
  );
  assertEquals(unreadable.code, "not-readable");
  damaged[Symbol.dispose]();
  await damage((await Deno.stat(path)).size);
  assertThrows(() => new TestStore(path), ExitError, "is damaged: put a backup in its place");
});

Deno.test("MessageLog forgets nothing that is sent to somebody it first met in a commit that failed", async () => {
  await using folder = await TempFolder.create();
  const disk = new TestDisk();
  using store = new TestStore(folder.file("messages.db"), disk);
  const { clock, messages } = store;
  await refuse(store, disk, pub("joe", "one"), pub("joe", "two"), direct("joe", "ann", "three"));
  disk.slow = false;
  const stored = store.append(direct("joe", "ann", "four"), pub("joe", "five"));
  clock.endTurn();
  await Promise.all(stored);
  assertEquals(texts(messages.undelivered("ann", { after: 0, upTo: 9 }).items), ["four"]);
  assertEquals(texts(messages.history.of("ann", { count: 9 })), ["four", "five"]);
});

Deno.test("MessageLog keeps nothing until the next start that was refused", async () => {
  await using folder = await TempFolder.create();
  const disk = new TestDisk();
  const store = new TestStore(folder.file("messages.db"), disk);
  await refuse(store, disk, pub("joe", "one"));
  store[Symbol.dispose]();
  using second = new TestStore(folder.file("messages.db"));
  assertEquals(second.messages.flow("ann", 0).items, []);
});

/** Messages that are in the database when the disk fails. */
async function refuse(store: TestStore, disk: TestDisk, ...drafts: Draft[]): Promise<void> {
  const refused = store.append(...drafts);
  store.clock.endTurn();
  (await disk.next()).reject(new Error("no disk"));
  for (const promise of refused) await assertRejects(() => promise, ProtocolError);
}
