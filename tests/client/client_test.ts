import { assert, assertEquals, assertRejects } from "@std/assert";
import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import { ChatClient } from "../../lib/client/client.ts";
import { RequestError } from "../../lib/client/session.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";
import { oneServer } from "../helpers/one_server.ts";

const KEY = "ab".repeat(32);
const DATA = { session: "11".repeat(8), protection: "plain", clientKey: KEY, serverKey: KEY };
const TOKEN = "cd".repeat(32);

/** The server's end of a client's connections, one after another. */
class FakePeer {
  readonly clock = new FakeClock();
  readonly shown: string[] = [];
  readonly notices: string[] = [];
  connection = new FakeConnection();
  /** How many connections were opened. */
  dials = 0;
  /** What the next dials fail with. */
  refusals: ExitError[] = [];

  async open(): Promise<ChatClient> {
    return await ChatClient.open({
      clock: this.clock,
      random: () => 1,
      servers: oneServer(() => {
        this.dials++;
        const refusal = this.refusals.shift();
        if (refusal !== undefined) return Promise.reject(refusal);
        this.connection = new FakeConnection();
        this.say({ type: "hello", protocol: PROTOCOL_VERSION, software: "test" });
        return Promise.resolve(this.connection);
      }),
      openSocket: () => undefined,
      onMessage: ({ text, late, deleted }) =>
        this.shown.push(deleted ? `deleted by ${deleted}` : late ? `${text} (late)` : text),
      onDeleted: ({ message, by }) => this.notices.push(`${by} deleted ${message}`),
      onLost: (reason) => this.notices.push(`lost: ${reason.message}`),
      onBack: () => this.notices.push("back"),
    });
  }

  /** A client that has logged in, with the answer to its password. */
  async logIn(welcome: Record<string, unknown> = { token: TOKEN }): Promise<ChatClient> {
    const client = await this.open();
    const login = client.authenticate("geheim");
    assertEquals((await this.heard())["type"], "hello");
    const { id } = await this.heard();
    this.say({ type: "welcome", id, username: "joe", data: DATA, latest: 10, ...welcome });
    await login;
    await this.settle();
    return client;
  }

  /** Lets what is under way go as far as it can. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.clock.endTurn();
    }
  }

  say(record: Record<string, unknown>): void {
    this.connection.receive(JSON.stringify(record));
  }

  deliver(number: number, id: number, more: Record<string, unknown> = {}): void {
    const message = { id, from: "ann", sent: 1_769_851_800_000, text: `${id}`, ...more };
    this.say({ type: "deliver", number, messages: [message] });
  }

  /** The next record that the client sent. */
  async heard(): Promise<Record<string, unknown>> {
    return await this.connection.taken() ?? {};
  }

  /** The connection breaks; the client waits for its next attempt. */
  async lose(): Promise<void> {
    this.connection.disconnect();
    await this.settle();
  }

  /** The client comes back; @returns its `resume` */
  async takeBack(): Promise<Record<string, unknown>> {
    this.clock.advance(500);
    await this.settle();
    assertEquals((await this.heard())["type"], "hello");
    const resume = await this.heard();
    this.say({ type: "welcome", id: resume["id"], username: "joe", data: DATA, latest: 12 });
    await this.settle();
    return resume;
  }
}

Deno.test("ChatClient comes back with its token and the last message it has shown", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  peer.deliver(0, 11);
  await peer.settle();
  await peer.lose();
  assertEquals(peer.notices, ["lost: the connection to the server was lost"]);
  const resume = await peer.takeBack();
  assertEquals(resume, { type: "resume", id: 2, username: "joe", token: TOKEN, last: 11 });
  assertEquals(peer.notices.at(-1), "back");
  // 12 was sent while it was away; 11 and the late one it has shown.
  peer.deliver(0, 12);
  peer.deliver(1, 13);
  await peer.settle();
  assertEquals(peer.shown, ["11", "12 (late)", "13"]);
  client.abort();
});

