import { assert, assertEquals, assertRejects } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { formatEndpoint } from "../../lib/net/connection.ts";
import { type ByteStream, StreamConnection } from "../../lib/net/stream.ts";
import { UnwrittenBudget } from "../../lib/net/unwritten.ts";
import { WriteBuffers } from "../../lib/net/write_buffers.ts";
import { WriteTurns } from "../../lib/net/write_turns.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";

const ADDRESS = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;

/** A connection, and the bare other end of it. */
async function pair() {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [other, conn] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  return { connection: new StreamConnection(conn), other };
}

async function readAll(connection: StreamConnection): Promise<string[]> {
  const lines = [];
  for await (const batch of connection.batches()) lines.push(...batch);
  return lines;
}

Deno.test("StreamConnection.batches() gives lines until the other side ends", async () => {
  const { connection, other } = await pair();
  await other.write(new TextEncoder().encode("one\ntwo\nhalf"));
  other.close();
  assertEquals(await readAll(connection), ["one", "two"]);
  await connection.close();
});

Deno.test("StreamConnection.batches() refuses a line over the cap", async () => {
  const { connection, other } = await pair();
  connection.maxLineBytes = 10;
  await other.write(new TextEncoder().encode("12345678901"));
  await assertRejects(() => readAll(connection), ProtocolError, "longer than 10 bytes");
  other.close();
  await connection.close();
});

Deno.test("StreamConnection reads once a turn of who sends without a pause", async () => {
  const line = new TextEncoder().encode(`${"x".repeat(99)}\n`);
  let reads = 0;
  const endless: ByteStream = {
    localAddr: ADDRESS,
    remoteAddr: ADDRESS,
    read(buffer) {
      for (let at = 0; at < buffer.length; at += line.length) {
        buffer.set(line.subarray(0, buffer.length - at), at);
      }
      return Promise.resolve(++reads > 1_000 ? null : buffer.length);
    },
    write: (bytes) => Promise.resolve(bytes.length),
    closeWrite: () => Promise.resolve(),
    close() {},
  };
  for (const read of [readAll, (connection: StreamConnection) => connection.discard()]) {
    reads = 0;
    const all = read(new StreamConnection(endless));
    let turns = 0;
    const turn = () => {
      turns++;
      if (reads <= 1_000) setImmediate(turn);
    };
    setImmediate(turn);
    await all;
    assert(turns > 900, `${turns} turns for 1000 reads`);
  }
});

Deno.test("StreamConnection.discard() drops what comes, and notices the end", async () => {
  const { connection, other } = await pair();
  connection.maxLineBytes = 10;
  const ended = Promise.withResolvers<void>();
  connection.listener = { writable() {}, inputEnded: ended.resolve };
  await other.write(new TextEncoder().encode("12345678901"));
  await assertRejects(() => readAll(connection), ProtocolError);
  const discarded = connection.discard();
  connection.send("bye");
  await other.write(new Uint8Array(100_000));
  await other.closeWrite();
  await Promise.all([ended.promise, discarded]);
  const closed = connection.close();
  assertEquals(await toText(other.readable), "bye\n");
  await closed;
});

Deno.test("StreamConnection.close() delivers what was sent, though unread input is left", async () => {
  const { connection, other } = await pair();
  await other.write(new Uint8Array(100_000));
  const sent = Array.from({ length: 2_000 }, (_, index) => `line ${index} ${"x".repeat(100)}`);
  for (const line of sent) connection.send(line);
  const closed = connection.close();
  connection.send("after the end");
  const received = await toText(other.readable);
  assertEquals(received, sent.map((line) => `${line}\n`).join(""));
  await closed;
});

Deno.test("StreamConnection.abort() ends the lines, and closing twice is fine", async () => {
  const { connection, other } = await pair();
  const lines = readAll(connection);
  connection.abort();
  connection.abort();
  assertEquals(await lines, []);
  await connection.close();
  await connection.close();
  connection.send("nothing");
  other.close();
});

