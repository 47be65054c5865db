import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import { assert, assertEquals } from "@std/assert";
import { FakeServer } from "../helpers/fake_server.ts";

Deno.test("a new user registers, and is found again in another spelling", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  assertEquals(await client.ask({ type: "identify", id: 1, username: "Renew" }), {
    type: "identified",
    id: 1,
    username: "Renew",
    exists: false,
    attempts: 3,
  });
  const welcome = await client.ask({ type: "register", id: 2, password: "geheim" });
  assertEquals([welcome["type"], welcome["id"], welcome["username"]], ["welcome", 2, "Renew"]);

  const again = await server.greet();
  const identified = await again.ask({ type: "identify", id: 1, username: "RENEW" });
  assertEquals([identified["username"], identified["exists"]], ["Renew", true]);
  const second = await again.ask({ type: "authenticate", id: 2, password: "geheim" });
  assertEquals(second["type"], "welcome");
  assertEquals(server.services.hub.users.names, ["Renew"]);
});

Deno.test("the third wrong password ends the session", async () => {
  await using server = await FakeServer.start();
  await server.join("joe");
  const client = await server.greet();
  await client.ask({ type: "identify", id: 1, username: "joe" });
  for (const attempts of [2, 1, 0]) {
    const answer = await client.ask({ type: "authenticate", id: 9, password: "wrong" });
    assertEquals([answer["code"], answer["attempts"]], ["wrong-password", attempts]);
  }
  assertEquals((await client.next())["code"], "too-many-attempts");
  assertEquals(await client.next(), {});
  assert(client.connection.closed);
  assertEquals(
    server.log.filter((line) => line.includes("refused: wrong password (joe)")).length,
    3,
  );
  assert(!server.log.some((line) => line.includes('wrong"') || line.includes("Password=")));
});

Deno.test("of two that register one name the second is asked as an existing user", async () => {
  await using server = await FakeServer.start();
  const clients = [await server.greet(), await server.greet()];
  for (const client of clients) await client.ask({ type: "identify", id: 1, username: "joe" });
  const answers = await Promise.all(
    clients.map((client, index) => client.ask({ type: "register", id: 2, password: `p${index}` })),
  );
  assertEquals(answers.map((answer) => answer["code"] ?? answer["type"]).toSorted(), [
    "name-taken",
    "welcome",
  ]);
  const loser = answers[0]!["type"] === "error" ? 0 : 1;
  const password = `p${1 - loser}`;
  const answer = await clients[loser]!.ask({ type: "authenticate", id: 3, password });
  assertEquals(answer["type"], "welcome");
});

Deno.test("a name or a password against the rules may be named again", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  const refused = await client.ask({ type: "identify", id: 1, username: "a b\u001b[2J" });
  assertEquals([refused["id"], refused["code"]], [1, "bad-username"]);
  assertEquals(server.log, [
    'login refused: a username has 1 to 32 letters, digits, ".", "_" or "-" (a b<U+001B>[2J), ' +
    "from 127.0.0.1",
  ]);
  assertEquals((await client.ask({ type: "identify", id: 2, username: "ab" }))["exists"], false);
  const empty = await client.ask({ type: "register", id: 3, password: "" });
  assertEquals([empty["id"], empty["code"]], [3, "bad-password"]);
  const welcome = await client.ask({ type: "register", id: 4, password: "x" });
  assertEquals(welcome["type"], "welcome");
});

Deno.test("an account has only so many sessions, and a right password is no wrong one", async () => {
  await using server = await FakeServer.start();
  for (let i = 0; i < 16; i++) await server.join("joe");
  const client = await server.greet();
  await client.ask({ type: "identify", id: 1, username: "joe" });
  for (let i = 0; i < 5; i++) {
    const answer = await client.ask({ type: "authenticate", id: 2, password: "joe" });
    assertEquals([answer["id"], answer["code"]], [2, "too-many-sessions"]);
  }
});

