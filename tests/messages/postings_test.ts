import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Database } from "../../lib/messages/database.ts";
import { type Part, POSTED, type Posted, Postings } from "../../lib/messages/postings.ts";
import { MIGRATIONS } from "../../lib/messages/schema.ts";
import { Statement } from "../../lib/messages/statement.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import fc from "../helpers/fast_check.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { TestDisk } from "../helpers/test_disk.ts";
import { direct, pub, TestStore, texts } from "../helpers/test_store.ts";

const ALL = { after: 0, upTo: Infinity, limit: Infinity };

/** The parts, as conditions for one account. */
const CONDITIONS: Record<Part, string> = {
  "sent": "sender = :account AND addressee IS NOT NULL",
  "received": "addressee = :account",
  "to all": "sender = :account AND addressee IS NULL AND room IS NULL",
  "in a room": "sender = :account AND room IS NOT NULL",
};
const PARTS = Object.keys(CONDITIONS) as Part[];
const ACCOUNTS = ["ann", "bob", "joe"];

const account = fc.constantFrom(...ACCOUNTS);
const message = fc.record({
  gap: fc.integer({ min: 1, max: 5 }),
  sender: account,
  to: fc.oneof(account, fc.constantFrom(null, 7)),
});
const step = fc.oneof(
  { weight: 6, arbitrary: fc.array(message, { maxLength: 9 }).map((say) => ({ say })) },
  fc.array(fc.nat(150), { maxLength: 40 }).map((remove) => ({ remove })),
  fc.constantFrom({ forget: true }, { rebuild: true }),
);
const range = fc.record({ after: fc.nat(100), upTo: fc.nat(150), limit: fc.nat(9) });

Deno.test("Postings give of each account what the messages say, whatever was written, deleted and read again", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), range, (steps, wanted) => {
    using database = new Database(":memory:", { clock: new FakeClock() });
    const { insert, remove, all, empty, journal } = database.prepare({
      journal: "UPDATE journal SET last = 1",
      insert: `INSERT INTO messages (${POSTED}, sender_name, sent, text)
        VALUES (:id, :sender, :addressee, :room, '', 0, '')`,
      remove:
        `DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?)) RETURNING ${POSTED}`,
      all: `SELECT ${POSTED} FROM messages ORDER BY id`,
      empty: "SELECT * FROM postings WHERE ids = ''",
    });
    journal.run();
    const postings = new Postings(database, { messages: 12, lists: 5 });
    let last = 0;
    for (const step of steps) {
      if ("say" in step) {
        postings.write();
        for (const { gap, sender, to } of step.say) {
          last += gap;
          const addressee = typeof to === "string" ? to : null;
          const room = typeof to === "number" ? to : null;
          insert.run({ id: last, sender, addressee, room });
          postings.add({ id: last, sender, addressee, room });
        }
      } else if ("remove" in step) {
        postings.remove(remove.all(JSON.stringify(step.remove)) as unknown[] as Posted[]);
      } else if ("forget" in step) postings.forget();
      else postings.rebuild();
    }
    assertEquals(empty.all(), []);
    const rows = all.all() as unknown[] as Posted[];
    for (const part of PARTS) {
      for (const account of ACCOUNTS) {
        const ids = rows.filter((row) => isOf(row, account, part)).map(({ id }) => id);
        assertEquals(postings.oldest(account, part, ALL), ids);
        assertEquals(postings.newest(account, part, ALL), ids.toReversed());
        const found = ids.filter((id) => id > wanted.after && id <= wanted.upTo);
        assertEquals(postings.oldest(account, part, wanted), found.slice(0, wanted.limit));
        const newest = found.toReversed().slice(0, wanted.limit);
        assertEquals(postings.newest(account, part, wanted), newest);
      }
    }
    for (const sender of ACCOUNTS) {
      for (const addressee of ACCOUNTS) {
        const ids = rows.filter((row) => row.sender === sender && row.addressee === addressee)
          .map(({ id }) => id).filter((id) => id > wanted.after && id <= wanted.upTo).reverse();
        assertEquals(postings.between(sender, addressee, wanted), ids.slice(0, wanted.limit));
      }
    }
  }));
});

function isOf({ sender, addressee, room }: Posted, account: string, part: Part): boolean {
  if (part === "received") return addressee === account;
  const said = room !== null ? "in a room" : addressee === null ? "to all" : "sent";
  return sender === account && said === part;
}

