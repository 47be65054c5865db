import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { PLAIN_IDENTITY } from "../../lib/accounts/accounts.ts";
import { ExitError } from "../../lib/exit.ts";
import { Database, type DatabaseOptions } from "../../lib/messages/database.ts";
import { Logins } from "../../lib/messages/logins.ts";
import { type Draft, MessageLog } from "../../lib/messages/message_log.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import type { Message } from "../../lib/protocol/records.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { TestDisk } from "../helpers/test_disk.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const SENT = Date.UTC(2026, 0, 31, 9, 30);

const pub = (from: string, text: string): Draft => ({ from, to: undefined, text });
const direct = (from: string, to: string, text: string): Draft => ({ from, to, text });

function open(path = ":memory:", options: Partial<DatabaseOptions> = {}) {
  const clock = new FakeClock();
  const database = new Database(path, { clock, ...options });
  const log = new MessageLog(database);
  const delivered: Message[] = [];
  log.onStored = (messages) => delivered.push(...messages);
  const append = (...drafts: Draft[]) => drafts.map((draft) => log.append(draft));
  const texts = (messages: Message[]) => messages.map(({ text }) => text);
  const close = () => database[Symbol.dispose]();
  return { clock, database, log, delivered, append, texts, close };
}

Deno.test("MessageLog.append() delivers after the commit of the turn, in the order of the ids", async () => {
  const { clock, delivered, append, close } = open();
  const stored = append(pub("joe", "one"), direct("joe", "Ann", "two"));
  assertEquals(delivered, []);
  clock.endTurn();
  await Promise.all(stored);
  assertEquals(delivered, [
    { id: 1, ...pub("joe", "one"), sent: SENT },
    { id: 2, ...direct("joe", "Ann", "two"), sent: SENT },
  ]);
  close();
});

Deno.test("MessageLog keeps ids and messages through a restart", async () => {
  await using folder = await TempFolder.create();
  const first = open(folder.file("messages.db"));
  await Promise.all([
    first.log.enter("ann", "a"),
    ...first.append(pub("joe", "one")),
    first.clock.endTurn(),
  ]);
  if (Deno.build.os !== "windows") {
    for (const { name } of Deno.readDirSync(folder.path)) {
      assertEquals((await Deno.stat(folder.file(name))).mode! & 0o777, 0o600, name);
    }
  }
  first.append(direct("joe", "ann", "closed in the middle of the turn"))[0]!.catch(() => {});
  first.close();
  first.close();

  const second = open(folder.file("messages.db"));
  const stored = second.append(pub("joe", "three"));
  second.clock.endTurn();
  await Promise.all(stored);
  assertEquals(second.delivered.map(({ id }) => id), [3]);
  assertEquals(second.log.history("ann", { count: 10 }).map(({ id }) => id), [1, 2, 3]);
  second.close();
});

Deno.test("MessageLog.history() gives what an account may see, and nothing else", async () => {
  const { clock, log, append, texts, close } = open();
  append(pub("joe", "before everybody"));
  clock.endTurn();
  for (const account of ["joe", "ann"]) log.enter(account, "1");
  clock.endTurn();
  append(
    pub("Joe", "to all"),
    direct("Joe", "Ann", "to ann"),
    direct("Ann", "Joe", "to joe"),
    direct("Bob", "Joe", "bob to joe"),
  );
  clock.endTurn();
  log.enter("bob", "1");
  append(pub("Ann", "last"));
  clock.endTurn();
  await Promise.resolve();
  const history = (account: string, options: { count: number; with?: string }) =>
    texts(log.history(account, options));
  assertEquals(history("ann", { count: 10 }), ["to all", "to ann", "to joe", "last"]);
  assertEquals(history("ann", { count: 2 }), ["to joe", "last"]);
  assertEquals(history("bob", { count: 10 }), ["last"]);
  assertEquals(history("nobody", { count: 10 }), []);
  assertEquals(history("ann", { count: 10, with: "JOE" }), ["to all", "to ann", "to joe"]);
  assertEquals(history("joe", { count: 10, with: "bob" }), ["bob to joe"]);
  close();
});

