import { assert, assertEquals } from "@std/assert";
import { PacketOpener, PacketSealer, PacketType } from "../../lib/protocol/datagram.ts";
import { decodeFrames, encodeAck } from "../../lib/protocol/frames.ts";
import { Outbox } from "../../lib/server/outbox.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const here = { hostname: "127.0.0.1", port: 5_000 };
const there = { hostname: "192.0.2.1", port: 53 };
const message = new TextEncoder().encode('{"id":1}');

function open() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const sent: { datagram: Uint8Array; to: typeof here }[] = [];
  const outbox = new Outbox({
    clock,
    protection: "sealed",
    sendLine: (line) => lines.push(line),
    sendDatagram: (datagram, to) => sent.push({ datagram, to }),
    maxBacklogBytes: 1_000_000,
    overflow: () => {},
  });
  const { protection, session, clientKey, serverKey } = outbox.parameters;
  const sealer = new PacketSealer({ protection, session, key: clientKey });
  const opener = new PacketOpener({ protection, session, key: serverKey });
  const take = () => sent.splice(0).map(({ datagram, to }) => ({ ...opener.open(datagram)!, to }));
  return { clock, lines, sent, outbox, sealer, take };
}

function bind({ outbox, sealer, take }: ReturnType<typeof open>, from = here): void {
  outbox.receive(sealer.seal(PacketType.bind), from);
  const [challenge] = take();
  assertEquals([challenge?.type, challenge?.to], [PacketType.challenge, from]);
  outbox.receive(sealer.seal(PacketType.response, challenge!.payload), from);
  assertEquals(take().map(({ type, to }) => [type, to]), [[PacketType.bound, from]]);
}

Deno.test("Outbox.push() sends by UDP to the address that answered the challenge", () => {
  const all = open();
  bind(all);
  all.outbox.push(message);
  all.outbox.push(message);
  all.clock.endTurn();
  const [data, ...more] = all.take();
  assertEquals([data?.type, data?.to, more], [PacketType.data, here, []]);
  assertEquals(decodeFrames(data!.payload)?.map(({ number }) => number), [0, 1]);
  assertEquals(all.lines, []);
});

Deno.test("Outbox.receive() answers nothing to what does not authenticate, or was seen", () => {
  const { outbox, sealer, sent } = open();
  const packet = sealer.seal(PacketType.bind);
  const forged = packet.slice();
  forged[33]! ^= 1;
  outbox.receive(forged, there);
  outbox.receive(new Uint8Array(1_200), there);
  assertEquals(sent, []);
  outbox.receive(packet, here);
  assertEquals(sent.length, 1);
  outbox.receive(packet, there);
  assertEquals(sent.length, 1);
});

Deno.test("Outbox.receive() answers no bind that has a payload", () => {
  const { outbox, sealer, sent } = open();
  outbox.receive(sealer.seal(PacketType.bind, Uint8Array.of(1)), here);
  assertEquals(sent, []);
});

Deno.test("Outbox.receive() sends nothing but a challenge to an address that did not answer", () => {
  const all = open();
  const bindPacket = all.sealer.seal(PacketType.bind);
  all.outbox.receive(bindPacket, there);
  all.outbox.push(message);
  all.clock.advance(10_000);
  const toThere = all.sent.filter(({ to }) => to === there);
  assertEquals(toThere.length, 1);
  assert(toThere[0]!.datagram.length <= 3 * bindPacket.length);
  assertEquals(all.lines.length, 1);
});

Deno.test("Outbox.push() goes over TCP without a path, and after 3 s of silence", () => {
  const all = open();
  all.outbox.push(message);
  all.clock.endTurn();
  assertEquals(all.lines, ['{"type":"deliver","number":0,"message":{"id":1}}']);
  bind(all);
  all.outbox.push(message);
  all.clock.advance(3_000);
  assertEquals(all.lines.length, 2);
  all.take();
  all.outbox.push(message);
  all.clock.endTurn();
  assertEquals(all.take(), []);
  assertEquals(all.lines.length, 3);
  bind(all);
});

Deno.test("Outbox tries a path that fell silent again, and uses it as soon as there is an answer", () => {
  const all = open();
  bind(all);
  all.outbox.push(message);
  all.clock.advance(3_000);
  all.take();
  const challenges: number[] = [];
  let newest: Uint8Array | undefined;
  for (let ms = 100; ms <= 8_000; ms += 100) {
    all.clock.advance(100);
    for (const { type, payload, to } of all.take()) {
      assertEquals([type, to], [PacketType.challenge, here]);
      challenges.push(ms);
      newest = payload;
    }
  }
  assertEquals(challenges, [500, 1_500, 3_500, 7_500]);
  all.outbox.receive(all.sealer.seal(PacketType.response, newest!), here);
  all.outbox.push(message);
  all.clock.endTurn();
  assertEquals(all.take().map(({ type }) => type), [PacketType.bound, PacketType.data]);
});

Deno.test("Outbox.receive() stops waiting for what was acknowledged", () => {
  const all = open();
  bind(all);
  all.outbox.push(message);
  all.clock.endTurn();
  const [data] = all.take();
  const ack = encodeAck({ largest: data!.number, delay: 0, delivered: 1, ranges: [] });
  all.outbox.receive(all.sealer.seal(PacketType.ack, ack), here);
  assertEquals(all.clock.timers, 0);
  all.clock.advance(60_000);
  assertEquals([all.lines, all.take()], [[], []]);
});

Deno.test("Outbox.receive() follows the client to a new address", () => {
  const all = open();
  bind(all);
  bind(all, there);
  all.outbox.push(message);
  all.clock.endTurn();
  assertEquals(all.take().map(({ to }) => to), [there]);
});

Deno.test("Outbox.relief() waits for who takes messages, and not for who only says so", () => {
  const all = open();
  const big = new TextEncoder().encode(JSON.stringify("x".repeat(10_000)));
  for (let i = 0; i < 60; i++) all.outbox.push(big);
  all.clock.endTurn();
  assert(all.outbox.relief() !== undefined);
  // An acknowledgement of nothing new is no progress.
  for (let i = 0; i < 3; i++) {
    all.clock.advance(400);
    all.outbox.acknowledge(0);
  }
  assertEquals(all.outbox.relief(), undefined);
  all.outbox.acknowledge(1);
  assert(all.outbox.relief() !== undefined);
  // Nor is anybody waited for who takes one at a time for ever.
  for (let delivered = 2; delivered < 9; delivered++) {
    all.clock.advance(900);
    all.outbox.acknowledge(delivered);
  }
  assertEquals(all.outbox.relief(), undefined);
});

Deno.test("Outbox.drain() sends over TCP all that is not acknowledged, and then nothing", () => {
  const all = open();
  bind(all);
  all.outbox.push(message);
  all.clock.endTurn();
  all.outbox.push(message);
  all.outbox.drain();
  assertEquals(all.lines.map((line) => JSON.parse(line).number), [0, 1]);
  all.outbox.push(message);
  all.clock.advance(60_000);
  assertEquals(all.lines.length, 2);
  assertEquals(all.clock.timers, 0);
});
