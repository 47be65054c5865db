import { assert, assertEquals } from "@std/assert";
import type { RoomEvent } from "../../lib/journal/events.ts";
import { Statement } from "../../lib/messages/statement.ts";
import type { RoomTable } from "../../lib/messages/room_table.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import {
  type Act,
  ACT_NAMES,
  ACTS,
  may,
  type Right,
  RIGHTS,
  type Role,
  ROLES,
} from "../../lib/protocol/roles.ts";
import { pub, TestStore, texts } from "../helpers/test_store.ts";

/** An event without who did it and when. */
type Deed = RoomEvent extends infer E ? E extends RoomEvent ? Omit<E, "by" | "at"> : never : never;

/** A store in which people do things to rooms. */
class Rooms implements Disposable {
  readonly store = new TestStore();
  at = 0;

  get table(): RoomTable {
    return this.store.projection.rooms;
  }

  /** @returns the event's number; the code where it was refused */
  async do(by: string, deed: Deed): Promise<number | string> {
    const event = { ...deed, by, at: ++this.at } as RoomEvent;
    const foreseen = this.table.judge(event)?.code;
    const done = this.store.journal.append(event).catch((error) => {
      assert(error instanceof ProtocolError, `${error}`);
      return error.code;
    });
    this.store.clock.endTurn();
    const outcome = await done;
    assertEquals(typeof outcome === "string" ? outcome : undefined, foreseen);
    return outcome;
  }

  async make(by: string, name: string): Promise<number> {
    return await this.do(by, { type: "room-made", name }) as number;
  }

  join(room: number, ...users: string[]) {
    return Promise.all(users.map((user) => this.do(user, { type: "room-joined", room })));
  }

  leave(room: number, user: string) {
    return this.do(user, { type: "room-left", room });
  }

  act(by: string, what: Act, { room, user, text }: { room: number; user?: string; text?: string }) {
    return this.do(by, { type: "room-act", room, what, user, text });
  }

  async say(room: number, from: string, text: string): Promise<number | string> {
    const said = this.store.journal.append(
      { type: "message", from, room, sent: ++this.at, text, origin: undefined },
    ).catch(({ code }) => code);
    this.store.clock.endTurn();
    return await said;
  }

  roles(room: number): Record<string, Role> {
    return Object.fromEntries(this.table.membersOf(room).map(({ name, role }) => [name, role]));
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
  }
}

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

/** The role that each thing takes: what `docs/PROTOCOL.md` says, written down a second time. */
const NEEDED: Record<Right, Role> = {
  chat: "user",
  join: "user",
  leave: "member",
  say: "member",
  read: "member",
  invite: "member",
  topic: "moderator",
  kick: "moderator",
  ban: "moderator",
  unban: "moderator",
  mute: "moderator",
  unmute: "moderator",
  moderator: "owner",
  member: "owner",
  owner: "owner",
  open: "owner",
  closed: "owner",
  "from-join": "owner",
  "from-start": "owner",
  delete: "moderator",
  operate: "operator",
  inspect: "operator",
};

Deno.test("RIGHTS has the role that each thing takes, and each role may do what those before it may", () => {
  assertEquals(RIGHTS, NEEDED);
  for (const right of Object.keys(RIGHTS) as Right[]) {
    for (const role of ROLES) {
      assertEquals(may(role, right), ROLES.indexOf(role) >= ROLES.indexOf(NEEDED[right]));
    }
  }
});

/** Who are in the room of the table below, and what they are; joe is not in it. */
const PEOPLE: Record<string, Role> = {
  ann: "owner",
  bob: "moderator",
  ben: "moderator",
  eve: "member",
  fay: "member",
};

/** What becomes of an act: the code of its refusal, or that it is done. */
function expected(by: string, what: Act, user: string): string {
  const role = PEOPLE[by];
  const other = PEOPLE[user];
  if (role === undefined) return "not-in-room";
  if (ROLES.indexOf(role) < ROLES.indexOf(NEEDED[what])) return "not-allowed";
  if (ACTS[what].takes !== "user") return "done";
  if (by === user) return "not-allowed";
  if (what === "invite") return other === undefined ? "done" : "not-allowed";
  // Nobody is banned or muted.
  if (what === "unban" || what === "unmute") return "not-allowed";
  if (other === undefined) return what === "ban" ? "done" : "not-in-room";
  return ROLES.indexOf(role) > ROLES.indexOf(other) ? "done" : "not-allowed";
}

