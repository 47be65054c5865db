import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import { assert, assertEquals } from "@std/assert";
import { assertNothing, received } from "../helpers/deliveries.ts";
import { FakeServer } from "../helpers/fake_server.ts";

Deno.test("every record in a wrong state is refused, and those without an id end the session", async () => {
  await using server = await FakeServer.start();
  const records: Record<string, Record<string, unknown>> = {
    hello: { protocol: PROTOCOL_VERSION, software: "test" },
    identify: { id: 7, username: "joe" },
    authenticate: { id: 7, password: "x" },
    register: { id: 7, password: "x" },
    resume: { id: 7, username: "old", token: "ab".repeat(32), last: 0 },
    users: { id: 7 },
    user: { id: 7, username: "joe" },
    public: { id: 7, text: "x" },
    direct: { id: 7, to: "joe", text: "x" },
    join: { id: 7, room: "lab" },
    leave: { id: 7, room: "lab" },
    say: { id: 7, room: "lab", text: "x" },
    rooms: { id: 7 },
    who: { id: 7 },
    act: { id: 7, room: "lab", what: "open" },
    operate: { id: 7, what: "quiet" },
    operations: { id: 7, count: 1 },
    restrictions: { id: 7 },
    whois: { id: 7, user: "joe" },
    history: { id: 7, count: 1 },
    search: { id: 7, text: "x", count: 1 },
    status: { id: 7, message: 1 },
    password: { id: 7, old: "x", new: "y" },
    ack: { delivered: 0 },
    logout: { id: 7 },
    ping: {},
    pong: {},
  };
  const right: Record<string, string[]> = {
    hello: ["hello"],
    login: ["identify", "resume", "logout", "ping", "pong"],
    authenticate: ["authenticate", "logout", "ping", "pong"],
    register: ["register", "logout", "ping", "pong"],
    active: [
      "users",
      "user",
      "public",
      "direct",
      "join",
      "leave",
      "say",
      "rooms",
      "who",
      "act",
      "operate",
      "operations",
      "restrictions",
      "whois",
      "history",
      "search",
      "status",
      "password",
      "ack",
      "logout",
      "ping",
      "pong",
    ],
  };
  await server.join("old");
  const enter: Record<string, () => ReturnType<FakeServer["connect"]>> = {
    hello: () => server.connect(),
    login: () => server.greet(),
    authenticate: async () => {
      const client = await server.greet();
      await client.ask({ type: "identify", id: 1, username: "old" });
      return client;
    },
    register: async () => {
      const client = await server.greet();
      await client.ask({ type: "identify", id: 1, username: "new" });
      return client;
    },
    active: () => server.join("old"),
  };
  let refused = 0;
  for (const [state, types] of Object.entries(right)) {
    for (const [type, fields] of Object.entries(records)) {
      if (types.includes(type)) continue;
      const client = await enter[state]!();
      const answer = await client.ask({ type, ...fields });
      assertEquals(answer["code"], "wrong-state", `${type} in ${state}`);
      assertEquals(answer["id"], state === "hello" ? undefined : fields["id"]);
      if (answer["id"] === undefined) assertEquals((await client.next())["type"], "farewell");
      assertEquals(client.connection.closed, answer["id"] === undefined);
      client.connection.disconnect();
      refused++;
    }
  }
  console.log(`    ${refused} records out of place, ${refused} refused`);
});

Deno.test("what can't be read ends the session, with what was wrong", async () => {
  await using server = await FakeServer.start();
  for (const line of ["nonsense", '{"type":"users"}', '{"type":"shutdown","id":1}']) {
    const client = await server.join("joe");
    client.connection.receive(line);
    const error = await client.next();
    assertEquals([error["type"], error["code"]], ["error", "bad-record"]);
    const farewell = await client.next();
    assertEquals([farewell["code"], farewell["message"]], ["protocol-error", error["message"]]);
    assert(client.connection.closed);
  }
});

Deno.test("users and user answer with the names as they were registered", async () => {
  await using server = await FakeServer.start();
  const client = await server.join("renew");
  await server.join("Bob");
  await server.join("BOB").catch(() => {});
  await server.join("joe");
  assertEquals((await client.ask({ type: "users", id: 3 }))["users"], ["Bob", "joe", "renew"]);
  assertEquals((await client.ask({ type: "user", id: 4, username: "BOB" }))["username"], "Bob");
  assertEquals(
    (await client.ask({ type: "user", id: 5, username: "ann" }))["code"],
    "no-such-user",
  );
});

Deno.test("public goes to all, but not to the session that sent it", async () => {
  await using server = await FakeServer.start();
  const [sender, twin, bob, joe] = [
    await server.join("renew"),
    await server.join("renew"),
    await server.join("bob"),
    await server.join("joe"),
  ];
  const sent = await sender.ask({ type: "public", id: 3, text: "Hello guys" });
  const { message: id } = sent;
  assertEquals(sent, { type: "sent", id: 3, message: id });
  server.clock.endTurn();
  for (const other of [twin, bob, joe]) {
    assertEquals(await other.next(), {
      type: "deliver",
      number: 0,
      messages: [{
        id,
        from: "renew",
        sent: Date.UTC(2026, 0, 31, 9, 30),
        text: "Hello guys",
      }],
    });
  }
  assertEquals((await sender.ask({ type: "ping" }))["type"], "pong");
  // The user's own sessions are none of those that it went to.
  const { progress } = await sender.ask({ type: "status", id: 4, message: id });
  assertEquals(progress, { users: 2, udp: 0, tcp: 0 });
});