Deno.test("StreamConnection.send() cuts a peer off that takes nothing", async () => {
  const { connection, other } = await pair();
  const lines = readAll(connection);
  const line = "x".repeat(60_000);
  for (let sent = 0; sent < 9 * 1_024 * 1_024; sent += line.length) connection.send(line);
  assertEquals(await lines, []);
  other.close();
});

/** A stream whose writes are what a test makes of them. */
function manualStream() {
  const writes: (PromiseWithResolvers<number> & { bytes: Uint8Array })[] = [];
  const stream: ByteStream = {
    localAddr: ADDRESS,
    remoteAddr: ADDRESS,
    read: () => Promise.resolve(null),
    write: (bytes) => {
      writes.push({ bytes, ...Promise.withResolvers<number>() });
      return writes.at(-1)!.promise;
    },
    closeWrite: () => Promise.resolve(),
    close: () => {},
  };
  return { stream, writes };
}

Deno.test("StreamConnection leaves its buffer to others when a write is done, or has failed, and not before", async () => {
  const buffers = new WriteBuffers();
  const { stream, writes } = manualStream();
  const connect = () => new StreamConnection(stream, new UnwrittenBudget(), { buffers });
  const memory = () => writes.map(({ bytes }) => bytes.byteOffset);
  const [a, b, c] = [connect(), connect(), connect()];
  a.send("a".repeat(2_000));
  b.send("b".repeat(2_000));
  await Promise.resolve();
  writes[0]!.resolve(1_000);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(new TextDecoder().decode(writes[2]!.bytes), `${"a".repeat(1_000)}\n`);
  writes[2]!.resolve(1_001);
  writes[1]!.reject(new Error("the connection was reset"));
  await new Promise((resolve) => setTimeout(resolve));
  a.send("A".repeat(2_000));
  c.send("C".repeat(2_000));
  await Promise.resolve();
  assertEquals(new Set(memory().slice(3)), new Set(memory().slice(0, 2)));
  a.abort();
  c.abort();
});

Deno.test("StreamConnection tells its listener of the end when a write fails, also where nobody reads", async () => {
  const { stream, writes } = manualStream();
  const connection = new StreamConnection(stream);
  let ends = 0;
  connection.listener = { writable() {}, inputEnded: () => ends++ };
  connection.send("one");
  await Promise.resolve();
  assertEquals(ends, 0);
  writes[0]!.reject(new Error("the connection was reset"));
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals(ends, 1);
});

Deno.test("StreamConnection writes all that waits when it is its turn, and nothing after its end", async () => {
  const turn = Promise.withResolvers<void>();
  class LaterTurns extends WriteTurns {
    override wait = () => turn.promise;
  }
  const { stream, writes } = manualStream();
  const connect = () =>
    new StreamConnection(stream, new UnwrittenBudget(), { turns: new LaterTurns() });
  const [connection, ended] = [connect(), connect()];
  for (const one of [connection, ended]) one.send("first");
  await Promise.resolve();
  connection.send("second");
  ended.abort();
  assertEquals(writes.length, 0);
  turn.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(writes.map(({ bytes }) => new TextDecoder().decode(bytes)), ["first\nsecond\n"]);
  connection.abort();
});

Deno.test("StreamConnection.remote is the other side's end", async () => {
  const { connection, other } = await pair();
  assertEquals(formatEndpoint(connection.remote), formatEndpoint(other.localAddr));
  other.close();
  await connection.close();
});

Deno.test("formatEndpoint() shows mapped IPv4 addresses as IPv4, and IPv6 in brackets", () => {
  assertEquals(formatEndpoint({ hostname: "::ffff:10.0.0.1", port: 7 }), "10.0.0.1:7");
  assertEquals(formatEndpoint({ hostname: "::1", port: 7 }), "[::1]:7");
  assert(formatEndpoint({ hostname: "host", port: 7 }) === "host:7");
});