Deno.test("RoomTable lets everybody do what their role may, to whom it may, and nothing else", async () => {
  let done = 0;
  let refused = 0;
  for (const by of [...Object.keys(PEOPLE), "joe"]) {
    for (const what of ACT_NAMES) {
      for (const user of ACTS[what].takes === "user" ? [...Object.keys(PEOPLE), "joe"] : [""]) {
        using rooms = new Rooms();
        const room = await rooms.make("ann", "lab");
        await rooms.join(room, "bob", "ben", "eve", "fay");
        await rooms.act("ann", "moderator", { room, user: "bob" });
        await rooms.act("ann", "moderator", { room, user: "ben" });
        assertEquals(rooms.roles(room), PEOPLE);
        const before = JSON.stringify([rooms.table.find("lab"), rooms.table.membersOf(room)]);
        const outcome = await rooms.act(by, what, { room, user, text: "new" });
        const result = typeof outcome === "string" ? outcome : "done";
        assertEquals(result, expected(by, what, user), `${by} ${what} ${user}`);
        if (result === "done") done++;
        else {
          refused++;
          const after = JSON.stringify([rooms.table.find("lab"), rooms.table.membersOf(room)]);
          assertEquals(after, before, `${by} ${what} ${user}`);
        }
      }
    }
  }
  assert(done > 30 && refused > 200, `${done} done, ${refused} refused`);
});

Deno.test("RoomTable does what an act says", async () => {
  using rooms = new Rooms();
  const room = await rooms.make("ann", "Lab");
  await rooms.join(room, "bob", "eve");
  await rooms.act("ann", "topic", { room, text: "exam" });
  await rooms.act("ann", "closed", { room });
  await rooms.act("ann", "from-start", { room });
  const { name, topic, closed, from_start, members } = rooms.table.find("LAB")!;
  assertEquals([name, topic, closed, from_start, members], ["Lab", "exam", 1, 1, 3]);

  // A closed room takes those who are invited, once.
  assertEquals(await rooms.join(room, "joe"), ["not-allowed"]);
  await rooms.act("eve", "invite", { room, user: "joe" });
  assertEquals(typeof (await rooms.join(room, "joe"))[0], "number");
  await rooms.leave(room, "joe");
  assertEquals(await rooms.join(room, "joe"), ["not-allowed"]);

  // Who is muted stays so when coming back; who is banned does not come back.
  await rooms.act("ann", "open", { room });
  assertEquals(typeof await rooms.say(room, "eve", "w"), "number");
  await rooms.act("ann", "mute", { room, user: "eve" });
  assertEquals(await rooms.say(room, "eve", "x"), "not-allowed");
  await rooms.leave(room, "eve");
  await rooms.join(room, "eve");
  assertEquals(await rooms.say(room, "eve", "x"), "not-allowed");
  await rooms.act("ann", "unmute", { room, user: "eve" });
  assertEquals(typeof await rooms.say(room, "eve", "y"), "number");
  await rooms.act("ann", "ban", { room, user: "eve" });
  assertEquals(await rooms.say(room, "eve", "z"), "not-in-room");
  assertEquals(await rooms.join(room, "eve"), ["not-allowed"]);
  assertEquals(await rooms.act("ann", "invite", { room, user: "eve" }), "not-allowed");
  await rooms.act("ann", "unban", { room, user: "eve" });
  assertEquals(typeof (await rooms.join(room, "eve"))[0], "number");

  await rooms.act("ann", "owner", { room, user: "bob" });
  assertEquals(rooms.roles(room), { bob: "owner", ann: "moderator", eve: "member" });
  await rooms.act("bob", "member", { room, user: "ann" });
  assertEquals(rooms.roles(room), { bob: "owner", ann: "member", eve: "member" });
});

Deno.test("RoomTable lets who is muted in a room neither set its topic nor invite", async () => {
  using rooms = new Rooms();
  const room = await rooms.make("ann", "lab");
  await rooms.join(room, "bob");
  await rooms.act("ann", "moderator", { room, user: "bob" });
  await rooms.act("ann", "mute", { room, user: "bob" });
  const tell = () =>
    Promise.all([
      rooms.act("bob", "topic", { room, text: "x" }),
      rooms.act("bob", "invite", { room, user: "eve" }),
    ]);
  assertEquals(await tell(), ["not-allowed", "not-allowed"]);
  await rooms.act("ann", "unmute", { room, user: "bob" });
  assertEquals((await tell()).map((outcome) => typeof outcome), ["number", "number"]);
});