Deno.test("direct goes to all sessions of one user, and to nobody else", async () => {
  await using server = await FakeServer.start();
  const sender = await server.join("renew");
  const joes = [await server.join("joe"), await server.join("joe")];
  const bob = await server.join("bob");
  const sent = await sender.ask({ type: "direct", id: 3, to: "JOE", text: "Hello joe" });
  assertEquals([sent["type"], sent["id"]], ["sent", 3]);
  server.clock.endTurn();
  for (const joe of joes) {
    const { id, to, text } = ((await joe.next())["messages"] as Record<string, unknown>[])[0]!;
    assertEquals([id, to, text], [sent["message"], "joe", "Hello joe"]);
  }
  assertEquals((await bob.ask({ type: "ping" }))["type"], "pong");
});

Deno.test("a message that the rules refuse, or to nobody, is not sent", async () => {
  await using server = await FakeServer.start();
  const [sender, bob] = [await server.join("renew"), await server.join("bob")];
  const empty = await sender.ask({ type: "public", id: 3, text: " " });
  assertEquals([empty["id"], empty["code"]], [3, "bad-text"]);
  const nobody = await sender.ask({ type: "direct", id: 4, to: "ann", text: "x" });
  assertEquals([nobody["id"], nobody["code"]], [4, "no-such-user"]);
  server.clock.endTurn();
  assertEquals((await bob.ask({ type: "ping" }))["type"], "pong");
});

Deno.test("logout delivers what is pending, then says farewell", async () => {
  await using server = await FakeServer.start();
  const [sender, bob] = [await server.join("renew"), await server.join("bob")];
  await sender.ask({ type: "public", id: 3, text: "one" });
  await sender.ask({ type: "public", id: 4, text: "two" });
  bob.send({ type: "logout", id: 9 });
  assertEquals(await received(server, bob, 2), ["one", "two"]);
  assertEquals((await bob.ask({ type: "users", id: 10 }))["code"], "wrong-state");
  bob.send({ type: "ack", delivered: 2 });
  const farewell = await server.nextOf(bob);
  assertEquals([farewell["id"], farewell["code"]], [9, "logged-out"]);
  assertEquals(server.services.hub.users.names, ["renew"]);
  assertEquals(server.services.outboxes.size, 1);
  assertEquals(server.log.at(-1), "bob left: logged out");
});

Deno.test("logout waits a second for the acknowledgement, no longer", async () => {
  await using server = await FakeServer.start();
  const [sender, bob] = [await server.join("renew"), await server.join("bob")];
  await sender.ask({ type: "direct", id: 3, to: "bob", text: "one" });
  await received(server, bob, 1);
  bob.send({ type: "logout", id: 9 });
  await assertNothing(server, bob);
  server.clock.advance(1_000);
  assertEquals((await bob.next())["type"], "farewell");
  // Nobody knows what became of it.
  assertEquals(await received(server, await server.join("bob"), 1), ["one (late)"]);
});

Deno.test("direct to a user who is away waits for the next login, and comes once", async () => {
  await using server = await FakeServer.start();
  const first = await server.join("joe");
  await first.ask({ type: "logout", id: 9 });
  const sender = await server.join("renew");
  const asked = await sender.ask({ type: "user", id: 3, username: "JOE" });
  assertEquals([asked["username"], asked["active"]], ["joe", false]);
  for (const [id, text] of [[4, "one"], [5, "two"]] as const) {
    const sent = await sender.ask({ type: "direct", id, to: "Joe", text });
    assertEquals([sent["type"], sent["away"]], ["sent", true]);
  }
  const joe = await server.join("joe");
  const other = await server.join("joe");
  assertEquals(await received(server, joe, 2), ["one (late)", "two (late)"]);
  // It is with the first session: the second gets nothing.
  assertEquals((await other.ask({ type: "ping" }))["type"], "pong");
  joe.send({ type: "ack", delivered: 1 });
  await joe.ask({ type: "ping" });
  // The first session ends without having acknowledged the second message: now it is the other's.
  joe.connection.disconnect();
  while ((await joe.next())["type"] !== undefined);
  assertEquals(await received(server, other, 1), ["two (late)"]);
  other.send({ type: "ack", delivered: 1 });
  await other.ask({ type: "logout", id: 9 });
  const later = await server.join("joe");
  server.clock.endTurn();
  assertEquals((await later.ask({ type: "ping" }))["type"], "pong");
});

