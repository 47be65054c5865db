import { assert, assertEquals } from "@std/assert";
import { DeliveryReceiver } from "../../lib/protocol/delivery_receiver.ts";
import { DeliverySender, type Transmission } from "../../lib/protocol/delivery_sender.ts";

const utf8 = new TextEncoder();

/** Everything that the sender wants sent now; packets are numbered from `packet`. */
function sendAll(sender: DeliverySender, now: number, packet = 0): Transmission[] {
  const sent: Transmission[] = [];
  for (let next; (next = sender.next(now, packet)) !== undefined;) {
    sent.push(next);
    if (next.via === "udp") packet++;
  }
  return sent;
}

function summary(sent: readonly Transmission[]): (string | number)[][] {
  return sent.map((one) =>
    one.via === "udp" ? ["udp", ...one.frames.map((f) => f.number)] : ["tcp", one.frame.number]
  );
}

function openSender(messages: number, bytes = 10): DeliverySender {
  const sender = new DeliverySender();
  sender.openPath(20);
  for (let i = 0; i < messages; i++) sender.push(new Uint8Array(bytes));
  return sender;
}

Deno.test("DeliverySender.next() sends over TCP while there is no path", () => {
  const sender = new DeliverySender();
  sender.push(utf8.encode("a"));
  sender.push(utf8.encode("b"));
  assertEquals(summary(sendAll(sender, 0)), [["tcp", 0], ["tcp", 1]]);
});

