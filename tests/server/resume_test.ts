import { assert, assertEquals } from "@std/assert";
import { assertNothing, disconnect, received } from "../helpers/deliveries.ts";
import { type FakeClient, FakeServer } from "../helpers/fake_server.ts";

Deno.test("a client that comes back takes the place of its session that seems to be there", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  const back = await server.resume(ann);
  assertEquals((await ann.next())["code"], "resumed");
  assertEquals(server.services.hub.users.sessionsOf("ann"), 1);
  const { message } = await joe.ask({ type: "public", id: 10, text: "one" });
  assertEquals(await received(server, back, 1), ["one"]);
  const again = await server.resume(back, message);
  await assertNothing(server, again);
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
  assertEquals(server.services.hub.users.sessionsOf("ann"), 1);
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
  const latest = ann.welcome["latest"] as number;
  const back = await server.resume(ann, latest + 1);
  assertEquals(back.welcome, {
    type: "error",
    id: 1,
    code: "no-such-message",
    message: `there is no message ${latest + 1} yet: the newest number is ${latest}`,
  });
  assertEquals((await server.resume(ann, 0)).welcome["type"], "welcome");
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
  const twin = await server.join("bob");
  const { message: first } = await joe.ask({ type: "public", id: 10, text: "to all" });
  const status = async (message = first) => {
    const answer = await joe.ask({ type: "status", id: 11, message });
    return answer["progress"] as Record<string, number>;
  };
  assertEquals(await status(), { users: 2, udp: 0, tcp: 0 });
  for (const client of [ann, bob, twin]) await received(server, client, 1);
  for (const client of [bob, twin]) {
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

  const { message: second } = await joe.ask({ type: "direct", id: 12, to: "ann", text: "one" });
  assertEquals(await status(second), { users: 1, udp: 0, tcp: 0 });
  for (const [client, message] of [[joe, 99], [bob, first]] as const) {
    const answer = await client.ask({ type: "status", id: 13, message });
    assertEquals([answer["code"], answer["id"]], ["no-such-message", 13]);
  }
});

Deno.test("coming back does not make an account's commands any faster", async () => {
  await using server = await FakeServer.start({ rate: { burst: 30, perSecond: 1 } });
  const ann = await server.join("ann");
  for (let id = 1; id <= 5; id++) await ann.ask({ type: "users", id });
  await disconnect(ann);
  await disconnect(await server.resume(ann));
  // 5 + 10 are gone, and coming back takes 10 again.
  const back = await server.resume(ann);
  for (let id = 10; id < 15; id++) assertEquals((await back.ask({ type: "users", id }))["id"], id);
  back.send({ type: "users", id: 15 });
  await assertSlow(server, back);
});

Deno.test("a new account of an old name may not ask how far the old one's messages got", async () => {
  await using server = await FakeServer.start();
  const joe = await server.join("joe");
  const { message } = await joe.ask({ type: "public", id: 1, text: "one" });
  await server.services.accounts.remove(["joe"]);
  await disconnect(joe);
  const heir = await server.join("joe");
  assertEquals((await heir.ask({ type: "status", id: 5, message }))["code"], "no-such-message");
});

Deno.test("coming back waits for no other session of the account, whatever that one asks for", async () => {
  await using server = await FakeServer.start({ rate: { burst: 10, perSecond: 10 } });
  const [flood, phone] = [await server.join("ann"), await server.join("ann")];
  for (let id = 1; id <= 100; id++) flood.send({ type: "users", id });
  await disconnect(phone);
  let back = false;
  server.resume(phone).then(() => back = true);
  const pass = async () => {
    server.clock.advance(100);
    await disconnect();
  };
  let ms = 0;
  for (; !back && ms < 5_000; ms += 100) await pass();
  // Until all have been served.
  for (let tenths = 0; tenths < 120; tenths++) await pass();
  assert(ms <= 2_000, `${ms} ms`);
});

Deno.test("a new account of a removed user's name gets nothing of the old one's, however it begins", async () => {
  await using server = await FakeServer.start();
  const [joe, bob] = [await server.join("joe"), await server.join("bob")];
  await disconnect(bob);
  await joe.ask({ type: "direct", id: 1, to: "bob", text: "secret" });
  await server.services.accounts.remove(["bob"]);
  // The registration ends as soon as there is the account.
  const { accounts } = server.services;
  const create = accounts.create;
  const client = await server.greet();
  accounts.create = async (...args) => {
    const created = await create.apply(accounts, args);
    client.session.end("server-closing", "the end");
    return created;
  };
  await client.ask({ type: "identify", id: 1, username: "bob" });
  await client.ask({ type: "register", id: 2, password: "bob" });
  accounts.create = create;
  const heir = await server.join("bob");
  assertEquals(heir.welcome["type"], "welcome");
  await assertNothing(server, heir);
  assertEquals((await heir.ask({ type: "history", id: 3, count: 9 }))["messages"], []);
});

/** The answer comes only when a second has passed. */
async function assertSlow(server: FakeServer, client: FakeClient): Promise<void> {
  const answer = client.next();
  let there = false;
  answer.then(() => there = true);
  for (let turn = 0; turn < 5; turn++) await disconnect();
  assertEquals(there, false);
  server.clock.advance(1_000);
  assertEquals((await answer)["type"], "users");
}