Deno.test("a thousand messages that waited come in order, at the pace of the client", async () => {
  await using server = await FakeServer.start();
  await (await server.join("joe")).ask({ type: "logout", id: 9 });
  const sender = await server.join("renew");
  const text = "x".repeat(16_000);
  for (let id = 10; id < 1_010; id++) await sender.ask({ type: "direct", id, to: "joe", text });
  const joe = await server.join("joe");
  for (let number = 0; number < 1_000;) {
    const record = await server.nextOf(joe);
    assertEquals([record["type"], record["number"]], ["deliver", number]);
    number += (record["messages"] as unknown[]).length;
    joe.send({ type: "ack", delivered: number });
  }
  joe.send({ type: "logout", id: 9 });
  assertEquals((await server.nextOf(joe))["code"], "logged-out");
});

Deno.test("history gives what the user may see, at most a hundred messages", async () => {
  await using server = await FakeServer.start();
  const [renew, joe] = [await server.join("renew"), await server.join("joe")];
  for (let id = 10; id < 130; id++) await renew.ask({ type: "public", id, text: `${id}` });
  const later = await server.join("late");
  await renew.ask({ type: "direct", id: 130, to: "joe", text: "to joe" });
  const texts = async (client: typeof joe, request: Record<string, unknown>) => {
    server.clock.endTurn();
    client.send({ type: "history", id: 500, ...request });
    let answer = await client.next();
    while (answer["type"] === "deliver") answer = await client.next();
    const messages = answer["messages"] as { text: string }[] | undefined;
    return messages?.map(({ text }) => text) ?? answer["code"];
  };
  assertEquals(await texts(joe, { count: 2 }), ["129", "to joe"]);
  assertEquals((await texts(joe, { count: 1_000 }) as string[]).length, 100);
  assertEquals(await texts(joe, { count: 1, with: "RENEW" }), ["to joe"]);
  assertEquals(await texts(later, { count: 9 }), []);
  assertEquals(await texts(joe, { count: 9, with: "nobody" }), "no-such-user");
});

Deno.test("a client that goes without a word has left", async () => {
  await using server = await FakeServer.start();
  const client = await server.join("joe");
  client.connection.disconnect();
  while ((await client.next())["type"] !== undefined);
  assertEquals(server.services.hub.users.names, []);
  assertEquals(server.log.at(-1), "joe left: the connection was lost");
});

Deno.test("an ack of what was never sent ends the session", async () => {
  await using server = await FakeServer.start();
  const client = await server.join("joe");
  const error = await client.ask({ type: "ack", delivered: 1 });
  assertEquals([error["code"], error["message"]], [
    "bad-record",
    '"ack" acknowledges what was never sent',
  ]);
});

Deno.test("a silent client is pinged, and given up after 30 s", async () => {
  await using server = await FakeServer.start();
  const client = await server.join("joe");
  server.clock.advance(15_000);
  assertEquals((await client.next())["type"], "ping");
  server.clock.advance(15_000);
  assertEquals((await client.next())["code"], "timeout");
  assert(client.connection.closed);
  assertEquals(server.log.at(-1), "joe left: nothing was heard of the client");
});

Deno.test("search finds what the user may see, to the letter", async () => {
  await using server = await FakeServer.start();
  const ann = await server.join("ann");
  await ann.ask({ type: "public", id: 3, text: "100% before joe" });
  const joe = await server.join("joe");
  const texts = ["100% of it", "a hundred", "100 per cent", "1000 100% times"];
  for (const [at, text] of texts.entries()) await ann.ask({ type: "public", id: 4 + at, text });
  await ann.ask({ type: "direct", id: 9, to: "ann", text: "100% mine" });
  await received(server, joe, texts.length);
  const find = async (id: number, text: string, count = 10) => {
    const { messages, code } = await joe.ask({ type: "search", id, text, count });
    return (messages as { text: string }[] | undefined)?.map(({ text }) => text) ?? code;
  };
  assertEquals(await find(3, "100%"), ["100% of it", "1000 100% times"]);
  assertEquals(await find(4, "A HUN"), ["a hundred"]);
  assertEquals(await find(5, "100", 1), ["1000 100% times"]);
  assertEquals(await find(6, "_"), []);
  assertEquals(await find(7, " "), "bad-text");
  assertEquals(await find(8, "x".repeat(101)), "bad-text");
});

Deno.test("search goes through the newest 20,000 messages page by page, and no further", async () => {
  await using server = await FakeServer.start();
  const ann = await server.join("ann");
  const find = async (id: number) => {
    ann.send({ type: "search", id, text: "needle", count: 3 });
    return (await server.nextOf(ann))["messages"] as { text: string }[];
  };
  const send = async (count: number, text: string) => {
    for (let at = 0; at < count; at++) {
      void server.services.hub.send("ann", { text, origin: undefined });
    }
    await server.services.hub.send("ann", { text, origin: undefined });
  };
  await send(0, "needle");
  await send(2_999, "hay");
  await send(0, "needle");
  assertEquals((await find(10)).length, 2);
  await send(16_997, "hay");
  assertEquals((await find(11)).length, 2);
  await send(0, "hay");
  assertEquals((await find(12)).length, 1);
});