Deno.test("ChatClient shows a direct message once, however often it comes", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  peer.deliver(0, 11, { to: "joe" });
  peer.deliver(1, 5, { to: "joe", late: true });
  await peer.settle();
  await peer.lose();
  assertEquals((await peer.takeBack())["last"], 11);
  for (const [number, id] of [11, 5, 6].entries()) {
    peer.deliver(number, id, { to: "joe", late: true });
  }
  await peer.settle();
  assertEquals(peer.shown, ["11", "5 (late)", "6 (late)"]);
  // What it does not show again it acknowledges.
  peer.clock.advance(100);
  assertEquals(await peer.heard(), { type: "ack", delivered: 3 });
  client.abort();
});

Deno.test("ChatClient shows a direct message once that comes late first, and then in its turn", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  const direct = { to: "joe" };
  peer.deliver(0, 12, { ...direct, late: true });
  peer.deliver(1, 11);
  peer.deliver(2, 12, direct);
  peer.deliver(3, 13);
  await peer.settle();
  assertEquals(peer.shown, ["12 (late)", "11", "13"]);
  await peer.lose();
  assertEquals((await peer.takeBack())["last"], 13);
  client.abort();
});

Deno.test("ChatClient shows no text that was deleted while it was on its way", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  peer.say({ type: "deleted", message: 11, from: "ann", sent: 1, by: "bob" });
  peer.deliver(0, 11);
  peer.deliver(1, 12);
  await peer.settle();
  assertEquals(peer.notices, ["bob deleted 11"]);
  assertEquals(peer.shown, ["deleted by bob", "12"]);
  client.abort();
});

Deno.test("ChatClient stays away where the server says so while it comes back", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  await peer.lose();
  peer.clock.advance(500);
  await peer.settle();
  peer.say({ type: "farewell", code: "server-closing", message: "closed", final: true });
  await peer.settle();
  assertEquals(
    (client.signal.reason as ExitError).message,
    "the server ended the connection: closed",
  );
  assertEquals(peer.clock.timers, 0);
});

Deno.test("ChatClient sends again what was not answered, with the same ids and in order", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  const sent = [client.publish("one"), client.publish("two")];
  for (const text of ["one", "two"]) assertEquals((await peer.heard())["text"], text);
  await peer.lose();
  sent.push(client.publish("three"));
  await peer.takeBack();
  for (const [index, text] of ["one", "two", "three"].entries()) {
    const { type, id, text: heard } = await peer.heard();
    // 4 was the id of the resume.
    assertEquals([type, id, heard], ["public", [2, 3, 4][index], text]);
    peer.say({ type: "sent", id, message: 20 + index });
  }
  assertEquals(await Promise.all(sent), [20, 21, 22]);
  client.abort();
});

Deno.test("ChatClient tries longer and longer, and goes on where the server is there again", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  const nobody = new ExitError(ExitCode.unreachable, "nobody");
  peer.refusals = [nobody, nobody, nobody];
  await peer.lose();
  for (
    const [wait, dials] of [[499, 1], [1, 2], [1_000, 3], [2_000, 4], [3_999, 4], [1, 5]] as const
  ) {
    peer.clock.advance(wait);
    await peer.settle();
    assertEquals(peer.dials, dials);
  }
  assertEquals(peer.notices.length, 1);
  client.abort();
});

Deno.test("ChatClient gives up where there is no way back, and says why", async () => {
  const identity = new ExitError(ExitCode.identity, "somebody else");
  const cases: [(peer: FakePeer, resume: () => Promise<void>) => Promise<void>, number, string][] =
    [
      [
        async (peer, attempt) => {
          peer.refusals = [identity];
          await attempt();
        },
        5,
        "somebody else",
      ],
      [
        async (peer, attempt) => {
          await attempt();
          await peer.heard();
          const { id } = await peer.heard();
          peer.say({ type: "error", id, code: "bad-token", message: "too old" });
        },
        4,
        "does not let you back in without your password: too old",
      ],
    ];
  for (const [play, exitCode, why] of cases) {
    const peer = new FakePeer();
    const client = await peer.logIn();
    await peer.lose();
    const waiting = client.users();
    waiting.catch(() => {});
    await play(peer, async () => {
      peer.clock.advance(500);
      await peer.settle();
    });
    const error = await assertRejects(() => waiting, ExitError, why);
    assertEquals(error.exitCode, exitCode);
    assertEquals(client.signal.reason, error);
    await assertRejects(() => client.users(), ExitError, why);
    assertEquals(peer.clock.timers, 0);
  }
});

