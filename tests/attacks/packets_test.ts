// Attacks by UDP. Each ends in a figure.
import { assert, assertEquals } from "@std/assert";
import type { Endpoint } from "../../lib/net/connection.ts";
import { type DatagramSocket, UdpSocket } from "../../lib/net/udp.ts";
import { PACKET_VERSION, PacketSealer, PacketType } from "../../lib/protocol/datagram.ts";
import { seededRandom } from "../helpers/lossy_link.ts";
import { startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { openUdp, RunningClient, RunningServer } from "../helpers/running_server.ts";

/** A client's socket that keeps what it sends, and tells when the path is bound. */
class Tapped implements DatagramSocket {
  readonly sent: Uint8Array[] = [];
  readonly bound = Promise.withResolvers<void>();
  readonly #socket: DatagramSocket;

  constructor(socket: DatagramSocket) {
    this.#socket = socket;
  }
  get port(): number {
    return this.#socket.port;
  }
  send(datagram: Uint8Array, to: Endpoint): void {
    this.sent.push(datagram.slice());
    this.#socket.send(datagram, to);
  }
  receive(take: (datagram: Uint8Array, from: Endpoint) => void): Promise<void> {
    return this.#socket.receive((datagram, from) => {
      if (datagram[1] === PacketType.bound) this.bound.resolve();
      take(datagram, from);
    });
  }
  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

/** Somebody else's socket, and what it gets. */
class Attacker implements Disposable {
  replies = 0;
  replyBytes = 0;
  sentBytes = 0;
  readonly #socket = new UdpSocket({ hostname: "127.0.0.1", port: 0 });
  readonly #server: Endpoint;

  constructor(server: Endpoint) {
    this.#server = server;
    void this.#socket.receive((datagram) => {
      this.replies++;
      this.replyBytes += datagram.length;
    });
  }
  send(datagram: Uint8Array): void {
    this.sentBytes += datagram.length;
    this.#socket.send(datagram, this.#server);
  }
  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

async function start() {
  const server = await RunningServer.start();
  let tapped: Tapped | undefined;
  const joe = await server.join("joe", (local) => tapped = new Tapped(openUdp(local)));
  const renew = await server.join("renew");
  await tapped!.bound.promise;
  return { server, joe, renew, socket: tapped! };
}

/** The chat goes on; what was sent before has been dealt with when this is done. */
async function chatGoesOn(renew: RunningClient, joe: RunningClient, count: number): Promise<void> {
  for (let i = 0; i < 5; i++) await renew.chat.publish("still here");
  await joe.received(count + 5);
}

Deno.test("attack: forged, repeated, reordered, cut, bit-flipped and oversized packets", async () => {
  const { server, joe, renew, socket } = await start();
  await using _server = server;
  using attacker = new Attacker(server.endpoint);
  await renew.chat.publish("one");
  await joe.received(1);
  const seen = [...socket.sent];
  assert(seen.length >= 2);
  const random = seededRandom(1);
  let packets = 0;
  const attack = (datagram: Uint8Array) => {
    packets++;
    attacker.send(datagram);
  };
  const key = "00".repeat(32);
  const session = seen[0]!.subarray(2, 10).toHex();
  const forger = new PacketSealer({ protection: "plain", session, key });
  for (const type of Object.values(PacketType)) {
    for (let i = 0; i < 50; i++) attack(forger.seal(type, new Uint8Array(i)));
  }
  for (const packet of [...seen, ...seen.toReversed()]) attack(packet);
  for (const packet of seen) {
    for (let length = 0; length < packet.length; length++) attack(packet.subarray(0, length));
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const flipped = packet.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      attack(flipped);
    }
    const oversized = new Uint8Array(2_000).map(() => random() * 256);
    oversized.set(packet);
    attack(oversized);
  }
  await chatGoesOn(renew, joe, 1);
  assertEquals(joe.messages.length, 6);
  assertEquals(attacker.replies, 0);
  console.log(`    ${packets} packets, ${attacker.replies} replies, chat undisturbed`);
});

