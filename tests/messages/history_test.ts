import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { TempFolder } from "../helpers/temp_folder.ts";
import { direct, pub, TestStore, texts } from "../helpers/test_store.ts";

Deno.test("History.of() gives what an account may see, and nothing else", async () => {
  using store = new TestStore();
  const { clock, messages } = store;
  store.append(pub("joe", "before everybody"));
  clock.endTurn();
  for (const account of ["joe", "ann"]) store.enter(account, "1");
  clock.endTurn();
  store.append(
    pub("Joe", "to all"),
    direct("Joe", "Ann", "to ann"),
    direct("Ann", "Joe", "to joe"),
    direct("Bob", "Joe", "bob to joe"),
  );
  clock.endTurn();
  store.enter("bob", "1");
  store.append(pub("Ann", "last"));
  clock.endTurn();
  await Promise.resolve();
  const history = (account: string, options: { count: number; with?: string }) =>
    texts(messages.history.of(account, options));
  assertEquals(history("ann", { count: 10 }), ["to all", "to ann", "to joe", "last"]);
  assertEquals(history("ann", { count: 2 }), ["to joe", "last"]);
  assertEquals(history("bob", { count: 10 }), ["last"]);
  assertEquals(history("nobody", { count: 10 }), []);
  assertEquals(history("ann", { count: 10, with: "JOE" }), ["to all", "to ann", "to joe"]);
  assertEquals(history("joe", { count: 10, with: "bob" }), ["bob to joe"]);
});

Deno.test("History.of() takes no longer for what was said in rooms, or between others", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  const first = new TestStore(path);
  await first.done(first.enter("ann", "1"), first.enter("joe", "2"));
  await first.done(...first.append(pub("ann", "to all"), direct("ann", "joe", "to joe")));
  first[Symbol.dispose]();
  const database = new DatabaseSync(path);
  database.exec(`INSERT INTO messages (id, sender, sender_name, addressee, sent, text, room)
    WITH RECURSIVE numbers (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM numbers LIMIT 100000)
    SELECT n, iif(n % 2, 'ann', 'bob'), 'any', iif(n % 2, NULL, 'eve'), 0, 'x', iif(n % 2, 1, NULL)
    FROM numbers;
    UPDATE journal SET last = 200000`);
  database.close();

  using store = new TestStore(path);
  const { messages } = store;
  for (
    const read of [
      () => messages.history.of("joe", { count: 20 }),
      () => messages.history.of("joe", { count: 20, with: "ann" }),
      () => messages.history.recent("ann", 20),
    ]
  ) {
    let fastest = Infinity;
    for (let round = 0; round < 20; round++) {
      const began = performance.now();
      assertEquals(texts(read()), ["to all", "to joe"]);
      fastest = Math.min(fastest, performance.now() - began);
    }
    // To read all of them takes several times as long.
    assert(fastest < 2, `${read} took ${fastest} ms`);
  }
});

Deno.test("History.recent() leaves out what waits for the account, also what it sent itself", () => {
  using store = new TestStore();
  const { clock, messages } = store;
  store.enter("ann", "1");
  store.append(pub("ann", "to all"), direct("ann", "ann", "note"), direct("joe", "ann", "hi"));
  clock.endTurn();
  assertEquals(texts(messages.history.recent("ann", 9)), ["to all"]);
  store.acknowledge("ann", [3, 4]);
  clock.endTurn();
  assertEquals(texts(messages.history.recent("ann", 9)), ["to all", "note", "hi"]);
});
