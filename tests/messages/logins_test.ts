import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Logins } from "../../lib/messages/logins.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { TestStore } from "../helpers/test_store.ts";

const DAY_MS = 24 * 3_600_000;

function loginsOf({ journal, projection, clock }: TestStore): Logins {
  return new Logins({ journal, table: projection.logins, clock });
}

async function open(path?: string) {
  const store = new TestStore(path);
  const { clock, database } = store;
  const logins = loginsOf(store);
  const adding = logins.add({ account: "joe", credential: "credential", last: 7 });
  clock.endTurn();
  return { clock, database, logins, ...await adding };
}

Deno.test("Logins.find() knows a client by its token, until 24 hours after it was here", async () => {
  const { clock, database, logins, id, token } = await open();
  assertEquals({ ...logins.find(token) }, {
    id,
    account: "joe",
    credential: "credential",
    last: 7,
  });
  assertEquals(logins.find("00".repeat(32)), undefined);
  clock.advance(DAY_MS - 1);
  logins.extend(id);
  clock.endTurn();
  clock.advance(DAY_MS - 1);
  assertEquals(logins.find(token)?.id, id);
  clock.advance(1);
  assertEquals(logins.find(token), undefined);
  database[Symbol.dispose]();
});

Deno.test("Logins.end() and forget() take a token away for good", async () => {
  const { clock, database, logins, id, token } = await open();
  logins.end(id);
  clock.endTurn();
  assertEquals(logins.find(token), undefined);
  const adding = logins.add({ account: "joe", credential: "credential", last: 7 });
  clock.endTurn();
  const { token: other } = await adding;
  clock.advance(DAY_MS);
  const forgetting = logins.forget();
  clock.endTurn();
  await forgetting;
  assertEquals(logins.find(other), undefined);
  database[Symbol.dispose]();
});

Deno.test("Logins keeps no token as it is, and what it keeps through a restart", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  const { database, id, token } = await open(path);
  database[Symbol.dispose]();
  const content = new DatabaseSync(path);
  const [row] = content.prepare("SELECT hex(token) AS hash FROM logins").all();
  content.close();
  assertEquals(String(row?.["hash"]).length, 64);
  assertEquals(String(row?.["hash"]).toLowerCase() === token, false);
  using again = new TestStore(path);
  assertEquals(loginsOf(again).find(token)?.id, id);
});

Deno.test("Logins.add() keeps a hundred clients of an account, the newest", async () => {
  const { clock, database, logins, token } = await open();
  for (let i = 0; i < 100; i++) {
    clock.advance(1);
    assertEquals(logins.find(token)?.account, "joe");
    logins.add({ account: "joe", credential: "credential", last: 7 });
    logins.add({ account: "ann", credential: "credential", last: 7 });
    clock.endTurn();
  }
  assertEquals(logins.find(token), undefined);
  database[Symbol.dispose]();
});
