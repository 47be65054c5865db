import { assert, assertEquals } from "@std/assert";
import { type FakeClient, FakeServer } from "../helpers/fake_server.ts";

/** The next `count` messages, each with its text and whether it is late. */
async function received(server: FakeServer, client: FakeClient, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { type, message } = await server.nextOf(client);
    assertEquals(type, "deliver");
    const { text, late } = message as { text: string; late?: boolean };
    texts.push(late ? `${text} (late)` : text);
  }
  return texts;
}

/** Nothing has come but the answer to this. */
async function assertNothing(server: FakeServer, client: FakeClient): Promise<void> {
  client.send({ type: "ping" });
  assertEquals(await server.nextOf(client), { type: "pong" });
}

function disconnect(...clients: FakeClient[]): Promise<void> {
  for (const { connection } of clients) connection.disconnect();
  // The server sees the end a few turns later.
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("a client that comes back gets what it missed, in order, and then what is sent", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await joe.ask({ type: "public", id: 10, text: "seen" });
  await received(server, ann, 1);
  await disconnect(ann);
  await joe.ask({ type: "public", id: 11, text: "one" });
  await joe.ask({ type: "direct", id: 12, to: "ann", text: "two" });
  await joe.ask({ type: "direct", id: 13, to: "joe", text: "not hers" });
  const back = await server.resume(ann, 1);
  assertEquals([back.welcome["type"], back.welcome["latest"]], ["welcome", 4]);
  await server.nextOf(joe);
  await joe.ask({ type: "public", id: 14, text: "three" });
  // Nobody but she acknowledged "seen", and she says that she has it.
  assertEquals(await received(server, back, 3), ["one", "two", "three"]);
  await assertNothing(server, back);
  assert(server.log.some((line) => line.startsWith("ann came back from")));
});

Deno.test("a client that comes back takes the place of its session that seems to be there", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  const back = await server.resume(ann);
  assertEquals((await ann.next())["code"], "resumed");
  assertEquals(server.services.hub.sessionsOf("ann"), 1);
  await joe.ask({ type: "public", id: 10, text: "one" });
  assertEquals(await received(server, back, 1), ["one"]);
  const again = await server.resume(back, 1);
  await assertNothing(server, again);
});

Deno.test("a direct message that was acknowledged elsewhere comes to who comes back all the same", async () => {
  await using server = await FakeServer.start();
  const [joe, here, away] = [
    await server.join("joe"),
    await server.join("ann"),
    await server.join("ann"),
  ];
  await disconnect(away);
  await joe.ask({ type: "direct", id: 10, to: "ann", text: "one" });
  assertEquals(await received(server, here, 1), ["one"]);
  here.send({ type: "ack", delivered: 1 });
  await assertNothing(server, here);
  const back = await server.resume(away);
  assertEquals(await received(server, back, 1), ["one"]);
  await disconnect(back);
  // Nobody has to have it any more.
  await assertNothing(server, here);
  assertEquals(server.services.messages.undelivered("ann", { after: 0, upTo: 9, limit: 9 }), []);
});

Deno.test("a direct message that nobody acknowledged goes to the next session, marked", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await joe.ask({ type: "direct", id: 10, to: "ann", text: "one" });
  await received(server, ann, 1);
  await disconnect(ann);
  const other = await server.join("ann");
  assertEquals(await received(server, other, 1), ["one (late)"]);
  // The other session has it now; who comes back gets it if that one ends.
  const back = await server.resume(ann, 1);
  await assertNothing(server, back);
  await disconnect(other);
  assertEquals(await received(server, back, 1), ["one (late)"]);
});

Deno.test("a client that comes back gets a thousand messages at its pace, and what is sent meanwhile", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await disconnect(ann);
  const text = "x".repeat(10_000);
  for (let id = 1; id <= 1_000; id++) await joe.ask({ type: "public", id, text });
  const back = await server.resume(ann);
  let newest = 1_000;
  for (let number = 0; number < newest; number++) {
    const { type, message } = await server.nextOf(back);
    assertEquals([type, (message as { id: number }).id], ["deliver", number + 1]);
    if (number % 50 === 0) back.send({ type: "ack", delivered: number + 1 });
    if (number % 200 === 0) await joe.ask({ type: "public", id: ++newest, text });
  }
  await assertNothing(server, back);
});

