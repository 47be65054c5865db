import { assert, assertEquals } from "@std/assert";
import { DeliveryReceiver } from "../../lib/protocol/delivery_receiver.ts";
import { DeliverySender, type Transmission } from "../../lib/protocol/delivery_sender.ts";
import { Alarm } from "../../lib/clock.ts";
import type { Ack, Frame } from "../../lib/protocol/frames.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { LossyLink, seededRandom } from "../helpers/lossy_link.ts";

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
  sender.openPath();
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
  const sender = openSender(40, 1_000);
  assertEquals(sendAll(sender, 0).length, 32);
  assert(sender.acknowledge({ largest: 3, delay: 0, delivered: 4, ranges: [] }, 10));
  assertEquals(summary(sendAll(sender, 10, 32)), [["udp", 32], ["udp", 33], ["udp", 34], [
    "udp",
    35,
  ]]);
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

Deno.test("DeliverySender.acknowledge() sends a packet's messages over TCP three packets later", () => {
  const sender = openSender(5, 1_000);
  sendAll(sender, 0);
  assert(sender.acknowledge({ largest: 2, delay: 0, delivered: 0, ranges: [[1, 2]] }, 10));
  assertEquals(summary(sendAll(sender, 10, 5)), []);
  assert(sender.acknowledge({ largest: 3, delay: 0, delivered: 0, ranges: [[1, 3]] }, 10));
  assertEquals(summary(sendAll(sender, 10, 5)), [["tcp", 0]]);
});

Deno.test("DeliverySender.timeOut() sends over TCP, and probes with one packet", () => {
  const sender = openSender(2, 1_000);
  sendAll(sender, 0);
  const deadline = sender.deadline()!;
  sender.timeOut(deadline - 1);
  assertEquals(summary(sendAll(sender, deadline - 1, 2)), []);
  sender.timeOut(deadline);
  assertEquals(summary(sendAll(sender, deadline, 2)), [["udp", 0], ["tcp", 0], ["tcp", 1]]);
  assert(sender.acknowledgeAll(2));
  assertEquals(sender.deadline(), undefined);
});

Deno.test("DeliverySender.timeOut() keeps no packet waiting longer than another", () => {
  const sender = openSender(1);
  sendAll(sender, 0);
  assert(sender.acknowledge({ largest: 0, delay: 0, delivered: 1, ranges: [] }, 20));
  const waited: number[] = [];
  const sentAt = new Map<number, number>();
  for (let now = 1_000, packet = 1; now < 3_500; now++) {
    if (now < 2_000 && now % 100 === 0) {
      sentAt.set(sentAt.size + 1, now);
      sender.push(new Uint8Array(10));
    }
    if ((sender.deadline() ?? Infinity) <= now) sender.timeOut(now);
    for (const one of sendAll(sender, now, packet)) {
      if (one.via === "udp") packet++;
      else waited.push(now - sentAt.get(one.frame.number)!);
    }
  }
  assertEquals(waited.length, 10);
  // The probe timeout after one round trip of 20 ms: 20 + 4 * 10 + 25.
  assertEquals(Math.max(...waited), 85);
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

/** What a packet holds that goes from the sender to the receiver. */
interface DataPacket {
  number: number;
  frames: readonly Frame[];
}

/** One seeded run over a bad link. @returns the texts that were shown */
function simulate(seed: number, loss: number): { sent: string[]; shown: string[] } {
  const clock = new FakeClock();
  const random = seededRandom(seed);
  const sender = new DeliverySender();
  const receiver = new DeliveryReceiver<string>();
  const shown: string[] = [];
  const link = { loss, duplicate: 0.1, delay: random() * 100, jitter: random() * 100, random };
  let nextPacket = 0;

  const data = new LossyLink<DataPacket>(clock, {
    ...link,
    deliver: ({ number, frames }) => {
      for (const frame of frames) take(frame);
      receiver.packetReceived(number, clock.now());
      acknowledge();
    },
  });
  const acks = new LossyLink<Ack>(clock, {
    ...link,
    deliver: (ack) => {
      assert(sender.acknowledge(ack, clock.now()));
      transmit();
    },
  });
  function take({ number, record }: Frame): void {
    shown.push(...receiver.receive(number, new TextDecoder().decode(record)));
  }
  const ackAlarm = new Alarm(clock, acknowledge);
  function acknowledge(): void {
    const ack = receiver.takeAck(clock.now());
    if (ack !== undefined) acks.send(ack);
    ackAlarm.set(receiver.deadline());
  }
  /** TCP: late, but nothing is lost or reordered; its acknowledgement comes the same way. */
  let tcpFreeAt = 0;
  function sendOverTcp(frame: Frame): void {
    tcpFreeAt = Math.max(tcpFreeAt, clock.now()) + 1;
    clock.after(tcpFreeAt - clock.now() + link.delay, () => {
      take(frame);
      const delivered = receiver.delivered;
      clock.after(link.delay, () => {
        assert(sender.acknowledgeAll(delivered));
        transmit();
      });
    });
  }
  const sendAlarm = new Alarm(clock, () => {
    sender.timeOut(clock.now());
    transmit();
  });
  function transmit(): void {
    for (let next; (next = sender.next(clock.now(), nextPacket)) !== undefined;) {
      if (next.via === "udp") data.send({ number: nextPacket++, frames: next.frames });
      else sendOverTcp(next.frame);
    }
    sendAlarm.set(sender.deadline());
  }

  const sent: string[] = [];
  sender.openPath();
  for (let index = 0; index < 200; index++) {
    clock.after(random() * 8_000, () => {
      const text = `message ${index} `.repeat(1 + random() * 30);
      sent.push(text);
      sender.push(utf8.encode(text));
      transmit();
    });
  }
  clock.advance(120_000);
  assertEquals(sender.backlogBytes, 0, "something was never acknowledged");
  return { sent, shown };
}

Deno.test("delivery shows every message once and in order over links that lose 0 to 60 %", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const { sent, shown } = simulate(seed, (seed % 7) / 10);
    assertEquals(shown, sent, `seed ${seed}`);
  }
});