Deno.test("a client has little to say before the login", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  for (let i = 0; i < 99; i++) assertEquals((await client.ask({ type: "ping" }))["type"], "pong");
  assertEquals((await client.ask({ type: "ping" }))["code"], "protocol-error");
  assertEquals(server.log, ["refused: too many records before the login, from 127.0.0.1"]);
});

Deno.test("what is out of place before the login counts as well", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  for (let id = 1; id < 100; id++) {
    assertEquals((await client.ask({ type: "users", id }))["code"], "wrong-state");
  }
  assertEquals((await client.ask({ type: "users", id: 100 }))["code"], "protocol-error");
});

Deno.test("a client that says what is no record, and closes its side at once, is told so", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  client.connection.receive("nonsense");
  client.connection.disconnect();
  assertEquals((await client.next())["code"], "bad-record");
  assertEquals((await client.next())["code"], "protocol-error");
  assertEquals(server.log, ["refused: a line is not JSON, from 127.0.0.1"]);
});

Deno.test("clients that go while their password waits for its turn are no trouble of the disk's", async () => {
  await using server = await FakeServer.start();
  await (await server.join("joe")).ask({ type: "logout", id: 9 });
  const clients = [];
  for (let more = 0; more < 12; more++) {
    const client = await server.greet();
    await client.ask({ type: "identify", id: 1, username: "joe" });
    clients.push(client);
  }
  for (const client of clients) {
    client.send({ type: "authenticate", id: 2, password: "joe" });
    client.connection.disconnect();
  }
  for (const client of clients) while ((await client.next())["type"] !== undefined);
  assertEquals(server.log.filter((line) => !line.startsWith("joe ")), []);
});

Deno.test("a login does not run into its time limit when it is done", async () => {
  await using server = await FakeServer.start({ rate: { burst: 1, perSecond: 1 } });
  const client = await server.join("joe");
  for (let id = 3; id < 8; id++) client.send({ type: "users", id });
  const types = [];
  for (let s = 0; s < 300; s++) {
    server.clock.advance(1_000);
    client.send({ type: "pong" });
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  }
  client.connection.disconnect();
  for (let next; (next = await client.next())["type"] !== undefined;) types.push(next["type"]);
  assertEquals(types.filter((type) => type !== "ping"), Array(5).fill("users"));
});

Deno.test("another version of the protocol is refused", async () => {
  await using server = await FakeServer.start();
  const client = await server.connect();
  const error = await client.ask({
    type: "hello",
    protocol: PROTOCOL_VERSION + 1,
    software: "test",
  });
  assertEquals(error["code"], "unsupported-protocol");
  assertEquals((await client.next())["code"], "protocol-error");
  assert(client.connection.closed);
});

Deno.test("a client has 10 s to say hello and 180 s to log in", async () => {
  await using server = await FakeServer.start();
  const silent = await server.connect();
  server.clock.advance(9_999);
  assert(!silent.connection.closed);
  server.clock.advance(1);
  assertEquals((await silent.next())["code"], "timeout");

  const slow = await server.greet();
  await slow.ask({ type: "ping" });
  for (let s = 0; s < 170; s += 10) {
    server.clock.advance(10_000);
    while ((await slow.ask({ type: "ping" }))["type"] !== "pong");
  }
  server.clock.advance(9_999);
  assert(!slow.connection.closed);
  server.clock.advance(1);
  assert(slow.connection.closed);
});

Deno.test("the login's time limit stands still while a password is hashed", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  await client.ask({ type: "identify", id: 1, username: "joe" });
  const { accounts } = server.services;
  const started = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const create = accounts.create.bind(accounts);
  accounts.create = async (username, password) => {
    started.resolve();
    await go.promise;
    return create(username, password);
  };
  client.send({ type: "register", id: 2, password: "x" });
  await started.promise;
  server.clock.advance(600_000);
  assert(!client.connection.closed);
  go.resolve();
  let answer = await client.next();
  while (answer["type"] === "ping") answer = await client.next();
  assertEquals(answer["type"], "welcome");
});
