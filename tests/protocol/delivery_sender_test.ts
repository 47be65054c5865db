import { assert, assertEquals } from "@std/assert";
import { CalmRate } from "../../lib/protocol/calm_rate.ts";
import { DeliverySender, noDeliveries } from "../../lib/protocol/delivery_sender.ts";
import { concat } from "../../lib/protocol/lines.ts";
import { MAX_OUTSTANDING } from "../../lib/protocol/limits.ts";
import { RecordBlock } from "../../lib/protocol/record_block.ts";
import type { Message } from "../../lib/protocol/records.ts";
import {
  alone,
  DeliveryTrial,
  LARGEST,
  PROBE_MS,
  SMALL,
  summary,
} from "../helpers/delivery_trial.ts";

Deno.test("DeliverySender.push() gives the next numbers", () => {
  const sender = new DeliverySender();
  const block = new RecordBlock(
    Array.from({ length: 5 }, (_, id): Message => ({ id, from: "", sent: 0, text: "" })),
  );
  assertEquals([sender.push(block, 1, 4), sender.push(block, 0, 5)], [0, 3]);
  const { number, parts } = sender.next(0, 0, Infinity)!;
  const ids = JSON.parse(`[${new TextDecoder().decode(concat([...parts]))}]`) as Message[];
  assertEquals([number, ids.map(({ id }) => id)], [0, [1, 2, 3, 0, 1, 2, 3, 4]]);
});

Deno.test("DeliverySender.next() sends over TCP while there is no path", () => {
  const trial = new DeliveryTrial();
  trial.push(SMALL);
  trial.push(SMALL);
  assertEquals(trial.send(0), [["tcp", 0, 1]]);
});

Deno.test("DeliverySender.next() sends runs of at most 64 KiB over TCP, and whatever is larger alone", () => {
  const trial = new DeliveryTrial();
  trial.push(1_023, 100);
  trial.push(70_000);
  trial.push(65_536);
  trial.push(SMALL);
  // 64 records with 63 commas have 65,535 bytes.
  assertEquals(trial.send(0), [
    ["tcp", 0, 63],
    ["tcp", 64, 99],
    ["tcp", 100, 100],
    ["tcp", 101, 101],
    ["tcp", 102, 102],
  ]);
});

Deno.test("DeliverySender.next() fills packets and runs to the last byte", () => {
  const packet = DeliveryTrial.open();
  packet.push(578);
  packet.push(LARGEST - 579, 2);
  assertEquals(packet.send(0), [["udp", 0, 1], ["udp", 2, 2]]);
  const run = new DeliveryTrial();
  run.push(32_767);
  run.push(32_768, 2);
  assertEquals(run.send(0), [["tcp", 0, 1], ["tcp", 2, 2]]);
});

Deno.test("DeliverySender.next() packs what fits into two packets, and sends more over TCP", () => {
  const little = DeliveryTrial.open();
  // With a comma after each they have 2,332 bytes, which is twice a packet's payload.
  little.push(105, 22);
  assertEquals(little.send(0), [["udp", 0, 9], ["udp", 10, 19], ["udp", 20, 21]]);
  const much = DeliveryTrial.open();
  much.push(105, 22);
  much.push(SMALL);
  assertEquals(much.send(0), [["tcp", 0, 22]]);
});

Deno.test("DeliverySender.next() sends over TCP what is larger than a packet", () => {
  const trial = DeliveryTrial.open();
  assertEquals(trial.pushEach(LARGEST, 1, 0), [["udp", 0, 0]]);
  assertEquals(trial.pushEach(LARGEST + 1, 1, 0), [["tcp", 1, 1]]);
  assertEquals(trial.pushEach(SMALL, 1, 0), [["udp", 2, 2]]);
});

Deno.test("DeliverySender.next() sends 32 packets at once and 200 a second by UDP, the rest over TCP", () => {
  const trial = DeliveryTrial.open();
  assertEquals(trial.pushEach(SMALL, 32, 0), alone(0, 31));
  assertEquals(trial.pushEach(SMALL, 2, 0), [["tcp", 32, 32], ["tcp", 33, 33]]);
  assertEquals(trial.pushEach(SMALL, 2, 5), [["udp", 34, 34], ["tcp", 35, 35]]);
  assertEquals(trial.pushEach(SMALL, 2, 9), [["tcp", 36, 36], ["tcp", 37, 37]]);
  trial.acknowledge(20, trial.packet - 1, 38);
  // After a long time there are 32 again, and no more.
  assertEquals(trial.pushEach(SMALL, 33, 1_000), [...alone(38, 69), ["tcp", 70, 70]]);
});

