import { assert, assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { PacketType } from "../../lib/protocol/datagram.ts";
import { DeliveryReceiver } from "../../lib/protocol/delivery_receiver.ts";
import { decodeData, encodeAck } from "../../lib/protocol/payloads.ts";
import { acknowledge, bind, here, openOutbox, RECORD, sendOne, there } from "../helpers/outbox.ts";

Deno.test("Outbox.push() sends by UDP to the address that answered the challenge", () => {
  const all = openOutbox();
  bind(all);
  all.push();
  all.push();
  all.clock.endTurn();
  const [data, ...more] = all.take();
  assertEquals([data?.type, data?.to, more], [PacketType.data, here, []]);
  const { number, records } = decodeData(data!.payload)!;
  assertEquals([number, new TextDecoder().decode(records)], [0, `${RECORD},${RECORD}`]);
  assertEquals(all.lines, []);
});

Deno.test("Outbox.receive() answers nothing to what does not authenticate, or was seen", () => {
  const { outbox, sealer, sent } = openOutbox();
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
  const { outbox, sealer, sent } = openOutbox();
  outbox.receive(sealer.seal(PacketType.bind, Uint8Array.of(1)), here);
  assertEquals(sent, []);
});

Deno.test("Outbox.receive() sends nothing but a challenge to an address that did not answer", () => {
  const all = openOutbox();
  const bindPacket = all.sealer.seal(PacketType.bind);
  all.outbox.receive(bindPacket, there);
  all.push();
  all.clock.advance(10_000);
  const toThere = all.sent.filter(({ to }) => to === there);
  assertEquals(toThere.length, 1);
  assert(toThere[0]!.datagram.length <= 3 * bindPacket.length);
  assertEquals(all.lines.length, 1);
});

Deno.test("Outbox.push() goes over TCP without a path, and after 3 s of silence", () => {
  const all = openOutbox();
  all.push();
  all.clock.endTurn();
  assertEquals(all.lines, [`{"type":"deliver","number":0,"messages":[${RECORD}]}`]);
  bind(all);
  all.push();
  all.clock.advance(3_000);
  assertEquals(all.lines.length, 2);
  all.take();
  all.push();
  all.clock.endTurn();
  assertEquals(all.take(), []);
  assertEquals(all.lines.length, 3);
  bind(all);
});

Deno.test("Outbox tries a path that fell silent again, and uses it as soon as there is an answer", () => {
  const all = openOutbox();
  bind(all);
  all.push();
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
  all.push();
  all.clock.endTurn();
  assertEquals(all.take().map(({ type }) => type), [PacketType.bound, PacketType.data]);
});

Deno.test("Outbox.receive() stops waiting for what was acknowledged", () => {
  const all = openOutbox();
  const largest = sendOne(all);
  acknowledge(all, { largest, delivered: 1 });
  all.clock.advance(60_000);
  assertEquals([all.lines, all.take()], [[], []]);
  assertEquals(all.clock.timers, 0);
});

Deno.test("Outbox.receive() follows the client to a new address", () => {
  const all = openOutbox();
  bind(all);
  bind(all, there);
  all.push();
  all.clock.endTurn();
  assertEquals(all.take().map(({ to }) => to), [there]);
});

Deno.test("Outbox.relief() waits for who takes messages, and not for who only says so", () => {
  const all = openOutbox();
  const big = "x".repeat(10_000);
  for (let i = 0; i < 60; i++) all.push(big);
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

Deno.test("Outbox.drain() sends over TCP what has not gone that way, and then nothing", () => {
  const all = openOutbox();
  all.push();
  all.clock.endTurn();
  bind(all);
  all.push();
  all.clock.endTurn();
  all.push();
  all.outbox.drain();
  assertEquals(
    all.lines.map((line) => JSON.parse(line)).map((
      { number, messages },
    ) => [number, messages.length]),
    [[0, 1], [1, 2]],
  );
  all.clock.advance(60_000);
  assertEquals(all.lines.length, 2);
  assertEquals(all.clock.timers, 0);
});

Deno.test("Outbox sends much in large records, and no more than the connection takes", () => {
  const all = openOutbox();
  bind(all);
  all.push("x".repeat(100), 1_000);
  all.connection.writableBytes = 0;
  all.clock.endTurn();
  assertEquals([all.lines, all.take()], [[], []]);
  all.connection.writableBytes = Infinity;
  all.outbox.writable();
  assertEquals(all.take(), []);
  const sizes = all.lines.map((line) => line.length);
  assert(sizes.length === 3 && sizes.every((size) => size < 66_000), `${sizes}`);
  assert(all.outbox.acknowledge(400));
  assertEquals(all.acknowledged(), 400);
  assert(!all.outbox.acknowledge(1_001));
});

Deno.test("Outbox takes its own lateness for no loss: it first reads what has come", () => {
  const all = openOutbox();
  bind(all);
  all.push();
  all.clock.endTurn();
  const [data] = all.take();
  // The machine slept, and the acknowledgement is read a moment after the timer rang.
  all.clock.sleep(10_000);
  all.clock.advance(50);
  acknowledge(all, { largest: data!.number, delivered: 1 });
  all.push();
  all.clock.endTurn();
  assertEquals(all.take().map(({ type }) => type), [PacketType.data]);
  assertEquals(all.lines, []);
  // Where none comes, the excuse ends.
  all.clock.sleep(10_000);
  all.clock.advance(101);
  all.push();
  all.clock.endTurn();
  assertEquals(all.take().map(({ type }) => type), []);
  assert(all.lines.length > 0);
});

Deno.test("Outbox sends what is lost again after its own lateness, whatever it found lost first", () => {
  const all = openOutbox();
  bind(all);
  for (let i = 0; i < 3; i++) {
    all.push("x".repeat(800));
    all.clock.endTurn();
  }
  const sent = all.take().map(({ number }) => number);
  all.clock.advance(10);
  // The second packet arrived, the first will be found lost, the third never arrives.
  acknowledge(all, { largest: sent[1]!, delivered: 0, ranges: [[1, 1]] });
  all.clock.sleep(500);
  // Nothing else comes, and nothing new is sent: everything goes over TCP in the end.
  all.clock.advance(10_000);
  assert(all.lines.some((line) => line.includes(`"number":2,`)));
});

Deno.test("Outbox gets everything to the client, whatever is lost and however late it is itself", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("push" as const), text: fc.constantFrom("hi", "x".repeat(800)) }),
    fc.record({ do: fc.constant("take" as const), arrive: fc.array(fc.boolean()) }),
    fc.record({ do: fc.constant("sleep" as const), ms: fc.constantFrom(3, 50, 400, 5_000) }),
    fc.record({ do: fc.constant("advance" as const), ms: fc.constantFrom(1, 30, 200, 3_000) }),
    fc.record({ do: fc.constant("writable" as const), writable: fc.constantFrom(0, Infinity) }),
    fc.record({ do: fc.constant("bind" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const all = openOutbox();
      bind(all);
      const receiver = new DeliveryReceiver<number>();
      let pushed = 0;
      const receive = (number: number, count: number) =>
        receiver.receive(number, Array.from({ length: count }, (_, index) => number + index));
      /** The client reads what has come, as far as it arrives, and acknowledges it. */
      const take = (arrives: (index: number) => boolean) => {
        for (const [index, { type, number, payload }] of all.take().entries()) {
          if (type === PacketType.challenge && arrives(index)) {
            all.outbox.receive(all.sealer.seal(PacketType.response, payload), here);
          }
          if (type !== PacketType.data || !arrives(index)) continue;
          const data = decodeData(payload)!;
          receive(data.number, JSON.parse(`[${new TextDecoder().decode(data.records)}]`).length);
          receiver.packetReceived(number, all.clock.now());
        }
        const ack = receiver.takeAck(all.clock.now());
        if (ack === undefined) return;
        all.outbox.receive(all.sealer.seal(PacketType.ack, encodeAck(ack)), here);
      };
      const readLines = () => {
        for (const line of all.lines.splice(0)) {
          const { number, messages } = JSON.parse(line);
          receive(number, messages.length);
        }
      };
      for (const step of steps) {
        if (step.do === "push") pushed = all.push(step.text) + 1;
        else if (step.do === "take") take((index) => step.arrive[index] ?? false);
        else if (step.do === "sleep") all.clock.sleep(step.ms);
        else if (step.do === "advance") all.clock.advance(step.ms);
        else if (step.do === "bind") all.outbox.receive(all.sealer.seal(PacketType.bind), here);
        else all.connection.writableBytes = step.writable;
      }
      // From now on no packet arrives, and TCP takes all.
      all.connection.writableBytes = Infinity;
      all.outbox.writable();
      all.clock.advance(20_000);
      readLines();
      assertEquals(receiver.delivered, pushed);
      all.outbox.acknowledge(pushed);
      all.clock.endTurn();
      assertEquals(all.outbox.backlogBytes, 0);
      all.outbox[Symbol.dispose]();
      assertEquals(all.clock.timers, 0);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("Outbox.load counts what waits up to a limit, and nothing of who takes nothing", () => {
  const { outbox, push, clock } = openOutbox();
  assertEquals(outbox.load, 0);
  push("x".repeat(1_000));
  assertEquals(outbox.load, outbox.backlogBytes);
  clock.endTurn();
  push("x".repeat(1_000), 1_100);
  assertEquals(outbox.load, 1_024 * 1_024);
  clock.advance(1_001);
  assertEquals(outbox.load, 0);
  outbox.acknowledge(1);
  assertEquals(outbox.load, 1_024 * 1_024);
});
