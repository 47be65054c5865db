// Attacks over TCP. Each ends in a figure.
import { assert, assertEquals } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { loadIdentity } from "../../lib/net/identity.ts";
import { dialTls } from "../../lib/net/tls_client.ts";
import { startServer } from "../helpers/programs.ts";
import { RunningServer } from "../helpers/running_server.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const HELLO = '{"type":"hello","protocol":2,"software":"attack"}\n';
const utf8 = new TextEncoder();

/** Sends bytes and reads to the end. */
async function talk(port: number, bytes: Uint8Array): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(bytes).catch(() => {});
  return await toText(conn.readable).catch(() => "");
}

function codes(answer: string): (string | undefined)[] {
  return answer.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line).code);
}

Deno.test("attack: a connection that never finishes TLS, the hello, the login, or a line", async () => {
  await using folder = await TempFolder.create();
  const limits = ["--handshake-seconds", "1", "--login-seconds", "5"];
  const { server, port } = await startServer(folder.path, ...limits);
  await using _server = server;
  const started = performance.now();
  // A TLS handshake that stops after its first bytes: the server just closes.
  const tls = await talk(Number(port), Uint8Array.of(0x16, 3, 1, 0, 200, 1));
  const tlsSeconds = (performance.now() - started) / 1_000;
  await server.matchError(/connection refused: no TLS handshake, from 127\.0\.0\.1/);
  assert(tlsSeconds < 10);
  assertEquals(tls.includes("hello"), false);

  await using plain = await RunningServer.start({ handshakeSeconds: 1, loginSeconds: 5 });
  const ends = await Promise.all([
    talk(plain.server.port, utf8.encode("")),
    talk(plain.server.port, utf8.encode('{"type":"hel')),
    talk(plain.server.port, utf8.encode(HELLO)),
    talk(plain.server.port, utf8.encode(`${HELLO}{"type":"identify","id":1,"username":"joe"}\n`)),
    talk(plain.server.port, utf8.encode(`${HELLO}{"type":"identify","id":1,"usern`)),
  ]);
  assertEquals(ends.map((answer) => codes(answer).at(-1)), Array(5).fill("timeout"));
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`    6 connections, all ended by the server within ${seconds} s`);
});

Deno.test("attack: a line of 100 MB", async () => {
  await using server = await RunningServer.start();
  const conn = await Deno.connect(server.endpoint);
  const chunk = new Uint8Array(1_000_000).fill(0x61);
  const answer = toText(conn.readable).catch(() => "");
  const before = Deno.memoryUsage().rss;
  let sent = 0;
  try {
    for (; sent < 100 * chunk.length;) sent += await conn.write(chunk);
  } catch {
    // The server has ended the connection.
  }
  const grown = (Deno.memoryUsage().rss - before) / 1_048_576;
  await answer;
  assert(sent < 100 * chunk.length, "the server took it all");
  assertEquals(server.log, [
    "refused: a line is longer than 8192 bytes, from 127.0.0.1",
  ]);
  console.log(`    ended after ${(sent / 1e6).toFixed(1)} of 100 MB, ${grown.toFixed(1)} MiB more`);
});

Deno.test("attack: JSON as deep as a line allows", async () => {
  await using server = await RunningServer.start();
  let refused = 0;
  for (const deep of ["[".repeat(8_000), `${"[".repeat(4_000)}${"]".repeat(4_000)}`]) {
    for (const line of [deep, `{"type":"users","id":${deep}}`, `{"type":${deep}}`]) {
      const answer = await talk(server.server.port, utf8.encode(`${HELLO}${line}\n`));
      assertEquals(codes(answer).slice(-2), ["bad-record", "protocol-error"]);
      refused++;
    }
  }
  const joe = await server.join("joe");
  assertEquals(await joe.chat.users(), ["joe"]);
  console.log(`    ${refused} of 6 lines refused, chat undisturbed`);
});

/** How long messages between fifty users take, in milliseconds: the median and the 99th percentile. */
async function chat(
  server: RunningServer,
  clients: Awaited<ReturnType<RunningServer["join"]>>[],
): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  for (let round = 0; round < 100; round++) {
    const sender = clients[round % clients.length]!;
    const receiver = clients[(round * 7 + 1) % clients.length]!;
    const expected = receiver.messages.length + 1;
    const started = performance.now();
    await sender.chat.direct(receiver.username, `${round}`);
    await receiver.received(expected);
    times.push(performance.now() - started);
  }
  assert(server.server.port > 0);
  times.sort((a, b) => a - b);
  return { p50: times[50]!, p99: times[99]! };
}