Deno.test("DeliverySender.next() sends over TCP when all sessions together send much by UDP", () => {
  const shared = new CalmRate(0, { burst: 3, perSecond: 1_000 });
  const [one, other] = [DeliveryTrial.open(shared), DeliveryTrial.open(shared)];
  assertEquals(one.pushEach(SMALL, 2, 0), alone(0, 1));
  assertEquals(other.pushEach(SMALL, 2, 0), [["udp", 0, 0], ["tcp", 1, 1]]);
  assertEquals(one.pushEach(SMALL, 2, 1), [["udp", 2, 2], ["tcp", 3, 3]]);
  // A server that was late has much to do.
  shared.late(2, 20);
  assertEquals(other.pushEach(SMALL, 1, 201), [["tcp", 2, 2]]);
  assertEquals(other.pushEach(SMALL, 1, 202), [["udp", 3, 3]]);
});

Deno.test("DeliverySender counts what went over which channel, and what went once more", () => {
  const counts = noDeliveries();
  const sender = new DeliverySender(undefined, counts);
  const push = (length: number) => {
    const messages = Array.from(
      { length },
      (_, id): Message => ({ id, from: "", sent: 0, text: "" }),
    );
    sender.push(new RecordBlock(messages), 0, length);
  };
  const channel = (transmissions: number, deliveries: number, repeats: number) => ({
    ...{ transmissions, deliveries, repeats },
  });
  push(3);
  while (sender.next(0, 0, Infinity) !== undefined);
  assertEquals(counts, { tcp: channel(1, 3, 0), udp: channel(0, 0, 0) });
  sender.openPath(20);
  push(2);
  sender.next(0, 0, Infinity);
  assertEquals([sender.backlog, counts.udp], [5, channel(1, 2, 0)]);
  // The probe; and then all that is left, of which one message is new.
  sender.timeOut(PROBE_MS);
  sender.next(PROBE_MS, 1, Infinity);
  assertEquals(counts.udp, channel(2, 2, 2));
  sender.acknowledgeAll(4);
  assertEquals(sender.backlog, 1);
  push(1);
  sender.drain();
  assertEquals(counts, { tcp: channel(2, 4, 1), udp: channel(2, 2, 2) });
});

Deno.test("DeliverySender.next() waits when the window is full, and goes on with an ack", () => {
  const trial = DeliveryTrial.open();
  assertEquals(trial.pushEach(LARGEST, 12, 0), alone(0, 9));
  trial.acknowledge(10, 1, 2);
  assertEquals(trial.send(10), alone(10, 11));
  // Slow start: two have arrived, so two more may fly than before.
  assertEquals(trial.pushEach(LARGEST, 3, 10), alone(12, 13));
});

Deno.test("DeliverySender.next() sends over TCP when too much waits for the window", () => {
  const trial = DeliveryTrial.open();
  trial.pushEach(LARGEST, 12, 0);
  assertEquals(trial.pushEach(SMALL, 1, 0), [["tcp", 10, 12]]);
});

Deno.test("DeliverySender.next() has at most 128 packets on their way", () => {
  const trial = DeliveryTrial.open();
  for (let now = 0, number = 0; number < 128; now += 5, number++) {
    assertEquals(trial.pushEach(SMALL, 1, now), [["udp", number, number]]);
  }
  assertEquals(trial.pushEach(SMALL, 1, 640), []);
  trial.acknowledge(641, 0, 1);
  assertEquals(trial.send(641), [["udp", 128, 128]]);
});

Deno.test("DeliverySender.next() sends nothing over TCP while it takes no more", () => {
  const trial = DeliveryTrial.open();
  trial.push(SMALL, 100);
  assertEquals(trial.send(0, { tcp: false }), []);
  assertEquals(trial.send(0), [["tcp", 0, 99]]);
  trial.push(SMALL);
  assertEquals(trial.send(0, { tcp: false }), [["udp", 100, 100]]);
});

Deno.test("DeliverySender.next() stops at 16,384 unacknowledged numbers", () => {
  const trial = new DeliveryTrial();
  trial.push(SMALL, MAX_OUTSTANDING + 100);
  assertEquals(trial.send(0).at(-1), ["tcp", 16_110, MAX_OUTSTANDING - 1]);
  assert(trial.sender.acknowledgeAll(70));
  assertEquals(trial.send(0), [["tcp", MAX_OUTSTANDING, MAX_OUTSTANDING + 69]]);
});

Deno.test("DeliverySender.next() sends nothing for which the receiver has no place", () => {
  const trial = DeliveryTrial.open();
  assertEquals(trial.pushEach(SMALL, 2, 0), alone(0, 1));
  trial.push(SMALL, MAX_OUTSTANDING - 3);
  assertEquals(trial.send(0).at(-1)?.[2], MAX_OUTSTANDING - 2);
  trial.acknowledge(1, 1, 0, [[1, MAX_OUTSTANDING - 2]]);
  // Number 0 is missing, so 16,383 is the last that the receiver would keep.
  trial.push(SMALL, 3);
  assertEquals(trial.send(1), [["udp", 16_383, 16_383]]);
  trial.acknowledge(2, 0, MAX_OUTSTANDING - 1);
  assertEquals(trial.send(2), [["udp", 16_384, 16_385]]);
});