Deno.test("attack: a captured bind, repeated from another address", async () => {
  const { server, joe, renew, socket } = await start();
  await using _server = server;
  using attacker = new Attacker(server.endpoint);
  const [bind] = socket.sent;
  assertEquals(bind![1], PacketType.bind);
  for (let i = 0; i < 100; i++) attacker.send(bind!);
  await chatGoesOn(renew, joe, 0);
  assertEquals([attacker.replies, joe.chat.bound], [0, true]);
  console.log(`    100 binds, ${attacker.replies} replies`);
});

Deno.test("attack: a bind from an address that does not answer, as if it were forged", async () => {
  await using server = await RunningServer.start();
  // The victim's address gets only what answers the packets that seem to come from it.
  using victim = new Attacker(server.endpoint);
  let packets: Uint8Array[] = [];
  const joe = await server.join("joe", (local) => {
    const socket = new Tapped(openUdp(local));
    packets = socket.sent;
    return { ...disposableParts(socket), send: (datagram) => void packets.push(datagram) };
  });
  const renew = await server.join("renew");
  for (const packet of packets) victim.send(packet);
  for (let i = 0; i < 100; i++) await renew.chat.publish("x".repeat(1_000));
  await joe.received(100);
  assert(victim.replies <= packets.length, `${victim.replies}`);
  assert(victim.replyBytes <= 3 * victim.sentBytes);
  const factor = (victim.replyBytes / victim.sentBytes).toFixed(2);
  console.log(
    `    100 kB of messages, ${victim.replyBytes} bytes to the victim: ${factor} times the bind`,
  );
});

/** A socket's receiving side. */
function disposableParts(socket: DatagramSocket) {
  return {
    port: socket.port,
    receive: socket.receive.bind(socket),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

Deno.test({
  name: "attack: 100,000 random packets",
  // The memory of another program is read as Linux shows it.
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await TempFolder.create();
    const { server, port } = await startServer(folder.path, "--plain");
    await using _server = server;
    const endpoint = { hostname: "127.0.0.1", port: Number(port) };
    const join = async (name: string) =>
      await RunningClient.join(() => Deno.connect(endpoint), name, openUdp);
    const [joe, renew] = [await join("joe"), await join("renew")];
    using attacker = new Attacker(endpoint);
    const random = seededRandom(7);
    const bytes = new Uint8Array(1_300).map(() => random() * 256);
    /** Sends 10,000, and then the chat goes on. */
    async function flood(part: number): Promise<void> {
      for (let i = 0; i < 10_000; i++) {
        const start = Math.floor(random() * 100);
        const packet = bytes.slice(start, start + Math.floor(random() * 1_200));
        // Half of them look like packets at first.
        if (i % 2 === 0 && packet.length > 1) packet[0] = PACKET_VERSION;
        attacker.send(packet);
        if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await chatGoesOn(renew, joe, part * 5);
    }
    await flood(0);
    const before = residentMiB(server.pid);
    for (let part = 1; part < 10; part++) await flood(part);
    const grown = residentMiB(server.pid) - before;
    const lines = server.stderr.split("\n").filter((line) => line.includes("dropped")).length;
    for (const { chat } of [joe, renew]) await chat.logout();
    assertEquals([attacker.replies, joe.messages.length], [0, 50]);
    assert(lines > 0 && lines < 20, `${lines} lines in the log`);
    assert(grown < 32, `${grown} MiB`);
    console.log(
      `    ${attacker.replies} replies, ${lines} lines in the log, the server's memory ` +
        `${grown.toFixed(1)} MiB more, chat undisturbed`,
    );
  },
});

function residentMiB(pid: number): number {
  // Deno itself reads nothing below /proc without every permission.
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).outputSync();
  const [, kib] = /VmRSS:\s*(\d+) kB/.exec(new TextDecoder().decode(stdout))!;
  return Number(kib) / 1_024;
}