Deno.test("DeliverySender.next() packs all that waits into few packets", () => {
  const sent = sendAll(openSender(100, 100), 0);
  assertEquals(sent.length, 10);
  assertEquals(summary(sent)[0], ["udp", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("DeliverySender.next() sends over TCP what is larger than a packet", () => {
  const sender = openSender(1, 1_156);
  sender.push(new Uint8Array(1_157));
  sender.push(new Uint8Array(1));
  assertEquals(summary(sendAll(sender, 0)), [["udp", 0], ["tcp", 1], ["udp", 2]]);
});

Deno.test("DeliverySender.next() waits when the window is full, and goes on with an ack", () => {
  const sender = openSender(40, 1_156);
  assertEquals(sendAll(sender, 0).length, 10);
  assert(sender.acknowledge({ largest: 1, delay: 0, delivered: 2, ranges: [] }, 10));
  // Slow start: two have arrived, so two more may fly than before.
  assertEquals(summary(sendAll(sender, 10, 10)), [10, 11, 12, 13].map((n) => ["udp", n]));
});

Deno.test("DeliverySender.next() sends a large backlog over TCP", () => {
  const sent = summary(sendAll(openSender(200, 1_000), 0));
  assertEquals(sent[0], ["tcp", 0]);
  assertEquals(sent.at(-1)?.[0], "udp");
});

Deno.test("DeliverySender.next() stops at 1,024 unacknowledged numbers", () => {
  const sender = new DeliverySender();
  for (let i = 0; i < 1_100; i++) sender.push(new Uint8Array(1));
  assertEquals(sendAll(sender, 0).length, 1_024);
  assert(sender.acknowledgeAll(1_000));
  assertEquals(sendAll(sender, 0).length, 76);
});

Deno.test("DeliverySender.next() sends nothing for which the receiver has no place", () => {
  const sender = openSender(3, 1_000);
  sendAll(sender, 0);
  for (let i = 0; i < 1_500; i++) sender.push(new Uint8Array(1_157));
  assert(sender.acknowledge({ largest: 2, delay: 0, delivered: 0, ranges: [[1, 2]] }, 10));
  // Number 0 is missing, so 1,023 is the last that the receiver would keep.
  const sent = summary(sendAll(sender, 10, 3));
  assertEquals(sent.at(-1), ["tcp", 1_023]);
  assert(sender.acknowledgeAll(1));
  assertEquals(summary(sendAll(sender, 11, 3)), [["tcp", 1_024]]);
});

Deno.test("DeliverySender.next() does not take idle time for silence", () => {
  const sender = openSender(1);
  sendAll(sender, 0);
  assert(sender.acknowledgeAll(1));
  sender.push(new Uint8Array(1));
  assertEquals(summary(sendAll(sender, 10_000, 1)), [["udp", 1]]);
  assertEquals(sender.pathOpen, true);
});

Deno.test("DeliverySender.acknowledge() sends a packet's messages anew three packets later", () => {
  const sender = openSender(5, 1_000);
  sendAll(sender, 0);
  assert(sender.acknowledge({ largest: 2, delay: 0, delivered: 0, ranges: [[1, 2]] }, 10));
  assertEquals(summary(sendAll(sender, 10, 5)), []);
  assert(sender.acknowledge({ largest: 3, delay: 0, delivered: 0, ranges: [[1, 3]] }, 10));
  assertEquals(summary(sendAll(sender, 10, 5)), [["udp", 0]]);
});

Deno.test("DeliverySender.timeOut() sends anew what was overtaken 9/8 of a round trip ago", () => {
  const sender = openSender(2, 1_000);
  sendAll(sender, 0);
  assert(sender.acknowledge({ largest: 1, delay: 0, delivered: 0, ranges: [[1, 1]] }, 20));
  assertEquals(sender.deadline(), 22.5);
  sender.timeOut(22);
  assertEquals(summary(sendAll(sender, 22, 2)), []);
  sender.timeOut(22.5);
  assertEquals(summary(sendAll(sender, 22.5, 2)), [["udp", 0]]);
});

Deno.test("DeliverySender.acknowledge() has what was lost twice go over TCP as well", () => {
  const sender = openSender(1, 1_000);
  sendAll(sender, 0);
  for (let round = 1; round <= 2; round++) {
    for (let i = 0; i < 3; i++) sender.push(new Uint8Array(1_000));
    sendAll(sender, round, 4 * round - 3);
    const packet = 4 * round - 1;
    const last = 3 * round;
    const ranges: [number, number][] = [[1, last]];
    assert(sender.acknowledge({ largest: packet, delay: 0, delivered: 0, ranges }, round));
    const again = summary(sendAll(sender, round, packet + 1));
    assertEquals(again, round === 1 ? [["udp", 0]] : [["udp", 0], ["tcp", 0]]);
  }
});

Deno.test("DeliverySender.acknowledge() halves the window, once for losses of one round trip", () => {
  const sender = openSender(100, 1_156);
  assertEquals(sendAll(sender, 0).length, 10);
  assert(sender.acknowledge({ largest: 9, delay: 0, delivered: 0, ranges: [[9, 9]] }, 20));
  // Of the 11 packets that might fly half may now, and two that are only late still do.
  const again = summary(sendAll(sender, 20, 10));
  assertEquals(again, [0, 1, 2, 3].map((number) => ["udp", number]));
  sender.timeOut(23);
  assertEquals(summary(sendAll(sender, 23, 14)), [["udp", 4], ["udp", 5]]);
});

Deno.test("DeliverySender.timeOut() probes with what waits longest, and then doubts UDP", () => {
  const sender = openSender(2, 1_000);
  sendAll(sender, 0);
  // The probe timeout after a validation of 20 ms: 20 + 4 * 10 + 25.
  assertEquals(sender.deadline(), 85);
  sender.timeOut(84);
  assertEquals(summary(sendAll(sender, 84, 2)), []);
  sender.timeOut(85);
  assertEquals(summary(sendAll(sender, 85, 2)), [["udp", 0]]);
  assertEquals(sender.deadline(), 85 + 2 * 85);
  sender.timeOut(255);
  assertEquals(summary(sendAll(sender, 255, 3)), [["udp", 0], ["tcp", 0], ["tcp", 1]]);
  sender.push(new Uint8Array(10));
  assertEquals(summary(sendAll(sender, 256, 4)), [["udp", 2], ["tcp", 2]]);
  // An acknowledgement by UDP ends the doubts, one over TCP does not.
  assert(sender.acknowledgeAll(3));
  sender.push(new Uint8Array(10));
  assertEquals(summary(sendAll(sender, 257, 5)), [["udp", 3], ["tcp", 3]]);
  assert(sender.acknowledge({ largest: 5, delay: 0, delivered: 4, ranges: [] }, 260));
  sender.push(new Uint8Array(10));
  assertEquals(summary(sendAll(sender, 261, 6)), [["udp", 4]]);
});

Deno.test("DeliverySender.timeOut() is not put off by a steady flow when UDP falls silent", () => {
  const sender = openSender(1);
  sendAll(sender, 0);
  assert(sender.acknowledge({ largest: 0, delay: 0, delivered: 1, ranges: [] }, 20));
  const waited: number[] = [];
  const pushedAt: number[] = [];
  for (let now = 1_000, packet = 1; now < 3_500; now++) {
    if (now < 2_000 && now % 50 === 0) {
      pushedAt.push(now);
      sender.push(new Uint8Array(10));
    }
    if ((sender.deadline() ?? Infinity) <= now) sender.timeOut(now);
    for (const one of sendAll(sender, now, packet)) {
      if (one.via === "udp") packet++;
      else waited.push(now - pushedAt[one.frame.number - 1]!);
    }
  }
  assertEquals(waited.length, 20);
  // Two probe timeouts, the second twice as long as the first.
  assertEquals([Math.max(...waited), waited.at(-1)], [225, 0]);
});

Deno.test("DeliverySender keeps to small packets where large ones never arrive", () => {
  const sender = openSender(0);
  let now = 0;
  let packet = 0;
  const exchange = (bytes: number) => {
    sender.push(new Uint8Array(bytes));
    const sent: Transmission[] = [];
    for (; sender.backlogBytes > 0; now = sender.deadline() ?? now + 20) {
      sender.timeOut(now);
      for (const one of sendAll(sender, now, packet)) {
        sent.push(one);
        if (one.via === "tcp") assert(sender.acknowledgeAll(one.frame.number + 1));
        else {
          const { number, record } = one.frames.at(-1)!;
          const ack = { largest: packet++, delay: 0, delivered: number + 1, ranges: [] };
          if (record.length <= 576) assert(sender.acknowledge(ack, now + 20));
        }
      }
    }
    return sent.map(({ via }) => via);
  };
  assertEquals(exchange(1_000), ["udp", "udp", "udp", "tcp"]);
  assertEquals(exchange(100).at(0), "udp");
  for (let i = 0; i < 2; i++) {
    exchange(1_000);
    exchange(100);
  }
  assertEquals(exchange(1_000), ["tcp"]);
  assertEquals(exchange(100), ["udp"]);
  sender.openPath(20);
  assertEquals(exchange(1_000).at(0), "udp");
});

Deno.test("DeliverySender.next() gives UDP up after 3 s without an acknowledgement", () => {
  const sender = openSender(1);
  sendAll(sender, 0);
  sender.push(new Uint8Array(1));
  assertEquals(summary(sendAll(sender, 2_999, 1)), [["udp", 1]]);
  sender.push(new Uint8Array(1));
  assertEquals(summary(sendAll(sender, 3_000, 2)), [["tcp", 0], ["tcp", 1], ["tcp", 2]]);
  assertEquals(sender.pathOpen, false);
});

Deno.test("DeliverySender.acknowledge() refuses what was never sent, and changes nothing", () => {
  const sender = openSender(1);
  sendAll(sender, 0);
  sender.push(new Uint8Array(1));
  const nothing = { delay: 0, ranges: [] };
  assertEquals(sender.acknowledge({ ...nothing, largest: 1, delivered: 1 }, 1), false);
  assertEquals(sender.acknowledge({ ...nothing, largest: 0, delivered: 2 }, 1), false);
  assertEquals(
    sender.acknowledge({ ...nothing, largest: 0, delivered: 0, ranges: [[1, 2 ** 50]] }, 1),
    false,
  );
  assertEquals(sender.acknowledgeAll(2), false);
  assertEquals(sender.drain().map((f) => f.number), [0, 1]);
});

Deno.test("DeliverySender tells each receipt once, and by which channel", () => {
  const sender = openSender(0);
  const told: string[] = [];
  const push = (name: string, bytes: number) =>
    sender.push(new Uint8Array(bytes), {
      acknowledged: (via) => told.push(`${name} ${via}`),
      lost: () => told.push(`${name} lost`),
    });
  push("small", 10);
  push("large", 2_000);
  push("late", 10);
  sendAll(sender, 0);
  assert(sender.acknowledge({ largest: 0, delay: 0, delivered: 2, ranges: [] }, 1));
  assert(sender.acknowledgeAll(2));
  assertEquals(told, ["small udp", "large tcp"]);
  assertEquals(sender.drain().map(({ number }) => number), [2]);
  assertEquals(sender.drain(), []);
});

Deno.test("DeliverySender tells no receipt of what the receiver only holds until its turn", () => {
  const sender = openSender(0);
  const told: number[] = [];
  for (let number = 0; number < 3; number++) {
    const receipt = { acknowledged: () => told.push(number), lost: () => {} };
    sender.push(new Uint8Array(1_000), receipt);
  }
  sendAll(sender, 0);
  assert(sender.acknowledge({ largest: 2, delay: 0, delivered: 0, ranges: [[1, 2]] }, 20));
  assertEquals(told, []);
  // It is not sent again, and its receiver may still go without having shown it.
  sender.timeOut(1_000);
  assertEquals(summary(sendAll(sender, 1_000, 3)), [["udp", 0]]);
  assertEquals(sender.backlogBytes, 3_000);
  assert(sender.acknowledge({ largest: 3, delay: 0, delivered: 3, ranges: [] }, 1_020));
  assertEquals([told, sender.backlogBytes, sender.deadline()], [[0, 1, 2], 0, undefined]);
});

Deno.test("DeliverySender.backlogBytes counts what is queued and what is not acknowledged", () => {
  const sender = openSender(3, 100);
  assertEquals(sender.backlogBytes, 300);
  sendAll(sender, 0);
  assertEquals(sender.backlogBytes, 300);
  sender.acknowledge({ largest: 0, delay: 0, delivered: 2, ranges: [] }, 1);
  assertEquals(sender.backlogBytes, 100);
});

Deno.test("DeliveryReceiver.receive() gives each message once, in order", () => {
  const receiver = new DeliveryReceiver<string>();
  assertEquals(receiver.receive(1, "b"), []);
  assertEquals(receiver.receive(0, "a"), ["a", "b"]);
  assertEquals(receiver.receive(0, "a"), []);
  assertEquals(receiver.receive(3, "d"), []);
  assertEquals(receiver.receive(3, "d"), []);
  assertEquals(receiver.receive(2 + 1_024, "far"), []);
  assertEquals(receiver.receive(2, "c"), ["c", "d"]);
  assertEquals(receiver.delivered, 4);
});

Deno.test("DeliveryReceiver.takeAck() waits for a second packet or 25 ms", () => {
  const receiver = new DeliveryReceiver<string>();
  receiver.receive(0, "a");
  receiver.packetReceived(0, 100);
  assertEquals(receiver.takeAck(124), undefined);
  assertEquals(receiver.deadline(), 125);
  assertEquals(receiver.takeAck(125), { largest: 0, delay: 25_000, delivered: 1, ranges: [] });
  assertEquals(receiver.takeAck(200), undefined);
  receiver.packetReceived(1, 300);
  receiver.packetReceived(2, 301);
  assertEquals(receiver.takeAck(301)?.largest, 2);
});

Deno.test("DeliveryReceiver.takeAck() comes at once, with holes, when something is missing", () => {
  const receiver = new DeliveryReceiver<string>();
  for (const number of [0, 2, 3, 6]) receiver.receive(number, "x");
  receiver.packetReceived(0, 5);
  assertEquals(receiver.takeAck(5), {
    largest: 0,
    delay: 0,
    delivered: 1,
    ranges: [[2, 3], [6, 6]],
  });
});

Deno.test("DeliveryReceiver.takeAck() comes at once when a packet is missing", () => {
  const receiver = new DeliveryReceiver<string>();
  receiver.packetReceived(0, 0);
  receiver.takeAck(25);
  receiver.packetReceived(2, 100);
  assertEquals(receiver.takeAck(100)?.largest, 2);
});

Deno.test("DeliveryReceiver.takeAck() does not speak of what came again", () => {
  const receiver = new DeliveryReceiver<string>();
  for (const number of [0, 1, 0]) receiver.receive(number, "x");
  receiver.packetReceived(0, 0);
  assertEquals(receiver.takeAck(25)?.ranges, []);
});