Deno.test("DeliverySender.deadline() does not take idle time for silence", () => {
  const trial = DeliveryTrial.open();
  trial.pushEach(SMALL, 1, 0);
  assert(trial.sender.acknowledgeAll(1));
  assertEquals(trial.sender.deadline(), undefined);
  assertEquals(trial.pushEach(SMALL, 1, 10_000), [["udp", 1, 1]]);
  assertEquals(trial.sender.deadline(), 10_000 + PROBE_MS);
});

Deno.test("DeliverySender.acknowledge() refuses what was never sent, and changes nothing", () => {
  const trial = DeliveryTrial.open();
  const { sender } = trial;
  trial.pushEach(SMALL, 1, 0);
  trial.push(SMALL);
  const nothing = { delay: 0, ranges: [] };
  assertEquals(sender.acknowledge({ ...nothing, largest: 1, delivered: 1 }, 1), false);
  assertEquals(sender.acknowledge({ ...nothing, largest: 0, delivered: 2 }, 1), false);
  assertEquals(
    sender.acknowledge({ ...nothing, largest: 0, delivered: 0, ranges: [[1, 2 ** 50]] }, 1),
    false,
  );
  assertEquals(sender.acknowledgeAll(2), false);
  assertEquals([sender.delivered, sender.drain().map(summary)], [0, [["tcp", 0, 1]]]);
});

Deno.test("DeliverySender.wentByTcp() says by which channel each message went", () => {
  const trial = DeliveryTrial.open();
  trial.pushEach(SMALL, 1, 0);
  trial.pushEach(2_000, 1, 0);
  trial.pushEach(SMALL, 1, 0);
  trial.acknowledge(1, 1, 3);
  assertEquals([0, 1, 2].map((number) => trial.sender.wentByTcp(number)), [false, true, false]);
});

Deno.test("DeliverySender.wentByTcp() knows of the last 10,000 messages at least, and not of all", () => {
  const trial = DeliveryTrial.open();
  const PAIRS = 15_000;
  for (let pair = 0; pair < PAIRS; pair++) {
    trial.pushEach(SMALL, 1, 10 * pair);
    trial.pushEach(2_000, 1, 10 * pair);
    trial.acknowledge(10 * pair, trial.packet - 1, 2 * pair + 2);
  }
  const went = (number: number) => trial.sender.wentByTcp(number);
  const recent = Array.from({ length: 10_000 }, (_, index) => 2 * PAIRS - 1 - index);
  assertEquals(recent.map(went), recent.map((number) => number % 2 === 1));
  assertEquals(went(1), false);
});

Deno.test("DeliverySender.delivered does not count what the receiver only holds until its turn", () => {
  const trial = DeliveryTrial.open();
  const { sender } = trial;
  trial.pushEach(1_000, 3, 0);
  trial.acknowledge(20, 2, 0, [[1, 2]]);
  assertEquals(sender.delivered, 0);
  // It is not sent again, and its receiver may still go without having shown it.
  sender.timeOut(1_000);
  assertEquals(trial.send(1_000), [["udp", 0, 0]]);
  assertEquals(sender.backlogBytes, 3 * 1_001);
  trial.acknowledge(1_020, 3, 3);
  assertEquals([sender.delivered, sender.backlogBytes, sender.deadline()], [3, 0, undefined]);
});

Deno.test("DeliverySender.backlogBytes counts what is queued and what is not acknowledged", () => {
  const trial = DeliveryTrial.open();
  trial.push(100, 3);
  assertEquals(trial.sender.backlogBytes, 303);
  trial.send(0);
  assertEquals(trial.sender.backlogBytes, 303);
  trial.acknowledge(1, 0, 2);
  assertEquals(trial.sender.backlogBytes, 101);
  assertEquals(trial.sender.drain().map(summary), [["tcp", 2, 2]]);
  assertEquals(trial.sender.backlogBytes, 0);
});

Deno.test("DeliverySender.drain() gives in order what has not gone over TCP, once", () => {
  const trial = DeliveryTrial.open();
  assertEquals(trial.pushEach(SMALL, 2, 0), alone(0, 1));
  assertEquals(trial.pushEach(2_000, 1, 0), [["tcp", 2, 2]]);
  assertEquals(trial.pushEach(SMALL, 3, 0), alone(3, 5));
  // The receiver has 1 and holds 4: it need not get that again.
  trial.acknowledge(20, 3, 1, [[4, 4]]);
  trial.push(1_000, 100);
  assertEquals(trial.sender.drain().map(summary), [
    ["tcp", 1, 1],
    ["tcp", 3, 3],
    ["tcp", 5, 70],
    ["tcp", 71, 105],
  ]);
  assertEquals([trial.sender.drain(), trial.sender.deadline()], [[], undefined]);
});
