// What was said in rooms, as the log gives it.
import { assert, assertEquals } from "@std/assert";
import { Statement } from "../../lib/messages/statement.ts";
import { Rooms } from "../helpers/rooms.ts";
import { pub, texts } from "../helpers/test_store.ts";

/** Counts the characters of what is read from databases. */
class ReadCharacters implements Disposable {
  readonly #original = { get: Statement.prototype.get, all: Statement.prototype.all };
  count = 0;

  constructor() {
    const { get, all } = this.#original;
    const note = <R>(read: R): R => {
      this.count += JSON.stringify(read ?? null).length;
      return read;
    };
    Statement.prototype.get = function (...parameters) {
      return note(get.apply(this, parameters));
    };
    Statement.prototype.all = function (...parameters) {
      return note(all.apply(this, parameters));
    };
  }

  [Symbol.dispose](): void {
    Object.assign(Statement.prototype, this.#original);
  }
}

Deno.test("MessageLog gives what was said in a room to those who were in it then", async () => {
  using rooms = new Rooms();
  const { store } = rooms;
  await store.done(...["ann", "bob", "eve"].map((account) => store.enter(account, account)));
  const room = await rooms.make("ann", "lab");
  await rooms.say(room, "ann", "before");
  await rooms.join(room, "bob");
  await rooms.say(room, "ann", "one");
  await rooms.act("ann", "kick", { room, user: "bob" });
  await rooms.say(room, "ann", "without bob");
  await store.done(...store.append(pub("ann", "public")));
  await rooms.join(room, "bob");
  await rooms.say(room, "bob", "own");
  await rooms.say(room, "ann", "two");
  const upTo = store.journal.last;
  const flow = (account: string) =>
    texts(store.messages.flow(account, 0, 1).items.map(({ message }) => message));
  assertEquals(flow("bob"), ["one", "public", "two"]);
  assertEquals(flow("eve"), ["public"]);
  assertEquals(texts(store.messages.unheard("bob", { after: 0, upTo }).items), ["one", "two"]);
  assertEquals(texts(store.messages.unheard("eve", { after: 0, upTo }).items), []);
  const read = (account: string) => {
    const after = rooms.table.readableAfter(rooms.table.find("lab")!, account);
    return after === undefined
      ? undefined
      : texts(store.messages.history.ofRoom(room, { count: 9, after }));
  };
  assertEquals([read("bob"), read("eve")], [["own", "two"], undefined]);
  const search = (account: string) =>
    texts(store.messages.history.search(account, { text: "o", count: 9, before: upTo + 1 }));
  assertEquals([search("bob"), search("eve")], [["own", "two"], []]);
  await rooms.act("ann", "from-start", { room });
  assertEquals(read("bob"), ["before", "one", "without bob", "own", "two"]);
  assertEquals(search("bob"), ["before", "one", "without bob", "own", "two"]);
  // Nothing of a room is in the history of all.
  assertEquals(texts(store.messages.history.of("bob", { count: 9 })), ["public"]);
  assertEquals(texts(store.messages.history.of("bob", { count: 9, with: "ann" })), ["public"]);
});

Deno.test("MessageLog.unheard() gives what several rooms said in the order of the ids, page by page", async () => {
  using rooms = new Rooms();
  const { store } = rooms;
  const ids = await Promise.all(["a", "b", "c"].map((name) => rooms.make("ann", name)));
  for (const room of ids) await rooms.join(room, "bob");
  const expected: string[] = [];
  for (let i = 0; i < 350; i++) {
    const text = `${i}`;
    const said = await rooms.say(ids[i % 7 % 3]!, i % 10 === 0 ? "bob" : "ann", text);
    assertEquals(typeof said, "number");
    if (i % 10 > 0) expected.push(text);
  }
  const got: string[] = [];
  const upTo = store.journal.last;
  for (let after: number | undefined = 0; after !== undefined;) {
    const { items, next } = store.messages.unheard("bob", { after, upTo });
    assert(items.length <= 100);
    got.push(...texts(items));
    after = next;
  }
  assertEquals(got, expected);
});

Deno.test("MessageLog.unheard() reads no more texts of many rooms than fit into a page", async () => {
  using rooms = new Rooms();
  const { store } = rooms;
  const text = "x".repeat(10_000);
  for (let number = 0; number < 20; number++) {
    const room = await rooms.make("ann", `r${number}`);
    await rooms.join(room, "bob");
    for (let i = 0; i < 5; i++) await rooms.say(room, "ann", text);
  }
  using read = new ReadCharacters();
  const { items, next } = store.messages.unheard("bob", { after: 0, upTo: store.journal.last });
  assertEquals([items.length, next], [2, items[1]!.id]);
  assert(read.count < 3 * text.length, `${read.count} characters were read`);
});