Deno.test("MessageLog.leave() leaves a new account of an old name nothing of the old one's", async () => {
  const { clock, log, append, close } = open();
  log.enter("joe", "1");
  append(direct("ann", "joe", "secret"));
  clock.endTurn();
  const entered = Promise.all([log.leave("joe"), log.enter("joe", "2", log.last)]);
  clock.endTurn();
  await entered;
  assertEquals(log.history("joe", { count: 10 }), []);
  assertEquals(log.undelivered("joe", { after: 0, upTo: 10 }).items, []);
  close();
});

Deno.test("MessageLog.enter() leaves another account of an old name nothing, however it came about", async () => {
  const { clock, log, append, texts, close } = open();
  const waiting = () => texts(log.undelivered("joe", { after: 0, upTo: 9 }).items);
  const enter = async (identity: string) => {
    const entered = log.enter("joe", identity);
    clock.endTurn();
    await entered;
  };
  await enter(PLAIN_IDENTITY);
  append(direct("ann", "joe", "secret"));
  // The password has become a hash, and then another one: the account is the same.
  await enter("salt");
  await enter("salt");
  assertEquals(waiting(), ["secret"]);
  await enter("another salt");
  assertEquals([waiting(), log.history("joe", { count: 9 })], [[], []]);
  close();
});

Deno.test("MessageLog.reconcile() parts from accounts that have gone, or gave way to others", async () => {
  const { clock, log, append, texts, close } = open();
  for (const account of ["ann", "bob", "joe"]) log.enter(account, "old");
  append(direct("x", "ann", "to ann"), direct("x", "bob", "to bob"), direct("x", "joe", "to joe"));
  clock.endTurn();
  const reconciled = log.reconcile(new Map([["bob", "new"], ["joe", "old"], ["eve", "new"]]));
  clock.endTurn();
  assertEquals(await reconciled, ["ann", "bob"]);
  const waiting = (account: string) => texts(log.undelivered(account, { after: 0, upTo: 9 }).items);
  assertEquals(["ann", "bob", "joe"].map(waiting), [[], [], ["to joe"]]);
  close();
});

Deno.test("MessageLog.undelivered() gives direct messages until they are acknowledged", () => {
  const { clock, log, append, texts, close } = open();
  append(direct("joe", "Ann", "one"), pub("joe", "x"), direct("joe", "ANN", "two"));
  clock.endTurn();
  const waiting = (after = 0, upTo = 10) => texts(log.undelivered("ann", { after, upTo }).items);
  assertEquals(waiting(), ["one", "two"]);
  assertEquals(waiting(1), ["two"]);
  assertEquals(waiting(0, 2), ["one"]);
  log.acknowledge("ann", [1]);
  clock.endTurn();
  assertEquals(waiting(), ["two"]);
  // What is acknowledged before an earlier one leaves that one waiting.
  append(direct("joe", "ann", "three"), direct("joe", "ann", "four"));
  clock.endTurn();
  log.acknowledge("ann", [4]);
  clock.endTurn();
  assertEquals(waiting(), ["two", "four"]);
  assertEquals([3, 4, 5].map((id) => log.isUndelivered(id)), [true, false, true]);
  log.acknowledge("ann", [3, 5]);
  clock.endTurn();
  assertEquals(waiting(), []);
  close();
});

Deno.test("MessageLog.flow() gives what others wrote to all, and to the account, after a message", () => {
  const { clock, log, append, close } = open();
  append(
    pub("joe", "one"),
    direct("joe", "Ann", "two"),
    pub("ANN", "her own"),
    direct("joe", "bob", "not hers"),
    direct("ann", "ann", "to herself"),
  );
  clock.endTurn();
  log.acknowledge("ann", [2]);
  clock.endTurn();
  const flow = (after: number) =>
    log.flow("ann", after).items.map(({ message, undelivered }) => [message.text, undelivered]);
  assertEquals(flow(0), [["one", false], ["two", false], ["to herself", true]]);
  assertEquals(flow(1), [["two", false], ["to herself", true]]);
  assertEquals(flow(log.last), []);
  close();
});