Deno.test("ChatClient gives up after 24 hours", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  const nobody = new ExitError(ExitCode.unreachable, "nobody is there");
  peer.refusals = Array(10_000).fill(nobody);
  await peer.lose();
  const end = Promise.withResolvers<void>();
  client.signal.addEventListener("abort", () => end.resolve());
  for (let minutes = 0; !client.signal.aborted; minutes++) {
    assert(minutes < 24 * 60 + 2);
    peer.clock.advance(60_000);
    await peer.settle();
  }
  assert(peer.clock.now() >= 24 * 3_600_000);
  assertEquals(client.signal.reason, nobody);
});

Deno.test("ChatClient does not come back without a token, or from a final farewell", async () => {
  const without = new FakePeer();
  const client = await without.logIn({});
  await without.lose();
  assertEquals((client.signal.reason as ExitError).exitCode, 3);

  const ended = new FakePeer();
  const other = await ended.logIn();
  ended.say({ type: "farewell", code: "server-closing", message: "closed", final: true });
  await ended.settle();
  assertEquals((other.signal.reason as ExitError).exitCode, 3);
  assertEquals([...without.notices, ...ended.notices], []);
  assertEquals([without.clock.timers, ended.clock.timers], [0, 0]);
});

Deno.test("ChatClient comes back after a farewell that is not final", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  peer.say({ type: "farewell", code: "too-slow", message: "too much waited", final: false });
  await peer.settle();
  assertEquals(peer.notices, ["lost: too much waited"]);
  assertEquals((await peer.takeBack())["last"], 10);
  client.abort();
});

Deno.test("ChatClient.logout() is done where the server knows of it, and only the answer was lost", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  const leaving = client.logout();
  assertEquals((await peer.heard())["type"], "logout");
  await peer.lose();
  peer.clock.advance(500);
  await peer.settle();
  await peer.heard();
  const { id } = await peer.heard();
  peer.say({ type: "error", id, code: "bad-token", message: "used up" });
  await leaving;
  assertEquals(peer.clock.timers, 0);
});

Deno.test("ChatClient.logout() waits three seconds for a server that is not there", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  await peer.lose();
  peer.refusals = Array(10).fill(new ExitError(ExitCode.unreachable, "nobody"));
  const leaving = client.logout();
  leaving.catch(() => {});
  for (let i = 0; i < 30; i++) {
    peer.clock.advance(100);
    await peer.settle();
  }
  const error = await assertRejects(() => leaving, ExitError, "did not answer the logout");
  assertEquals(error.exitCode, 3);
  assertEquals(peer.clock.timers, 0);
});

Deno.test("ChatClient passes on what the server refuses", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  const asked = client.findUser("nobody");
  const { id } = await peer.heard();
  peer.say({ type: "error", id, code: "no-such-user", message: "there is no such user" });
  await assertRejects(() => asked, RequestError, "there is no such user");
  client.abort();
});

Deno.test("ChatClient waits longer and longer for a server that lets it in and sends it away", async () => {
  const peer = new FakePeer();
  const client = await peer.logIn();
  const waits: number[] = [];
  for (let round = 0; round < 4; round++) {
    peer.say({ type: "farewell", code: "internal", message: "broken", final: false });
    await peer.settle();
    const lostAt = peer.clock.now();
    for (const { dials } = peer; peer.dials === dials;) {
      peer.clock.advance(100);
      await peer.settle();
    }
    waits.push(peer.clock.now() - lostAt);
    await peer.heard();
    const { id } = await peer.heard();
    peer.say({ type: "welcome", id, username: "joe", data: DATA, latest: 12 });
    await peer.settle();
  }
  assertEquals(waits, [500, 1_000, 2_000, 4_000]);
  client.abort();
});
