import { assert, assertEquals } from "@std/assert";
import { assertNothing, disconnect, received } from "../helpers/deliveries.ts";
import { type FakeClient, FakeServer } from "../helpers/fake_server.ts";

let nextId = 100;

/** Asks a server for something, and gives what it answers, whatever comes in between. */
async function ask(
  server: FakeServer,
  client: FakeClient,
  request: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const id = ++nextId;
  client.send({ ...request, id });
  for (;;) {
    const record = await server.nextOf(client);
    if (record["id"] === id) return record;
  }
}

/** The same; gives the type, or the code of the error. */
async function outcome(
  server: FakeServer,
  client: FakeClient,
  request: Record<string, unknown>,
): Promise<unknown> {
  const { code, type } = await ask(server, client, request);
  return code ?? type;
}

function acknowledge(client: FakeClient, delivered: number): Promise<void> {
  client.send({ type: "ack", delivered });
  return new Promise((resolve) => setImmediate(resolve));
}

/** Users of these names, of whom the first makes a room that the others join. */
async function roomOf(server: FakeServer, ...names: string[]): Promise<FakeClient[]> {
  const clients: FakeClient[] = [];
  for (const name of names) {
    const client = await server.join(name);
    assertEquals(await outcome(server, client, { type: "join", room: "lab" }), "joined");
    clients.push(client);
  }
  return clients;
}

Deno.test("join makes a room, and joins one that is there, whichever way it is spelled", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = [await server.join("ann"), await server.join("bob")];
  const made = await ask(server, ann, { type: "join", room: "#Lab" });
  assertEquals({ ...made, id: 0 }, {
    ...{ type: "joined", id: 0, room: "Lab", topic: "", members: 1, role: "owner", made: true },
  });
  await ask(server, ann, { type: "act", room: "lab", what: "topic", text: "exam" });
  const joined = await ask(server, bob, { type: "join", room: "LAB" });
  assertEquals({ ...joined, id: 0 }, {
    ...{ type: "joined", id: 0, room: "Lab", topic: "exam", members: 2, role: "member" },
  });
  assertEquals((await ask(server, ann, { type: "join", room: "lab" }))["role"], "owner");
  assertEquals(await outcome(server, bob, { type: "leave", room: "lab" }), "left");
  assertEquals(await outcome(server, bob, { type: "leave", room: "lab" }), "not-in-room");
});

Deno.test("two who make one room at a time are both in it, and one owns it", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = [await server.join("ann"), await server.join("bob")];
  for (const client of [ann, bob]) client.send({ type: "join", id: 50, room: "lab" });
  const answers = [await server.nextOf(ann), await server.nextOf(bob)];
  assertEquals(answers.map(({ type }) => type), ["joined", "joined"]);
  assertEquals(answers.map(({ role }) => role).sort(), ["member", "owner"]);
});

Deno.test("a room's name, topic and text keep to the rules, and what there is no room for is refused", async () => {
  await using server = await FakeServer.start();
  const [ann] = await roomOf(server, "ann");
  for (const room of ["", "#", "##x", "a b", "x".repeat(33), "lobby", "#LOBBY", "a\u200bb", "аa"]) {
    assertEquals(await outcome(server, ann!, { type: "join", room }), "bad-room-name", room);
  }
  assertEquals(
    await outcome(server, ann!, { type: "say", room: "nix", text: "x" }),
    "no-such-room",
  );
  assertEquals(await outcome(server, ann!, { type: "say", room: "lab", text: " " }), "bad-text");
  const topic = (text: string) =>
    outcome(server, ann!, { type: "act", room: "lab", what: "topic", text });
  assertEquals(await topic("two\nlines"), "bad-text");
  assertEquals(await topic("x".repeat(201)), "bad-text");
  assertEquals(await topic("x".repeat(200)), "acted");
  for (let count = 1; count < 100; count++) {
    assertEquals(await outcome(server, ann!, { type: "join", room: `r${count}` }), "joined");
  }
  assertEquals(await outcome(server, ann!, { type: "join", room: "more" }), "too-many-rooms");
  server.services.limits = { ...server.services.limits, rooms: 100 };
  const bob = await server.join("bob");
  assertEquals(await outcome(server, bob, { type: "join", room: "more" }), "too-many-rooms");
  assertEquals(await outcome(server, bob, { type: "join", room: "lab" }), "joined");
});

