import { assert, assertEquals, assertRejects } from "@std/assert";
import type { DatabaseOptions } from "../../lib/messages/database.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { ROLES } from "../../lib/protocol/roles.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { direct, pub, TestStore, texts } from "../helpers/test_store.ts";

/** In the room: owner ann, moderators bob and ben, members eve and fay. An operator: oda. Neither: joe. */
const IN_ROOM = { ann: "owner", bob: "moderator", ben: "moderator", eve: "member", fay: "member" };
const EVERYBODY = [...Object.keys(IN_ROOM), "oda", "joe"];

async function open(
  path?: string,
  disk: Partial<DatabaseOptions> = {},
): Promise<{ store: TestStore; room: number }> {
  const store = new TestStore(path, disk);
  const { journal } = store;
  const at = 1;
  for (const account of EVERYBODY) {
    const role = account === "oda" ? "operator" : "user";
    const identity = account;
    await store.done(journal.append({ type: "account-changed", account, identity, role, at }));
  }
  const made = journal.append({ type: "room-made", name: "lab", by: "ann", at });
  await store.done(made);
  const room = await made;
  for (const by of ["bob", "ben", "eve", "fay"]) {
    await store.done(journal.append({ type: "room-joined", room, by, at }));
  }
  for (const user of ["bob", "ben"]) {
    const what = "moderator";
    await store.done(journal.append({ type: "room-act", room, what, by: "ann", user, at }));
  }
  return { store, room };
}

async function say(
  store: TestStore,
  draft: { from: string; to?: string | undefined; room?: number },
) {
  const said = store.journal.append({
    ...{ type: "message", to: undefined, ...draft, sent: 1, text: "secret", origin: undefined },
  });
  await store.done(said);
  return await said;
}

/** @returns "done", or the code of the refusal */
async function remove(store: TestStore, message: number, by?: string): Promise<string> {
  const removed = store.journal.append({ type: "message-deleted", message, by, at: 1 })
    .then(() => "done", ({ code }) => code);
  await store.done(removed);
  return await removed;
}

Deno.test("who may delete whose message: operators all but direct ones, moderators what lower roles and they said in their room", async () => {
  const { store, room } = await open();
  using _store = store;
  const roleOf = (name: string) => IN_ROOM[name as keyof typeof IN_ROOM];
  let done = 0;
  let refused = 0;
  for (const by of EVERYBODY) {
    for (const from of EVERYBODY) {
      for (const where of ["lobby", "room", "direct"]) {
        if (where === "room" && roleOf(from) === undefined) continue;
        const to = where === "direct" ? "fay" : undefined;
        const message = await say(store, { from, to, ...where === "room" && { room } });
        const rank = (name: string) => ROLES.indexOf(roleOf(name) as "member" ?? "user");
        const isModerator = rank(by) >= ROLES.indexOf("moderator") && where === "room";
        const expected = by === "oda"
          ? where === "direct" ? "no-such-message" : "done"
          : isModerator && (by === from || rank(by) > rank(from))
          ? "done"
          : "not-allowed";
        assertEquals(await remove(store, message, by), expected, `${by}, of ${from} in ${where}`);
        expected === "done" ? done++ : refused++;
        const [row] = store.messages.history.of(from, { count: 1 });
        if (where === "lobby") assertEquals(row!.text, expected === "done" ? "" : "secret");
      }
    }
  }
  assert(done > 20 && refused > 80, `${done} done, ${refused} refused`);
});

Deno.test("nobody learns whether there is a direct message, and who is no moderator not whether there is any", async () => {
  const { store, room } = await open();
  using _store = store;
  const ids = [
    await say(store, { from: "joe", to: "fay" }),
    await say(store, { from: "fay" }),
    await say(store, { from: "fay", room }),
    10_000,
  ];
  const why = (message: number, by: string) => {
    const { code, message: text } = store.projection.deletions.judge({
      ...{ type: "message-deleted", message, by, at: 1 },
    })!;
    return `${code}: ${text.replace(`${message}`, "N")}`;
  };
  assertEquals(why(ids[0]!, "oda"), why(10_000, "oda"));
  for (const by of ["joe", "eve"]) assertEquals(new Set(ids.map((id) => why(id, by))).size, 1);
  assertEquals(await remove(store, ids[1]!, "oda"), "done");
  assertEquals(why(ids[1]!, "oda"), "not-allowed: message N is deleted already, by oda");
});

