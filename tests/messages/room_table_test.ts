import { assert, assertEquals } from "@std/assert";
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
import { Rooms } from "../helpers/rooms.ts";

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