Deno.test("attack: 1,000 unfinished connections at once while 50 users chat", async () => {
  // Room for all of them, so that they are there while the chat is measured.
  const limits = { pending: 2_000, pendingPerAddress: 2_000, handshakeSeconds: 600 };
  await using server = await RunningServer.start(limits, { plain: false });
  const clients = await Promise.all(
    Array.from({ length: 50 }, (_, index) => server.join(`user${index}`)),
  );
  await chat(server, clients);
  const alone = await chat(server, clients);
  const { certificate } = await loadIdentity(server.folder.path);
  /** Every other one stops in the TLS handshake, the others in the hello or in the login. */
  async function stopHalfway(index: number): Promise<{ close(): void }> {
    if (index % 2 === 0) {
      const conn = await Deno.connect(server.endpoint);
      await conn.write(Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1));
      return conn;
    }
    const stream = await dialTls(server.endpoint, certificate);
    const half = ["", '{"type":"hello"', HELLO, `${HELLO}{"type":"identify","id":1,"usern`];
    await stream.write(utf8.encode(half[index % 4]!));
    return stream;
  }
  const attackers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => stopHalfway(i)));
  const attacked = await chat(server, clients);
  for (const conn of attackers) conn.close();
  const late = await server.join("late");
  assertEquals((await late.chat.users()).length, 51);
  const figure = ({ p50, p99 }: typeof alone) =>
    `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
  console.log(`    alone ${figure(alone)}; with 1,000 unfinished connections ${figure(attacked)}`);
});

Deno.test("attack: more unfinished connections than the limits allow", async () => {
  await using server = await RunningServer.start({ pending: 100, pendingPerAddress: 50 });
  const joe = await server.join("joe");
  const attackers = await Promise.all(
    Array.from({ length: 300 }, () => Deno.connect(server.endpoint)),
  );
  const ended = await Promise.all(attackers.map(async (conn) => {
    // Those that are let in are greeted; the others end without a word.
    const count = await conn.read(new Uint8Array(100)).catch(() => null);
    return count === null;
  }));
  const refused = ended.filter(Boolean).length;
  assertEquals(refused, 250);
  assertEquals(await joe.chat.users(), ["joe"]);
  for (const conn of attackers) conn.close();
  assertEquals(server.log.filter((line) => line.includes("too many are not logged in")).length, 5);
  console.log(`    ${refused} of 300 refused, 5 lines in the log, those who are in undisturbed`);
});

Deno.test("attack: connections that are reset in every state of TLS and the login", async () => {
  await using server = await RunningServer.start({}, { plain: false });
  const joe = await server.join("joe");
  const { certificate } = await loadIdentity(server.folder.path);
  const identify = `${HELLO}{"type":"identify","id":1,"username":"x"}\n`;
  const lines = ["{", "garbage\n", HELLO, identify, `${identify}{"type":"register","id":2,"pass`];
  let resets = 0;
  for (let round = 0; round < 20; round++) {
    await Promise.all(lines.map(async (text) => {
      const stream = await dialTls(server.endpoint, certificate);
      await stream.write(utf8.encode(text));
      // What the server has said is unread, so this is a reset.
      stream.close();
      resets++;
    }));
    const conn = await Deno.connect(server.endpoint);
    await conn.write(Uint8Array.of(0x16, 3, 1, 2, 0, 1));
    conn.close();
    resets++;
  }
  assertEquals(await joe.chat.users(), ["joe"]);
  const late = await server.join("late");
  assertEquals((await late.chat.users()).length, 2);
  assert(!server.log.some((line) => line.includes("unforeseen")), server.log.join("\n"));
  console.log(`    ${resets} resets, chat undisturbed`);
});

Deno.test("a line that is too long is answered with what was wrong", async () => {
  await using server = await RunningServer.start();
  using conn = await Deno.connect(server.endpoint);
  await conn.write(utf8.encode(HELLO));
  await conn.write(utf8.encode(`${" ".repeat(8_193)}\n`));
  const answer = await toText(conn.readable);
  const codes = answer.trim().split("\n").slice(1).map((line) => JSON.parse(line).code);
  assertEquals(codes, ["bad-record", "protocol-error"]);
});