Deno.test("MessageLog.append() takes a request that comes again for what it is", async () => {
  const { clock, database, log, delivered, close } = open();
  const adding = new Logins(database).add({ account: "joe", credential: "credential", last: 0 });
  clock.endTurn();
  const { id: login } = await adding;
  const send = (draft: Draft, request: number, from = login) => {
    const stored = log.append(draft, { login: from, request });
    stored.catch(() => {});
    return stored;
  };
  // In one turn, and in a later one.
  const [first, again] = [send(pub("joe", "one"), 7), send(pub("joe", "one"), 7)];
  clock.endTurn();
  assertEquals([await first, await again], [1, 1]);
  const [third, other, unknown] = [
    send(pub("joe", "one"), 7),
    send(pub("joe", "one"), 8),
    send(pub("joe", "one"), 7, 99),
  ];
  const another = [send(pub("joe", "two"), 7), send(direct("joe", "ann", "one"), 7)];
  clock.endTurn();
  assertEquals([await third, await other, await unknown], [1, 2, 3]);
  assertEquals(delivered.map(({ id }) => id), [1, 2, 3]);
  for (const refused of another) {
    const error = await assertRejects(() => refused, ProtocolError, "another request had this id");
    assertEquals(error.code, "duplicate-id");
  }
  assertEquals(log.last, 3);
  close();
});

Deno.test("MessageLog.forgetBefore() keeps what still has to be delivered, and never an id twice", async () => {
  const { clock, log, append, texts, delivered, close } = open();
  log.enter("ann", "1");
  append(pub("joe", "old"), direct("joe", "ann", "old, but waiting"));
  clock.advance(1_000);
  append(pub("joe", "new"));
  clock.endTurn();
  const forgotten = log.forgetBefore(new Date(clock.date().getTime() - 500));
  clock.endTurn();
  await forgotten;
  assertEquals(texts(log.history("ann", { count: 10 })), ["old, but waiting", "new"]);
  append(pub("joe", "next"));
  clock.endTurn();
  assertEquals(delivered.at(-1)?.id, 4);
  close();
});

Deno.test("MessageLog.append() delivers nothing where the commit fails, and goes on", async () => {
  const { clock, delivered, append, close } = open();
  // What the database refuses takes everything of its turn along.
  const stored = append(pub("joe", "one"), {
    ...pub("joe", "two"),
    text: new String("two") as string,
  });
  clock.endTurn();
  for (const promise of stored) {
    const error = await assertRejects(() => promise, ProtocolError, "can't store the message");
    assertEquals(error.code, "not-stored");
  }
  const later = append(pub("joe", "three"));
  clock.endTurn();
  await Promise.all(later);
  assertEquals(delivered.map(({ text }) => text), ["three"]);
  close();
});

Deno.test("MessageLog refuses what it can't use, and leaves it as it is", async () => {
  await using folder = await TempFolder.create();
  const newer = folder.file("newer.db");
  const database = new DatabaseSync(newer);
  database.exec("PRAGMA user_version = 99; CREATE TABLE t (a)");
  database.close();
  const error = assertThrows(() => open(newer), ExitError, "was written by a newer chatserver");
  assertEquals(error.exitCode, 4);
  const nonsense = folder.file("nonsense.db");
  await Deno.writeTextFile(nonsense, "this is no database, ".repeat(1_000));
  assertThrows(() => open(nonsense), ExitError, "is damaged: put a backup in its place");
  assertEquals((await Deno.stat(nonsense)).size, 21_000);
  assertThrows(() => open(folder.path), ExitError, "can't be used");
});

/** Here pages with messages begin. */
const BEHIND_ROOTS = 81_920;