Deno.test("say goes to every session of every member but the one that sent it, and to nobody else", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await roomOf(server, "ann", "bob");
  const twins = [await server.join("ann"), await server.join("bob")];
  const eve = await server.join("eve");
  const { message: id } = await ask(server, ann!, { type: "say", room: "LAB", text: "hi" });
  const expected = {
    ...{ type: "deliver", number: 0 },
    messages: [{ id, from: "ann", room: "lab", sent: server.clock.date().getTime(), text: "hi" }],
  };
  for (const client of [bob!, ...twins]) assertEquals(await server.nextOf(client), expected);
  for (const client of [ann!, eve]) await assertNothing(server, client);
  assertEquals(await outcome(server, eve, { type: "say", room: "lab", text: "x" }), "not-in-room");
  // The sender's own sessions are none of those that it went to.
  const progress = async () =>
    (await ask(server, ann!, { type: "status", message: id }))["progress"];
  assertEquals(await progress(), { users: 1, udp: 0, tcp: 0 });
  await acknowledge(bob!, 1);
  assertEquals(await progress(), { users: 1, udp: 0, tcp: 1 });
});

Deno.test("what was said at once in the lobby, in rooms and to one comes in the order of the ids", async () => {
  await using server = await FakeServer.start();
  const [ann, bob, eve] = await roomOf(server, "ann", "bob", "eve");
  for (const room of ["two", "three"]) {
    for (const client of room === "two" ? [ann!, bob!] : [ann!, eve!]) {
      await ask(server, client, { type: "join", room });
    }
  }
  const said = [
    { type: "say", room: "lab" },
    { type: "say", room: "two" },
    { type: "public" },
    { type: "direct", to: "bob" },
    { type: "say", room: "three" },
    { type: "say", room: "two" },
    { type: "direct", to: "eve" },
    { type: "say", room: "lab" },
  ];
  for (const [at, request] of said.entries()) {
    ann!.send({ ...request, id: 500 + at, text: `${at}` });
  }
  for (const _ of said) await server.nextOf(ann!);
  assertEquals(await received(server, bob!, 6), ["0", "1", "2", "3", "5", "7"]);
  assertEquals(await received(server, eve!, 5), ["0", "2", "4", "6", "7"]);
});

Deno.test("who is kicked gets nothing more, and who joins gets what comes from then on", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await roomOf(server, "ann", "bob");
  const eve = await server.join("eve");
  // All of it in one commit.
  const say = (text: string) => ann!.send({ type: "say", id: ++nextId, room: "lab", text });
  say("one");
  ann!.send({ type: "act", id: ++nextId, room: "lab", what: "kick", user: "bob" });
  eve.send({ type: "join", id: ++nextId, room: "lab" });
  say("two");
  assertEquals(await received(server, bob!, 1), ["one"]);
  assertEquals((await server.nextOf(eve))["type"], "joined");
  await ask(server, ann!, { type: "say", room: "lab", text: "three" });
  const texts = await received(server, eve, 2).catch(() => []);
  assertEquals(texts.at(-1), "three");
  await assertNothing(server, bob!);
  assertEquals(await outcome(server, bob!, { type: "say", room: "lab", text: "x" }), "not-in-room");
});

Deno.test("a member who was away is given what the room said, in order, once", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await roomOf(server, "ann", "bob");
  await ask(server, bob!, { type: "join", room: "two" });
  await ask(server, ann!, { type: "join", room: "two" });
  await disconnect(bob!);
  const said: string[] = [];
  for (let count = 0; count < 250; count++) {
    const [room, text] = [count % 3 === 0 ? "two" : "lab", `${count}`];
    ann!.send({ type: "say", id: ++nextId, room, text });
    await server.nextOf(ann!);
    said.push(`${text} (late)`);
  }
  await ask(server, ann!, { type: "direct", to: "bob", text: "direct" });
  await ask(server, ann!, { type: "say", room: "lab", text: "last" });
  const back = await server.join("bob");
  assertEquals(await received(server, back, 252), [...said, "direct (late)", "last (late)"]);
  await acknowledge(back, 200);
  await disconnect(back);
  // What nobody acknowledged comes again, and nothing else; also after a restart, since it is in the log.
  const again = await server.join("bob");
  assertEquals(await received(server, again, 52), [
    ...said.slice(200),
    "direct (late)",
    "last (late)",
  ]);
  await acknowledge(again, 52);
  await disconnect(again);
  await assertNothing(server, await server.join("bob"));
  assert(server.services.mailboxes.heard("bob") > 0);
});

