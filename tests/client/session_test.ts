import { assert, assertEquals, assertRejects } from "@std/assert";
import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import { ClientSession, LostError, RequestError } from "../../lib/client/session.ts";
import { ExitError } from "../../lib/exit.ts";
import type { Message } from "../../lib/protocol/records.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";

const HELLO = { type: "hello", protocol: PROTOCOL_VERSION, software: "test" };

function start(firstLine?: string) {
  const clock = new FakeClock();
  const connection = new FakeConnection();
  const messages: Message[] = [];
  const opening = ClientSession.open(connection, {
    clock,
    openSocket: () => undefined,
    onWelcome: () => {},
    onMessage: (message) => messages.push(message),
  });
  if (firstLine !== undefined) connection.receive(firstLine);
  return { clock, connection, messages, opening };
}

async function open() {
  const { opening, ...rest } = start(JSON.stringify(HELLO));
  const session = await opening;
  await rest.connection.taken();
  const answer = (record: Record<string, unknown>) =>
    rest.connection.receive(JSON.stringify(record));
  return { ...rest, session, answer };
}

Deno.test("ClientSession.open() says that something else is no chat server", async () => {
  const others = [
    '{"type":"later"}',
    "SSH-2.0-OpenSSH_9.2",
    "HTTP/1.1 400 Bad Request\r",
    '{"type":"ping"}',
    "7",
  ];
  for (const line of others) {
    const { opening, clock } = start(line);
    const error = await assertRejects(
      () => opening,
      ExitError,
      "127.0.0.1:40000 is no chat server",
    );
    assertEquals(error.exitCode, 3);
    assertEquals(clock.timers, 0);
  }
});

Deno.test("ClientSession.open() waits 10 s for a hello", async () => {
  const { opening, clock } = start();
  clock.advance(10_000);
  await assertRejects(() => opening, ExitError, "is no chat server: it says nothing");
});

Deno.test("ClientSession.open() refuses another version of the protocol", async () => {
  const { opening } = start(JSON.stringify({ ...HELLO, protocol: 3 }));
  const error = await assertRejects(() => opening, ExitError, "speaks protocol version 3");
  assertEquals(error.exitCode, 4);
});

Deno.test("ClientSession ignores a record of a type that only later versions know", async () => {
  const { session, answer } = await open();
  const users = session.request({ type: "users", id: 1 }, "users");
  answer({ type: "later", id: 1, what: [] });
  answer({ type: "users", id: 1, users: ["joe"] });
  assertEquals((await users).users, ["joe"]);
  session.abort();
});

Deno.test("ClientSession gives each answer to its own request, in any order", async () => {
  const { session, answer, connection } = await open();
  const users = session.request({ type: "users", id: 1 }, "users");
  const found = session.request({ type: "user", id: 2, username: "JOE" }, "user");
  assertEquals(await connection.taken(), { type: "users", id: 1 });
  assertEquals(await connection.taken(), { type: "user", id: 2, username: "JOE" });
  answer({ type: "user", id: 2, username: "joe", active: true });
  answer({ type: "users", id: 1, users: ["joe"] });
  assertEquals((await found).username, "joe");
  assertEquals((await users).users, ["joe"]);
  session.abort();
});

Deno.test("ClientSession rejects a refused request, and goes on", async () => {
  const { session, answer } = await open();
  const refused = session.request({ type: "authenticate", id: 1, password: "x" }, "welcome");
  answer({ type: "error", id: 1, code: "wrong-password", message: "wrong password", attempts: 2 });
  const error = await assertRejects(() => refused, RequestError, "wrong password");
  assertEquals([error.code, error.attempts], ["wrong-password", 2]);
  const users = session.request({ type: "users", id: 2 }, "users");
  answer({ type: "users", id: 2, users: [] });
  assertEquals((await users).users, []);
  session.abort();
});

Deno.test("ClientSession ends with the reason of the farewell, and every request with it", async () => {
  const exitCodes = { "server-closing": 3, "too-many-attempts": 4, "too-slow": 3, "timeout": 3 };
  for (const [code, exitCode] of Object.entries(exitCodes)) {
    const { session, answer, clock } = await open();
    const ask = () => session.request({ type: "users", id: 1 }, "users");
    const request = ask();
    answer({ type: "farewell", code, message: "because", final: true });
    const error = await assertRejects(() => request, ExitError, "because");
    assertEquals(error.exitCode, exitCode);
    assertEquals(session.signal.reason, error);
    await session.closed;
    await assertRejects(ask, ExitError, "because");
    assertEquals(clock.timers, 0);
  }
});

Deno.test("ClientSession tells an end that is not final from one that is", async () => {
  for (const final of [true, false]) {
    const { session, answer } = await open();
    answer({ type: "farewell", code: "server-closing", message: "because", final });
    await session.closed;
    assertEquals(session.signal.reason instanceof LostError, !final);
  }
});

Deno.test("ClientSession says that the connection was lost", async () => {
  const { session, connection } = await open();
  connection.disconnect();
  await session.closed;
  assert(session.signal.reason instanceof LostError);
});

Deno.test("ClientSession gives up a silent server after 30 s", async () => {
  const { session, clock, connection } = await open();
  clock.advance(15_000);
  assertEquals(await connection.taken(), { type: "ping" });
  clock.advance(15_000);
  assert(session.signal.aborted);
  assert(String(session.signal.reason).includes("nothing was heard"));
});

Deno.test("ClientSession gives what is delivered over TCP, in order, and acknowledges it", async () => {
  const { session, answer, connection, messages, clock } = await open();
  const login = session.request({ type: "register", id: 1, password: "x" }, "welcome");
  await connection.taken();
  const [key, data] = ["ab".repeat(32), "11".repeat(8)];
  answer({
    type: "welcome",
    id: 1,
    username: "joe",
    data: { session: data, protection: "plain", clientKey: key, serverKey: key },
    latest: 0,
  });
  assertEquals((await login).username, "joe");
  clock.endTurn();
  const message = { from: "renew", sent: 1_769_851_800_000 };
  for (const number of [1, 0, 1, 2]) {
    answer({
      type: "deliver",
      number,
      messages: [{ id: number + 1, ...message, text: `${number}` }],
    });
  }
  const pinged = connection.taken();
  answer({ type: "ping" });
  assertEquals(await pinged, { type: "pong" });
  assertEquals(messages.map(({ text }) => text), ["0", "1", "2"]);
  clock.advance(100);
  assertEquals(await connection.taken(), { type: "ack", delivered: 3 });
  session.abort();
});

Deno.test("ClientSession says that it can't understand a server that breaks the protocol", async () => {
  const { session, connection } = await open();
  connection.receive('{"type":"deliver"}');
  await session.closed;
  const reason = session.signal.reason as ExitError;
  assertEquals([reason.exitCode, reason.message], [
    3,
    `the server can't be understood: "number" must be an integer from 0 to 2^53 - 1`,
  ]);
});