Deno.test("RoomTable lets only who has the higher role lift a mute, and mutes no owner", async () => {
  using rooms = new Rooms();
  const room = await rooms.make("ann", "lab");
  for (const name of ["bob", "eve"]) {
    await rooms.join(room, name);
    await rooms.act("ann", "moderator", { room, user: name });
  }
  await rooms.act("ann", "mute", { room, user: "bob" });
  assertEquals(await rooms.act("eve", "unmute", { room, user: "bob" }), "not-allowed");
  assertEquals(await rooms.say(room, "bob", "x"), "not-allowed");
  // Nobody has a higher role than the one who owns the room next.
  await rooms.act("ann", "owner", { room, user: "bob" });
  assertEquals(typeof await rooms.say(room, "bob", "y"), "number");
});

Deno.test("RoomTable.takeBack() forgets what it found, and who could say something", async () => {
  using rooms = new Rooms();
  const room = await rooms.make("ann", "lab");
  const { table } = rooms;
  table.apply(room + 1, { type: "room-joined", room, by: "bob", at: 1 });
  assertEquals([table.find("lab")?.members, table.judgeSaying(room, "bob")], [2, undefined]);
  table.takeBack();
  assertEquals(table.find("lab")?.members, 1);
  assertEquals(table.judgeSaying(room, "bob")?.code, "not-in-room");
});

Deno.test("RoomTable gives a room whose owner leaves to who has been in it for the longest, and ends an empty one", async () => {
  using rooms = new Rooms();
  const room = await rooms.make("ann", "lab");
  await rooms.join(room, "bob", "eve", "joe");
  await rooms.act("ann", "moderator", { room, user: "joe" });
  await rooms.act("ann", "ban", { room, user: "zoë" });
  await rooms.leave(room, "ann");
  assertEquals(rooms.roles(room), { joe: "owner", bob: "member", eve: "member" });
  assertEquals(rooms.table.takeHeir(rooms.store.journal.last), "joe");
  await rooms.leave(room, "joe");
  assertEquals(rooms.roles(room), { bob: "owner", eve: "member" });
  await rooms.join(room, "pat");
  await rooms.leave(room, "pat");
  assertEquals(rooms.table.takeHeir(rooms.store.journal.last), undefined);
  await rooms.leave(room, "bob");
  await rooms.leave(room, "eve");
  assertEquals(rooms.table.takeHeir(rooms.store.journal.last), undefined);
  assertEquals(rooms.table.find("lab"), undefined);
  assertEquals(await rooms.join(room, "ann"), ["no-such-room"]);
  assertEquals(await rooms.say(room, "eve", "x"), "no-such-room");

  // A new room of its name inherits nothing.
  const again = await rooms.make("zoë", "lab");
  assert(again > room);
  assertEquals(rooms.roles(again), { zoë: "owner" });
  assertEquals(await rooms.make("ann", "LAB"), "name-taken" as never);
});

Deno.test("RoomTable forgets an account that has gone: a new one of its name is nothing to any room", async () => {
  using rooms = new Rooms();
  const { store } = rooms;
  await store.done(store.enter("ann", "first"));
  const [lab, own] = [await rooms.make("bob", "lab"), await rooms.make("ann", "own")];
  await rooms.join(lab, "ann");
  await rooms.act("bob", "mute", { room: lab, user: "ann" });
  const ban = await rooms.make("bob", "ban");
  await rooms.act("bob", "ban", { room: ban, user: "ann" });
  await rooms.say(lab, "bob", "for the first");
  await store.done(store.enter("ann", "second"));
  assertEquals(rooms.roles(lab), { bob: "owner" });
  assertEquals(rooms.table.find("own"), undefined);
  assertEquals(rooms.table.standing(lab, "ann"), { banned: 0, muted: 0, invited: 0 });
  assertEquals(rooms.table.standing(ban, "ann"), { banned: 0, muted: 0, invited: 0 });
  assertEquals(store.messages.flow("ann", 0).items, []);
  assertEquals(store.messages.unheard("ann", { after: 0, upTo: store.journal.last }).items, []);
  assertEquals(own > 0, true);
});

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

Deno.test("MessageLog.unheard() reads no more texts of many rooms than a page has room for", async () => {
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

Deno.test("RoomTable keeps no row of who comes and goes and hears nothing", async () => {
  using rooms = new Rooms();
  const room = await rooms.make("ann", "lab");
  for (let round = 0; round < 30; round++) {
    await rooms.join(room, "bob");
    if (round < 15) await rooms.say(room, "ann", `${round}`);
    await rooms.leave(room, "bob");
  }
  const stays = rooms.table.staysOf("bob", 0);
  assert(stays.length > 5 && stays.length <= 10, `${stays.length} rows`);
  assert(stays.every(({ until }) => until !== null));
});
