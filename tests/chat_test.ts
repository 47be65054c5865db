// Server and clients together, over real sockets.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../lib/clock.ts";
import { ExitError } from "../lib/exit.ts";
import type { Endpoint } from "../lib/net/connection.ts";
import { type DatagramSocket, UdpSocket } from "../lib/net/udp.ts";
import { PacketType } from "../lib/protocol/datagram.ts";
import { ChatServer } from "../lib/server/server.ts";
import type { BreakableStream } from "./helpers/breakable_stream.ts";
import { seededRandom } from "./helpers/lossy_link.ts";
import { openUdp, RunningServer } from "./helpers/running_server.ts";

/** A socket that lets a test see, or lose, what comes. */
class WatchedSocket implements DatagramSocket {
  readonly #socket: DatagramSocket;
  readonly #watch: (datagram: Uint8Array) => boolean;

  /** @param watch whether the datagram gets through */
  constructor(socket: DatagramSocket, watch: (datagram: Uint8Array) => boolean) {
    this.#socket = socket;
    this.#watch = watch;
  }
  get port(): number {
    return this.#socket.port;
  }
  send(datagram: Uint8Array, to: Endpoint): void {
    this.#socket.send(datagram, to);
  }
  receive(take: (datagram: Uint8Array, from: Endpoint) => void): Promise<void> {
    return this.#socket.receive((datagram, from) => {
      if (this.#watch(datagram)) take(datagram, from);
    });
  }
  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

/** Whether another UDP socket has a port, so that the client had to take another one. */
function isTaken(port: number): boolean {
  try {
    new UdpSocket({ hostname: "127.0.0.1", port })[Symbol.dispose]();
    return false;
  } catch {
    return true;
  }
}

const text = (datagram: Uint8Array) => new TextDecoder().decode(datagram);

Deno.test("a message between two clients travels by UDP, on the TCP connection's port", async () => {
  await using server = await RunningServer.start();
  const bound = Promise.withResolvers<void>();
  const packets: Uint8Array[] = [];
  let ports: number[] = [];
  const joe = await server.join("joe", (local) => {
    const socket = openUdp(local);
    ports = [local.port, socket.port];
    return new WatchedSocket(socket, (datagram) => {
      if (datagram[1] === PacketType.bound) bound.resolve();
      if (datagram[1] === PacketType.data) packets.push(datagram.slice());
      return true;
    });
  });
  const renew = await server.join("renew");
  await bound.promise;
  await renew.chat.publish("Hello guys");
  const [message] = await joe.received(1);
  assertEquals([message?.from, message?.text], ["renew", "Hello guys"]);
  assertEquals(packets.length, 1);
  assert(text(packets[0]!).includes("Hello guys"));
  assert(ports[0] === ports[1] || isTaken(ports[0]!), `${ports}`);
});

Deno.test("a message reaches a client that has no UDP, or whose UDP is blocked", async () => {
  await using server = await RunningServer.start();
  const without = await server.join("without", () => undefined);
  const blocked = await server.join(
    "blocked",
    (local) => new WatchedSocket(openUdp(local), () => false),
  );
  const renew = await server.join("renew");
  await renew.chat.publish("one");
  await renew.chat.direct("blocked", "two");
  assertEquals((await without.received(1)).map((m) => m.text), ["one"]);
  assertEquals((await blocked.received(2)).map((m) => m.text), ["one", "two"]);
});

Deno.test("messages reach a client whose UDP stops in the middle", async () => {
  await using server = await RunningServer.start();
  const bound = Promise.withResolvers<void>();
  let open = true;
  const joe = await server.join("joe", (local) =>
    new WatchedSocket(openUdp(local), (datagram) => {
      if (datagram[1] === PacketType.bound) bound.resolve();
      return open;
    }));
  const renew = await server.join("renew");
  await bound.promise;
  for (let i = 0; i < 50; i++) {
    if (i === 25) open = false;
    await renew.chat.direct("joe", `${i}`);
  }
  const messages = await joe.received(50);
  assertEquals(messages.map((m) => m.text), Array.from({ length: 50 }, (_, i) => `${i}`));
});