Deno.test("a token that is forged, somebody else's, too old or used up brings nobody back", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  const token = ann.welcome["token"] as string;
  const forged = token.startsWith("0") ? `1${token.slice(1)}` : `0${token.slice(1)}`;
  const attempts: [username: string, token: unknown][] = [
    ["ann", forged],
    ["ann", joe.welcome["token"]],
    ["nobody", token],
  ];
  const refused = async (username: string, token: unknown) => {
    const client = await server.greet();
    const answer = await client.ask({ type: "resume", id: 7, username, token, last: 0 });
    assertEquals([answer["type"], answer["id"], answer["code"]], ["error", 7, "bad-token"]);
    // Nothing has changed: the client may log in with the password.
    const { exists } = await client.ask({ type: "identify", id: 8, username: "ann" });
    assertEquals(exists, true);
    client.connection.disconnect();
  };
  for (const [username, token] of attempts) await refused(username, token);
  assertEquals(server.services.hub.sessionsOf("ann"), 1);
  assert(server.log.some((line) => line.includes("resume refused: no such token")));
  assert(!server.log.some((line) => line.includes(token)));

  await ann.ask({ type: "logout", id: 9 });
  await refused("ann", token);

  const changed = await server.join("ann");
  await disconnect(changed);
  await server.services.accounts.setPassword("ann", "another");
  await refused("ann", changed.welcome["token"]);

  await disconnect(joe);
  server.clock.advance(24 * 3_600_000);
  await refused("joe", joe.welcome["token"]);
});

Deno.test("a client that claims to have a message that is not there yet does not come back", async () => {
  await using server = await FakeServer.start();
  const ann = await server.join("ann");
  const back = await server.resume(ann, 1);
  assertEquals(back.welcome, {
    type: "error",
    id: 1,
    code: "no-such-message",
    message: "there is no message 1 yet: the newest is 0",
  });
  assertEquals((await server.resume(ann, 0)).welcome["type"], "welcome");
});

Deno.test("a client that comes back gets nothing from before its account was made", async () => {
  await using server = await FakeServer.start();
  const joe = await server.join("joe");
  await joe.ask({ type: "public", id: 10, text: "before" });
  const ann = await server.join("ann");
  await joe.ask({ type: "public", id: 11, text: "after" });
  const back = await server.resume(ann, 0);
  assertEquals(await received(server, back, 1), ["after"]);
  await assertNothing(server, back);
});

Deno.test("a request that comes again after the client came back is recognised", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  const sent = await joe.ask({ type: "public", id: 10, text: "once" });
  const back = await server.resume(joe);
  assertEquals(await back.ask({ type: "public", id: 10, text: "once" }), sent);
  const other = await back.ask({ type: "direct", id: 10, to: "ann", text: "once" });
  assertEquals([other["code"], other["id"]], ["duplicate-id", 10]);
  assertEquals(await received(server, ann, 1), ["once"]);
  await assertNothing(server, ann);
});

Deno.test("status says how far a message got, to its sender alone", async () => {
  await using server = await FakeServer.start();
  const [joe, ann, bob] = [
    await server.join("joe"),
    await server.join("ann"),
    await server.join("bob"),
  ];
  const second = await server.join("bob");
  await joe.ask({ type: "public", id: 10, text: "to all" });
  const status = async (message = 1) => {
    const answer = await joe.ask({ type: "status", id: 11, message });
    return answer["progress"] as Record<string, number>;
  };
  assertEquals(await status(), { users: 2, udp: 0, tcp: 0 });
  for (const client of [ann, bob, second]) await received(server, client, 1);
  for (const client of [bob, second]) {
    client.send({ type: "ack", delivered: 1 });
    await assertNothing(server, client);
  }
  assertEquals(await status(), { users: 2, udp: 0, tcp: 1 });
  // Who has gone without a word gets it when coming back.
  await disconnect(ann);
  assertEquals(await status(), { users: 1, udp: 0, tcp: 1 });
  const back = await server.resume(ann, 0);
  await received(server, back, 1);
  back.send({ type: "ack", delivered: 1 });
  await assertNothing(server, back);
  assertEquals(await status(), { users: 2, udp: 0, tcp: 2 });

  await joe.ask({ type: "direct", id: 12, to: "ann", text: "one" });
  assertEquals(await status(2), { users: 1, udp: 0, tcp: 0 });
  for (const [client, message] of [[joe, 99], [bob, 1]] as const) {
    const answer = await client.ask({ type: "status", id: 13, message });
    assertEquals([answer["code"], answer["id"]], ["no-such-message", 13]);
  }
});
