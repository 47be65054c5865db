// A client of several servers: which it goes to, when, and what it says there.
import { assertEquals, assertRejects } from "@std/assert";
import { ChatClient } from "../../lib/client/client.ts";
import type { ServerChoice } from "../../lib/client/servers.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { formatEndpoint } from "../../lib/net/connection.ts";
import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";

const KEY = "ab".repeat(32);
const DATA = { session: "11".repeat(8), protection: "plain", clientKey: KEY, serverKey: KEY };
const TOKEN = "cd".repeat(32);
const UNREACHABLE = new ExitError(ExitCode.unreachable, "nobody is there");
const STRANGER = new ExitError(ExitCode.identity, "a stranger is there");

/** Servers by name, as a client's choice, and what the client does. */
class FakeCluster implements ServerChoice {
  readonly clock = new FakeClock();
  /** What is tried, in this order. */
  order = ["a", "b", "c"];
  /** Those that can't be connected to, and why. */
  readonly away = new Map<string, ExitError>();
  /** What each says to a `resume`. */
  readonly refusals = new Map<string, string>();
  /** Every `resume` and request, with the server it came to. */
  readonly heard: string[] = [];
  readonly notices: string[] = [];
  readonly shown: string[] = [];
  /** Where was connected to, or tried. */
  readonly dialed: string[] = [];
  connections = new Map<string, FakeConnection>();

  round() {
    return this.order.map((name) => ({
      endpoint: { hostname: name, port: 1 },
      dial: () => {
        this.dialed.push(name);
        const away = this.away.get(name);
        if (away !== undefined) return Promise.reject(away);
        const connection = new FakeConnection();
        this.connections.set(name, connection);
        this.say(name, { type: "hello", protocol: PROTOCOL_VERSION, software: "test" });
        void this.#serve(name, connection);
        return Promise.resolve(connection);
      },
    }));
  }

  joined(): void {}

  learn(named: readonly { address: string }[]): Promise<void> {
    if (named.length > 0) this.order = named.map(({ address }) => address);
    return Promise.resolve();
  }

  say(server: string, record: Record<string, unknown>): void {
    this.connections.get(server)!.receive(JSON.stringify(record));
  }

  /** Answers what each login needs, and notes everything else. */
  async #serve(server: string, connection: FakeConnection): Promise<void> {
    for (let record; (record = await connection.taken()) !== undefined;) {
      const { type, id, last, text } = record;
      if (type === "hello" || type === "ack") continue;
      const code = this.refusals.get(server);
      if (type === "resume") this.heard.push(`${server}: resume ${id} from ${last}`);
      if (type === "public") this.heard.push(`${server}: public ${id} ${text}`);
      if (type === "resume" && code !== undefined) {
        this.say(server, { type: "error", id, code, message: code });
      } else if (type === "resume" || type === "authenticate") {
        const token = type === "authenticate" ? TOKEN : undefined;
        this.say(server, { type: "welcome", id, username: "joe", data: DATA, latest: 10, token });
      }
    }
  }

  open(): Promise<ChatClient> {
    return ChatClient.open({
      clock: this.clock,
      random: () => 1,
      servers: this,
      openSocket: () => undefined,
      onMessage: ({ text }) => void this.shown.push(text),
      onLost: ({ message }) => this.notices.push(`lost: ${message}`),
      onBack: ({ server, sent }) =>
        this.notices.push(
          `back${server ? ` at ${formatEndpoint(server)}` : ""}${sent ? ", sent" : ""}`,
        ),
    });
  }

  /** A client that has logged in at the first server. */
  async logIn(): Promise<ChatClient> {
    const client = await this.open();
    await client.authenticate("geheim");
    await this.settle();
    this.dialed.length = 0;
    return client;
  }

  /** Lets what is under way go as far as it can. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      this.clock.endTurn();
    }
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  /** Time passes until a session has settled. */
  async stay(): Promise<void> {
    await this.advance(5_000);
  }

  /** A server is killed. */
  async kill(server: string, why = UNREACHABLE): Promise<void> {
    this.away.set(server, why);
    this.connections.get(server)!.disconnect();
    await this.settle();
  }

  /** A server sends the client to others. */
  async sendTo(server: string, ...others: string[]): Promise<void> {
    const servers = others.map((address) => ({ address, port: 1 }));
    const message = "another server takes over";
    this.say(server, { type: "farewell", code: "server-closing", message, final: false, servers });
    this.away.set(server, UNREACHABLE);
    await this.settle();
  }
}

const LOST = "lost: the connection to the server was lost";