Deno.test("fifty sessions each get what is theirs, once and in order", async () => {
  await using server = await RunningServer.start();
  const names = Array.from({ length: 50 }, (_, i) => `user${i}`);
  const clients = await Promise.all(names.map((name) => server.join(name)));
  const rounds = 4;
  await Promise.all(clients.map(async ({ chat, username }, index) => {
    for (let round = 0; round < rounds; round++) {
      await chat.publish(`public ${username} ${round}`);
      await chat.direct(names[(index + round + 1) % 50]!, `direct ${username} ${round}`);
    }
  }));
  for (const [index, client] of clients.entries()) {
    const expected = names.flatMap((name, sender) =>
      Array.from({ length: rounds }, (_, round) => [
        ...(sender === index ? [] : [`public ${name} ${round}`]),
        ...((sender + round + 1) % 50 === index ? [`direct ${name} ${round}`] : []),
      ]).flat()
    );
    const messages = await client.received(expected.length);
    // Everything that is still on its way comes before the end.
    await client.chat.logout();
    assertEquals(messages.map((m) => m.text).toSorted(), expected.toSorted());
    assertEquals(messages.map((m) => m.id), messages.map((m) => m.id).toSorted((a, b) => a - b));
    for (const { text, from } of messages) assertEquals(text.split(" ")[1], from);
  }
});

Deno.test("a client that leaves gets everything before the end", async () => {
  await using server = await RunningServer.start();
  const joe = await server.join("joe");
  const renew = await server.join("renew");
  const texts = Array.from({ length: 300 }, (_, i) => `${i} ${"x".repeat(i)}`);
  await Promise.all(texts.map((text) => renew.chat.publish(text)));
  await joe.chat.logout();
  assertEquals(joe.messages.map((m) => m.text), texts);
});

Deno.test("ChatServer.close() tells the clients, and is not kept waiting by one that is deaf", async () => {
  await using server = await RunningServer.start();
  const joe = await server.join("joe");
  using _deaf = await Deno.connect(server.endpoint);
  await server.server.close({ final: true });
  await joe.chat.closed;
  assertEquals(
    joe.chat.signal.reason.message,
    "the server ended the connection: the server was shut down",
  );
  await assertRejects(() => Deno.connect(server.endpoint), Deno.errors.ConnectionRefused);
});

Deno.test("clients come back by themselves when the server does, and miss nothing", async () => {
  await using server = await RunningServer.start({}, { plain: false });
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await joe.chat.publish("before");
  await ann.received(1);
  let waiting: Promise<unknown>[] = [];
  await server.restart(() => {
    // What is typed meanwhile goes out as soon as it can.
    waiting = [joe.chat.publish("meanwhile"), joe.chat.direct("ann", "to her")];
    return Promise.resolve();
  });
  await Promise.all(waiting);
  await Promise.all([joe.back(1), ann.back(1)]);
  await joe.chat.publish("after");
  await ann.received(4);
  assertEquals(ann.messages.map(({ text }) => text), ["before", "meanwhile", "to her", "after"]);
  assertEquals(ann.notices, ["the server was shut down", "back"]);
});

Deno.test("connections that break at random moments lose nothing, and nothing comes twice", async () => {
  await using server = await RunningServer.start();
  const random = seededRandom(4);
  const streams = new Map<string, BreakableStream>();
  const names = ["ann", "bob", "joe", "renew"];
  const clients = await Promise.all(
    names.map((name) => server.join(name, openUdp, (stream) => streams.set(name, stream))),
  );
  let cuts = 0;
  let done = false;
  const cutting = (async () => {
    while (!done) {
      await new Promise((resolve) => setTimeout(resolve, random() * 100));
      if (streams.get(names[Math.floor(random() * names.length)]!)!.cut()) cuts++;
    }
  })();
  const sent = await Promise.all(clients.map(async ({ chat, username }, index) => {
    const to = names[(index + 1) % names.length]!;
    for (let i = 0; i < 100; i++) {
      await chat.publish(`${username} to all ${i}`);
      await chat.direct(to, `${username} to ${to} ${i}`);
    }
    return to;
  }));
  done = true;
  await cutting;
  for (const [index, client] of clients.entries()) {
    const expected = names.flatMap((name, sender) =>
      Array.from({ length: 100 }, (_, i) => [
        ...(sender === index ? [] : [`${name} to all ${i}`]),
        ...(sent[sender] === client.username ? [`${name} to ${client.username} ${i}`] : []),
      ]).flat()
    );
    const received = (await client.received(expected.length)).map(({ text }) => text);
    assertEquals(received.toSorted(), expected.toSorted());
    const inOrder = client.messages.filter(({ late }) => !late).map(({ id }) => id);
    assertEquals(inOrder, inOrder.toSorted((a, b) => a - b));
  }
  console.log(`    ${cuts} connections cut, 800 messages, each shown once to everybody it was for`);
});

Deno.test("ChatServer.start() refuses a data folder that another server has", async () => {
  await using server = await RunningServer.start();
  const error = await assertRejects(
    () =>
      ChatServer.start({
        port: 0,
        hostname: "127.0.0.1",
        folder: server.folder.path,
        plain: true,
        cost: { ln: 1, r: 8, p: 1 },
        clock: systemClock,
        log: () => {},
      }),
    ExitError,
    "is in use by another chatserver",
  );
  assertEquals(error.exitCode, 4);
});