Deno.test("Postings that could not be read are read again, and are not empty", () => {
  using database = new Database(":memory:", { clock: new FakeClock() });
  let damaged = true;
  const prepare: Database["prepare"] = (statements) => {
    const prepared = database.prepare(statements);
    for (const statement of Object.values<Statement>(prepared)) {
      const all = statement.all.bind(statement);
      statement.all = (...parameters) => {
        if (damaged) throw new ProtocolError("not-readable", "a damaged page");
        return all(...parameters);
      };
    }
    return prepared;
  };
  const { insert } = database.prepare({
    insert: `INSERT INTO messages (${POSTED}, sender_name, sent, text)
      VALUES (1, 'ann', 'joe', NULL, '', 0, '')`,
  });
  insert.run();
  const postings = new Postings({ prepare });
  const read = () => postings.oldest("joe", "received", ALL);
  for (let times = 0; times < 2; times++) assertThrows(read, ProtocolError, "damaged");
  damaged = false;
  assertEquals(read(), [1]);
});

/** More than is written at once. */
const MANY = 5_000;

Deno.test("MessageLog knows an account's messages after they were written as lists, and after a restart", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  const expected = Array.from({ length: 9 }, (_, i) => `${MANY - 9 + i}`);
  {
    using store = new TestStore(path);
    await store.done(store.enter("ann", "1"), store.enter("joe", "1"));
    await store.done(...store.append(direct("joe", "ann", "the first")));
    for (const half of [0, 1]) {
      const texts = Array.from({ length: MANY / 2 }, (_, i) => `${half * MANY / 2 + i}`);
      await store.done(...store.append(...texts.map((text) => direct("ann", "joe", text))));
    }
    await store.done(...store.append(pub("joe", "to all"), direct("bob", "joe", "the last")));
    check(store);
  }
  assertEquals(countLists(path), [{ account: "ann", n: 2 }, { account: "joe", n: 2 }]);
  using store = new TestStore(path);
  check(store);

  function check({ messages }: TestStore): void {
    const history = (account: string, other?: string) =>
      texts(messages.history.of(account, { count: 10, with: other }));
    assertEquals(history("ann"), [...expected, "to all"]);
    assertEquals(history("joe"), [...expected.slice(1), "to all", "the last"]);
    assertEquals(history("joe", "ann"), [`${MANY - 10}`, ...expected]);
    assertEquals(history("ann", "joe"), [...expected, "to all"]);
    const waiting = messages.undelivered("joe", { after: 0, upTo: messages.last });
    assertEquals(waiting.items.length, 100);
    assertEquals(texts(waiting.items)[0], "0");
    assertEquals(
      texts(messages.undelivered("ann", { after: 0, upTo: messages.last }).items),
      ["the first"],
    );
  }
});

Deno.test("MessageLog reads none of an account's messages with others for those with one", async () => {
  using store = new TestStore();
  await store.done(store.enter("ann", "1"), store.enter("joe", "1"));
  await store.done(...store.append(direct("joe", "ann", "hello"), direct("ann", "joe", "hi")));
  const many = Array.from({ length: 1_000 }, (_, i) => direct("bob", "ann", `${i}`));
  await store.done(...store.append(...many, direct("ann", "ann", "a note")));
  const { all } = Statement.prototype;
  let read = 0;
  Statement.prototype.all = function (...parameters) {
    const { ids = "[]" } = parameters[0] as { ids?: string };
    read += JSON.parse(ids).length;
    return all.apply(this, parameters);
  };
  try {
    const history = (other: string) =>
      texts(store.messages.history.of("ann", { count: 10, with: other }));
    assertEquals(history("joe"), ["hello", "hi"]);
    assertEquals(history("ann"), ["a note"]);
    assertEquals(history("cyd"), []);
    assertEquals(read, 3);
  } finally {
    Statement.prototype.all = all;
  }
});

function countLists(path: string): unknown[] {
  using database = new DatabaseSync(path);
  return database.prepare("SELECT account, count(*) AS n FROM postings GROUP BY account").all()
    .map((row) => ({ ...row }));
}

