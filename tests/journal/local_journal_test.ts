import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../lib/clock.ts";
import { LocalJournal } from "../../lib/journal/local_journal.ts";
import { Projection } from "../../lib/journal/projection.ts";
import { Database } from "../../lib/messages/database.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { direct, pub, TestStore, texts } from "../helpers/test_store.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { TestDisk } from "../helpers/test_disk.ts";
import { Recorder, testJournal } from "./journal_suite.ts";

testJournal({
  name: "LocalJournal",
  open({ folder, sync }) {
    const database = new Database(folder.file("messages.db"), {
      clock: systemClock,
      ...sync && { sync },
    });
    const projection = new Projection(database);
    const recorder = new Recorder(projection);
    const journal = new LocalJournal(database, recorder);
    return Promise.resolve({
      journal,
      projection,
      recorder,
      [Symbol.asyncDispose]: () => Promise.resolve(database[Symbol.dispose]()),
    });
  },
});

const SENT = Date.UTC(2026, 0, 31, 9, 30);

Deno.test("LocalJournal.append() delivers after the commit of the turn, in the order of the ids", async () => {
  using store = new TestStore();
  const stored = store.append(pub("joe", "one"), direct("joe", "Ann", "two"));
  assertEquals(store.delivered, []);
  store.clock.endTurn();
  await Promise.all(stored);
  assertEquals(store.delivered, [
    { id: 1, ...pub("joe", "one"), room: undefined, sent: SENT },
    { id: 2, ...direct("joe", "Ann", "two"), room: undefined, sent: SENT },
  ]);
});

Deno.test("LocalJournal stores what waits when it is closed, in files for their owner alone", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  const first = new TestStore(path);
  await Promise.all([first.enter("ann", "a"), first.clock.endTurn()]);
  if (Deno.build.os !== "windows") {
    for (const { name } of Deno.readDirSync(folder.path)) {
      assertEquals((await Deno.stat(folder.file(name))).mode! & 0o777, 0o600, name);
    }
  }
  const [stored] = first.append(direct("joe", "ann", "closed in the middle of the turn"));
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assertEquals(await stored, 2);
  const late = await assertRejects(() => first.send(pub("joe", "too late")), ProtocolError);
  assertEquals(late.code, "not-stored");

  using second = new TestStore(path);
  assertEquals(second.journal.last, 2);
  assertEquals(second.messages.history.of("ann", { count: 10 }).map(({ id }) => id), [2]);
});

Deno.test("LocalJournal delivers nothing where the commit fails, and goes on", async () => {
  using store = new TestStore();
  // What the database refuses takes everything of its turn along.
  const stored = store.append(pub("joe", "one"), {
    ...pub("joe", "two"),
    text: new String("two") as string,
  });
  store.clock.endTurn();
  for (const promise of stored) {
    const error = await assertRejects(() => promise, ProtocolError, "can't store the message");
    assertEquals(error.code, "not-stored");
  }
  const later = store.append(pub("joe", "three"));
  store.clock.endTurn();
  await Promise.all(later);
  assertEquals(texts(store.delivered), ["three"]);
});

Deno.test("LocalJournal delivers what is on the disk, and takes what comes meanwhile into one commit", async () => {
  await using folder = await TempFolder.create();
  const disk = new TestDisk();
  using store = new TestStore(folder.file("messages.db"), disk);
  const { clock, journal, messages, delivered } = store;
  const [one] = store.append(pub("joe", "one"));
  clock.endTurn();
  const first = await disk.next();
  const more = store.append(pub("joe", "two"), pub("joe", "three"));
  clock.endTurn();
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals([delivered, journal.last, messages.flow("ann", 0).items], [[], 0, []]);
  first.resolve();
  await one;
  assertEquals(texts(delivered), ["one"]);
  clock.endTurn();
  const second = await disk.next();
  assertEquals([delivered.length, journal.last], [1, 1]);
  second.resolve();
  await Promise.all(more);
  assertEquals(texts(delivered), ["one", "two", "three"]);
});

Deno.test("LocalJournal waits for no disk where a crash may take back what was acknowledged", async () => {
  await using folder = await TempFolder.create();
  const disk = new TestDisk();
  using store = new TestStore(folder.file("messages.db"), disk);
  const { clock, journal } = store;
  const [sent] = store.append(direct("joe", "ann", "hi"));
  clock.endTurn();
  (await disk.next()).resolve();
  const acknowledged = {
    type: "acknowledgement",
    account: "ann",
    messages: [await sent!],
  } as const;
  const number = journal.append(acknowledged);
  clock.endTurn();
  assertEquals(await number, journal.last);
  assertEquals(store.messages.isUndelivered(await sent!), false);

  // After a disk that failed the next one lasts, since it takes back what was refused.
  const refused = store.append(pub("joe", "two"));
  clock.endTurn();
  (await disk.next()).reject(new Error("no disk"));
  await Promise.allSettled(refused);
  const again = journal.append({ type: "account-seen", account: "ann", last: journal.last });
  clock.endTurn();
  (await disk.next()).resolve();
  await again;
});

Deno.test("LocalJournal takes no request for one that comes again because it failed before", async () => {
  await using folder = await TempFolder.create();
  const disk = new TestDisk();
  using store = new TestStore(folder.file("messages.db"), disk);
  const origin = { login: 1, request: 1 };
  const refused = store.send(pub("joe", "one"), origin);
  store.clock.endTurn();
  (await disk.next()).reject(new Error("no disk"));
  await assertRejects(() => refused, ProtocolError);
  const stored = store.send(pub("joe", "one"), origin);
  store.clock.endTurn();
  (await disk.next()).resolve();
  await stored;
  assertEquals(texts(store.delivered), ["one"]);
});

Deno.test("LocalJournal takes nothing for stored that a disk did not take, and says so once", async () => {
  await using folder = await TempFolder.create();
  const [disk, events] = [new TestDisk(), [] as string[]];
  using store = new TestStore(folder.file("messages.db"), {
    ...disk,
    log: (event) => events.push(event),
  });
  const { clock, delivered, messages } = store;
  for (const text of ["one", "two"]) {
    const [refused] = store.append(pub("joe", text));
    clock.endTurn();
    (await disk.next()).reject(new Error("no disk"));
    assertEquals((await assertRejects(() => refused!, ProtocolError)).code, "not-stored");
  }
  assertEquals(events, ["messages can't be stored: no disk"]);
  const stored = store.append(pub("joe", "three"));
  clock.endTurn();
  (await disk.next()).resolve();
  await Promise.all(stored);
  assertEquals(events.slice(1), ["messages are stored again"]);
  // Nobody will ever be shown what was refused, and its number is nobody's.
  assertEquals(delivered.map(({ id, text }) => [id, text]), [[3, "three"]]);
  assertEquals(messages.flow("ann", 0).items.map(({ message }) => message.text), ["three"]);
});