Deno.test("ChatClient goes on at another server when its own dies, and sends again what was not answered", async () => {
  const cluster = new FakeCluster();
  const client = await cluster.logIn();
  const message = { id: 11, from: "ann", sent: 1_769_851_800_000, text: "11" };
  cluster.say("a", { type: "deliver", number: 0, messages: [message] });
  const sent = client.publish("hello");
  await cluster.settle();
  await cluster.kill("a");
  assertEquals(cluster.notices, [LOST]);
  await cluster.advance(500);
  assertEquals(cluster.heard, ["a: public 2 hello", "b: resume 3 from 11", "b: public 2 hello"]);
  assertEquals(cluster.notices, [LOST, "back at b:1"]);
  cluster.say("b", { type: "sent", id: 2, message: 12 });
  assertEquals(await sent, 12);
  // What the other server delivers again is not shown again.
  const later = { ...message, id: 13, text: "13" };
  cluster.say("b", { type: "deliver", number: 0, messages: [message, later] });
  await cluster.settle();
  assertEquals(cluster.shown, ["11", "13"]);
  client.abort();
});

Deno.test("ChatClient tries all servers in one round, and waits between rounds", async () => {
  const cluster = new FakeCluster();
  const client = await cluster.logIn();
  for (const server of ["b", "c"]) cluster.away.set(server, UNREACHABLE);
  await cluster.kill("a");
  await cluster.advance(500);
  assertEquals(cluster.dialed, ["a", "b", "c"]);
  await cluster.advance(999);
  assertEquals(cluster.dialed.length, 3);
  cluster.away.delete("c");
  await cluster.advance(1);
  assertEquals(cluster.notices, [LOST, "back at c:1"]);
  client.abort();
});

Deno.test("ChatClient moves at once when its server sends it, and nothing is said of a loss", async () => {
  const cluster = new FakeCluster();
  const client = await cluster.logIn();
  await cluster.stay();
  await cluster.sendTo("a", "c", "b");
  assertEquals(cluster.heard, ["c: resume 2 from 10"]);
  assertEquals(cluster.notices, ["back at c:1, sent"]);
  // Servers that send it to and fro would keep it busy for ever.
  cluster.away.clear();
  await cluster.sendTo("c", "a", "b");
  assertEquals(cluster.heard.length, 1);
  await cluster.advance(1_000);
  assertEquals(cluster.notices.slice(1), ["lost: another server takes over", "back at a:1"]);
  client.abort();
});

Deno.test("ChatClient says that the connection is lost where nobody is where it was sent", async () => {
  const cluster = new FakeCluster();
  const client = await cluster.logIn();
  await cluster.stay();
  cluster.away.set("b", UNREACHABLE);
  await cluster.sendTo("a", "b");
  assertEquals(cluster.notices, ["lost: another server takes over"]);
  cluster.away.delete("b");
  await cluster.advance(500);
  assertEquals(cluster.notices.at(-1), "back at b:1");
  client.abort();
});

Deno.test("ChatClient passes over servers that refuse, or are not who they should be", async () => {
  const cluster = new FakeCluster();
  const client = await cluster.logIn();
  cluster.order = ["b", "a", "c"];
  cluster.away.set("b", STRANGER);
  cluster.refusals.set("a", "bad-token");
  cluster.connections.get("a")!.disconnect();
  await cluster.settle();
  await cluster.advance(500);
  assertEquals(cluster.heard, ["a: resume 2 from 10", "c: resume 3 from 10"]);
  assertEquals(cluster.notices, [LOST, "back at c:1"]);
  client.abort();
});

Deno.test("ChatClient ends when all servers refuse it, or some do again and again", async () => {
  const all = new FakeCluster();
  const refused = await all.logIn();
  for (const server of all.order) all.refusals.set(server, "bad-token");
  all.connections.get("a")!.disconnect();
  await all.settle();
  await all.advance(500);
  assertEquals((refused.signal.reason as ExitError).exitCode, ExitCode.refused);
  assertEquals(all.heard.length, 3);

  const some = new FakeCluster();
  const client = await some.logIn();
  some.refusals.set("b", "bad-token");
  some.away.set("c", UNREACHABLE);
  await some.kill("a");
  for (let round = 1; round <= 5; round++) {
    assertEquals(client.signal.aborted, false);
    await some.advance(500 * 2 ** (round - 1));
    assertEquals(some.heard.length, round);
  }
  assertEquals((client.signal.reason as ExitError).exitCode, ExitCode.refused);
});

Deno.test("ChatClient.open() takes the first server that is there, and says of each why not", async () => {
  const cluster = new FakeCluster();
  cluster.away.set("a", UNREACHABLE);
  const client = await cluster.open();
  assertEquals(cluster.dialed, ["a", "b"]);
  client.abort();
  for (const server of ["b", "c"]) cluster.away.set(server, UNREACHABLE);
  const error = await assertRejects(() => cluster.open(), ExitError);
  assertEquals(
    [error.exitCode, error.message],
    [
      ExitCode.unreachable,
      "none of the 3 servers can be joined: nobody is there; nobody is there; nobody is there",
    ],
  );
});

Deno.test("ChatClient.open() goes past no server that is not who it should be", async () => {
  const cluster = new FakeCluster();
  cluster.away.set("a", STRANGER);
  const error = await assertRejects(() => cluster.open(), ExitError);
  assertEquals(error.exitCode, ExitCode.identity);
  assertEquals(cluster.dialed, ["a"]);
});