Deno.test("a deleted message has left the files, and its place is kept for who has not got it yet", async () => {
  await using folder = await TempFolder.create();
  const { store, room } = await open(folder.file("messages.db"));
  const text = "to be forgotten ".repeat(500);
  const draft = { from: "eve", to: undefined, text, sent: 1, origin: undefined };
  const said = [
    store.journal.append({ type: "message", ...draft }),
    store.journal.append({ type: "message", ...draft, room }),
    store.journal.append({ type: "message", ...draft, from: "oda", announcement: true }),
    store.send(pub("eve", "kept")),
  ];
  await store.done(...said);
  const [inLobby, inRoom, announced] = await Promise.all(said);
  const search = { text: "FORGOTTEN", count: 9, before: store.journal.last + 1 };
  assertEquals(store.messages.history.search("fay", search).length, 3);
  for (const message of [inLobby, inRoom, announced]) {
    assertEquals(await remove(store, message!), "done");
  }
  const stored = [...Deno.readDirSync(folder.path)].map(({ name }) =>
    new TextDecoder("latin1").decode(Deno.readFileSync(folder.file(name)))
  ).join("");
  assert(stored.includes("kept") && !stored.includes("forgotten"));
  assertEquals(store.messages.history.search("fay", search), []);
  assertEquals(store.projection.operators.recent(4).map(({ why }) => why), [
    ...[null, null, null, null],
  ]);
  const { items } = store.messages.flow("fay", inLobby! - 1);
  const got = items.map(({ message: { id, text, deleted } }) => [id, text, deleted]);
  assertEquals(got, [
    [inLobby, "", "server"],
    [inRoom, "", "server"],
    [announced, "", "server"],
    [announced! + 1, "kept", undefined],
  ]);
  store[Symbol.dispose]();
});

Deno.test("a deletion that the disk refuses is taken back, and done the second time", async () => {
  await using folder = await TempFolder.create();
  let failures = 0;
  const { store } = await open(folder.file("messages.db"), {
    sync: () => failures-- > 0 ? Promise.reject(new Error("I/O error")) : Promise.resolve(),
  });
  using _store = store;
  const message = await say(store, { from: "eve" });
  // Once for the deletion, once for taking it back.
  failures = 2;
  const event = { type: "message-deleted", message, at: 1 } as const;
  await store.done(assertRejects(() => store.journal.append(event), ProtocolError, "can't store"));
  await store.done();
  await store.done(store.send(pub("eve", "x")));
  assertEquals(texts(store.messages.history.of("eve", { count: 2 })), ["secret", "x"]);
  assertEquals(await remove(store, message, "oda"), "done");
  assertEquals(texts(store.messages.history.of("eve", { count: 2 })), ["", "x"]);
});

Deno.test("a message that is deleted in the commit that stores it goes to nobody, and comes again as the same request", async () => {
  const { store } = await open();
  using _store = store;
  const origin = { login: 1, request: 7 };
  const next = store.journal.last + 1;
  const sent = store.send(direct("eve", "fay", "before"));
  const said = store.send(pub("eve", "secret"), origin);
  const removed = store.journal.append({ type: "message-deleted", message: next + 1, at: 1 });
  await store.done(sent, said, removed);
  assertEquals(store.delivered.slice(-2).map(({ text, deleted }) => [text, deleted]), [
    ["before", undefined],
    ["", "server"],
  ]);
  const again = store.send(pub("eve", "secret"), origin);
  await store.done(again);
  assertEquals(await again, next + 1);
});