Deno.test("a client that comes back gets what its rooms said meanwhile, of each only while it was in it", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await roomOf(server, "ann", "bob");
  await ask(server, ann!, { type: "say", room: "lab", text: "one" });
  assertEquals(await received(server, bob!, 1), ["one"]);
  await disconnect(bob!);
  const { message: last } = await ask(server, ann!, { type: "say", room: "lab", text: "two" });
  await ask(server, ann!, { type: "act", room: "lab", what: "kick", user: "bob" });
  await ask(server, ann!, { type: "say", room: "lab", text: "three" });
  const back = await server.resume(bob!, (last as number) - 1);
  assertEquals(await received(server, back, 1), ["two"]);
  await assertNothing(server, back);
});

Deno.test("rooms lists those that the user may see, its own first", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await roomOf(server, "ann", "bob");
  for (const room of ["big", "secret", "other"]) await ask(server, ann!, { type: "join", room });
  for (const room of ["secret", "other"]) {
    await ask(server, ann!, { type: "act", room, what: "closed" });
  }
  await ask(server, ann!, { type: "act", room: "other", what: "invite", user: "bob" });
  await ask(server, await server.join("eve"), { type: "join", room: "big" });
  const { count, rooms } = await ask(server, bob!, { type: "rooms" });
  assertEquals(count, 3);
  assertEquals(rooms, [
    { name: "lab", topic: "", members: 2, role: "member" },
    { name: "other", topic: "", members: 1, closed: true, invited: true },
    { name: "big", topic: "", members: 2 },
  ]);
});

Deno.test("who says who is here or in a room, since when, and for how long they sent nothing", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await roomOf(server, "ann", "bob");
  const since = server.clock.date().getTime();
  await ask(server, ann!, { type: "act", room: "lab", what: "mute", user: "bob" });
  server.clock.advance(5_000);
  await ask(server, ann!, { type: "say", room: "lab", text: "x" });
  server.clock.advance(2_000);
  const { users, count } = await ask(server, ann!, { type: "who", room: "lab" });
  assertEquals([count, users], [2, [
    { username: "ann", active: true, since, idle: 2_000, role: "owner" },
    { username: "bob", active: true, since, idle: 7_000, role: "member", muted: true },
  ]]);
  await disconnect(bob!);
  const eve = await server.join("eve");
  const look = await ask(server, eve, { type: "who", room: "lab" });
  assertEquals((look["users"] as unknown[])[1], {
    ...{ username: "bob", active: false, role: "member", muted: true },
  });
  const here = (await ask(server, eve, { type: "who" }))["users"] as { username: string }[];
  assertEquals(here.map(({ username }) => username), ["ann", "eve"]);
  await ask(server, ann!, { type: "act", room: "lab", what: "closed" });
  assertEquals(await outcome(server, eve, { type: "who", room: "lab" }), "not-in-room");
  assertEquals(
    await outcome(server, eve, { type: "history", room: "lab", count: 5 }),
    "not-in-room",
  );
});

Deno.test("those who asked are told what is done in a room, and so is who is invited to it", async () => {
  await using server = await FakeServer.start();
  const ann = await server.join("ann", 0);
  await ask(server, ann, { type: "join", room: "lab" });
  const [bob, deaf] = [await server.join("bob", 0), await server.join("bob")];
  server.clock.advance(1_000);
  const news = async (client: FakeClient) => {
    for (;;) {
      const { type, ...record } = await server.nextOf(client);
      if (type === "room") return record;
    }
  };
  await ask(server, ann, { type: "act", room: "lab", what: "invite", user: "bob" });
  assertEquals(await news(bob), { room: "lab", what: "invite", by: "ann", user: "bob" });
  await ask(server, bob, { type: "join", room: "lab" });
  assertEquals(await news(ann), { room: "lab", what: "joined", by: "bob" });
  await ask(server, ann, { type: "act", room: "lab", what: "kick", user: "bob" });
  assertEquals(await news(bob), { room: "lab", what: "kick", by: "ann", user: "bob" });
  // Who is not in it is told as well.
  await ask(server, ann, { type: "act", room: "lab", what: "ban", user: "bob" });
  assertEquals(await news(bob), { room: "lab", what: "ban", by: "ann", user: "bob" });
  await assertNothing(server, deaf);
});