Deno.test("MessageLog leaves out of the lists what was refused, though a later commit writes them", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  const disk = new TestDisk();
  {
    using store = new TestStore(path, disk);
    disk.slow = false;
    await store.done(store.enter("joe", "1"));
    const many = (text: string) =>
      store.append(...Array.from({ length: MANY }, () => direct("ann", "joe", text)));
    await store.done(...many("one"));
    disk.slow = true;
    const refused = many("refused");
    store.clock.endTurn();
    (await disk.next()).reject(new Error("no disk"));
    for (const promise of refused) await assertRejects(() => promise, ProtocolError);
    // Somebody looks while that is still in the tables.
    assertEquals(texts(store.messages.history.of("joe", { count: 1 })), ["one"]);
    disk.slow = false;
    await store.done(...many("two"));
    await store.done(...store.append(direct("ann", "joe", "last")));
  }
  using database = new DatabaseSync(path);
  const read = (sql: string) => Object.values(database.prepare(sql).get()!)[0] as string;
  const posted = read(`SELECT group_concat(ids) FROM postings WHERE part = 'received'`);
  const ids = read("SELECT group_concat(id ORDER BY id) FROM messages WHERE text <> 'last'");
  assertEquals(posted, ids);
});

Deno.test("a request that comes again is recognised in the very commit that forgets what is remembered", async () => {
  using store = new TestStore();
  const { clock } = store;
  await store.done(store.enter("ann", "1"), ...store.append(pub("joe", "old")));
  const login = store.journal.append({
    type: "login",
    token: "00".repeat(32),
    account: "ann",
    credential: "c",
    last: 0,
    expires: clock.date().getTime() + 9_999,
  });
  await store.done(login);
  const origin = { login: await login, request: 1 };
  const first = store.send(pub("ann", "hello"), origin);
  const expired = store.journal.append({ type: "messages-expired", before: 3 });
  const again = store.send(pub("ann", "hello"), origin);
  await store.done(first, expired, again);
  assertEquals(await again, await first);
});

Deno.test("what an older version stored is in the lists", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  {
    using older = new DatabaseSync(path);
    older.exec(`${MIGRATIONS.slice(0, 14).join("")} PRAGMA user_version = 14;
      INSERT INTO accounts (account, since, delivered) VALUES ('ann', 0, 20000), ('joe', 0, 0);
      INSERT INTO messages (id, sender, sender_name, addressee, addressee_name, sent, text, room)
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 10000)
        SELECT 3 * n, iif(n % 2, 'ann', 'joe'), 'any', iif(n % 3, iif(n % 2, 'joe', 'ann'), NULL),
          'any', 0, n, iif(n % 6, NULL, 1) FROM numbers;`);
  }
  using store = new TestStore(path);
  const { messages } = store;
  const numbers = (found: { text: string }[]) => found.map(({ text }) => Number(text));
  const history = (options: { count: number; with?: string }) =>
    numbers(messages.history.of("ann", options));
  // The sixth ones were said in a room.
  const own = Array.from({ length: 10_000 }, (_, i) => i + 1).filter((n) => n % 6 !== 0);
  assertEquals(history({ count: 20_000 }), own);
  const waiting = messages.undelivered("joe", { after: 0, upTo: messages.last }).items;
  assertEquals(numbers(waiting).slice(0, 3), [1, 5, 7]);
  const newer = messages.undelivered("ann", { after: 0, upTo: messages.last }).items;
  assertEquals(numbers(newer).slice(0, 3), [6_668, 6_670, 6_674]);
  await store.done(store.journal.append({ type: "messages-expired", before: 15_000 }));
  assertEquals(history({ count: 3, with: "joe" }), [9_997, 9_998, 10_000]);
});

Deno.test("Postings go without messages that are damaged", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  {
    using store = new TestStore(path);
    await store.done(store.enter("ann", "1"), store.enter("joe", "1"));
    const numbers = Array.from({ length: 200 }, (_, n) => `<${n}>`.padEnd(1_500, "x"));
    await store.done(...store.append(...numbers.map((text) => direct("ann", "joe", text))));
  }
  const bytes = await Deno.readFile(path);
  const page = new TextDecoder("latin1").decode(bytes).indexOf("<100>x") & ~4_095;
  await Deno.writeFile(path, bytes.fill(0xff, page, page + 100));

  using store = new TestStore(path);
  await store.done(...store.append(direct("ann", "joe", "new")));
  const shown = texts(store.messages.history.of("joe", { count: 50 }));
  assertEquals([shown.length, shown[0]!.slice(0, 4), shown.at(-1)], [50, "<151", "new"]);
  await store.done(store.acknowledge("joe", [store.messages.last]));
  const { items } = store.messages.undelivered("joe", { after: 0, upTo: store.messages.last });
  assertEquals(items[0]!.text.slice(0, 3), "<0>");
});