Deno.test("MessageLog refuses a file whose end is damaged, and says what it can't read of one", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  const whole = open(path);
  for (let i = 0; i < 2_000; i++) whole.append(pub("joe", `${i} `.repeat(50)));
  whole.log.enter("ann", "1", 0);
  whole.close();
  const damage = async (end: number) => {
    const file = await Deno.open(path, { write: true });
    await file.seek(BEHIND_ROOTS, Deno.SeekMode.Start);
    await file.write(new Uint8Array(end - BEHIND_ROOTS).fill(0xaa));
    file.close();
  };
  await damage(3 * BEHIND_ROOTS);
  const { log, close } = open(path);
  const unreadable = assertThrows(() => log.history("ann", { count: 2_000 }), ProtocolError);
  assertEquals(unreadable.code, "not-readable");
  close();
  await damage((await Deno.stat(path)).size);
  assertThrows(() => open(path), ExitError, "is damaged: put a backup in its place");
});

Deno.test("MessageLog delivers what is on the disk, and takes what comes meanwhile into one commit", async () => {
  await using folder = await TempFolder.create();
  const disk = new TestDisk();
  const { clock, log, delivered, append, close } = open(folder.file("messages.db"), disk);
  const [one] = append(pub("joe", "one"));
  clock.endTurn();
  const first = await disk.next();
  const more = append(pub("joe", "two"), pub("joe", "three"));
  clock.endTurn();
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals([delivered, log.last, log.history("joe", { count: 9 })], [[], 0, []]);
  first.resolve();
  await one;
  assertEquals(delivered.map(({ text }) => text), ["one"]);
  clock.endTurn();
  const second = await disk.next();
  assertEquals([delivered.length, log.last], [1, 1]);
  second.resolve();
  await Promise.all(more);
  assertEquals(delivered.map(({ text }) => text), ["one", "two", "three"]);
  close();
});

Deno.test("MessageLog takes nothing for stored that a disk did not take, and says so once", async () => {
  await using folder = await TempFolder.create();
  const [disk, events] = [new TestDisk(), [] as string[]];
  const { clock, log, delivered, append, close } = open(folder.file("messages.db"), {
    ...disk,
    log: (event) => events.push(event),
  });
  for (const text of ["one", "two"]) {
    const [refused] = append(pub("joe", text));
    clock.endTurn();
    (await disk.next()).reject(new Error("no disk"));
    assertEquals((await assertRejects(() => refused!, ProtocolError)).code, "not-stored");
  }
  assertEquals(events, ["messages can't be stored: no disk"]);
  const stored = append(pub("joe", "three"));
  clock.endTurn();
  (await disk.next()).resolve();
  await Promise.all(stored);
  assertEquals(events.slice(1), ["messages are stored again"]);
  // Nobody will ever be shown what was refused.
  assertEquals(delivered.map(({ id, text }) => [id, text]), [[3, "three"]]);
  assertEquals(log.flow("ann", 0).items.map(({ message }) => message.text), ["three"]);
  close();
});

Deno.test("MessageLog forgets nothing that is sent to somebody it first met in a commit that failed", async () => {
  await using folder = await TempFolder.create();
  const disk = new TestDisk();
  const { clock, log, append, texts, close } = open(folder.file("messages.db"), disk);
  const refused = append(pub("joe", "one"), pub("joe", "two"), direct("joe", "ann", "three"));
  clock.endTurn();
  (await disk.next()).reject(new Error("no disk"));
  for (const promise of refused) await assertRejects(() => promise, ProtocolError);
  disk.slow = false;
  const stored = append(direct("joe", "ann", "four"), pub("joe", "five"));
  clock.endTurn();
  await Promise.all(stored);
  assertEquals(texts(log.undelivered("ann", { after: 0, upTo: 9 }).items), ["four"]);
  assertEquals(texts(log.history("ann", { count: 9 })), ["four", "five"]);
  close();
});

Deno.test("MessageLog keeps nothing until the next start that was refused", async () => {
  await using folder = await TempFolder.create();
  const disk = new TestDisk();
  const { clock, append, close } = open(folder.file("messages.db"), disk);
  const [refused] = append(pub("joe", "one"));
  clock.endTurn();
  (await disk.next()).reject(new Error("no disk"));
  await assertRejects(() => refused!, ProtocolError);
  close();
  const second = open(folder.file("messages.db"));
  assertEquals(second.log.flow("ann", 0).items, []);
  second.close();
});
