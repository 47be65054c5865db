import { assert, assertEquals } from "@std/assert";
import { DeliverySender, type Transmission } from "../../lib/protocol/delivery_sender.ts";
import { concat } from "../../lib/protocol/lines.ts";
import { MAX_OUTSTANDING } from "../../lib/protocol/limits.ts";
import { encodedDataBytes } from "../../lib/protocol/payloads.ts";
import { RecordBlock } from "../../lib/protocol/record_block.ts";
import { CalmRate } from "../../lib/protocol/calm_rate.ts";
import type { Message } from "../../lib/protocol/records.ts";

/** The largest record for which there is room in a packet, in bytes. */
const LARGEST = 1_158;
/** A record that is small, in bytes. */
const SMALL = 60;

/** The probe timeout after a validation of 20 ms: 20 + 4 * 10 + 25. */
const PROBE_MS = 85;

/** The channel, and the first and the last number. */
type Sent = [via: "udp" | "tcp", first: number, last: number];

/** A sender that is given messages whose ids are their delivery numbers. */
class Trial {
  readonly sender: DeliverySender;
  /** The number of the next packet. */
  packet = 0;
  #next = 0;

  constructor(sharedRate?: CalmRate) {
    this.sender = new DeliverySender(sharedRate);
  }

  /** A path that took 20 ms to be validated is open. */
  static open(sharedRate?: CalmRate): Trial {
    const trial = new Trial(sharedRate);
    trial.sender.openPath(20);
    return trial;
  }

  /** Gives it messages of so many bytes each. */
  push(bytes: number, count = 1): void {
    const messages = Array.from({ length: count }, (): Message => {
      const message = { id: this.#next++, from: "joe", sent: 0, text: "" };
      const text = "x".repeat(bytes - JSON.stringify(message).length);
      return { ...message, text };
    });
    this.sender.push(new RecordBlock(messages), 0, count);
  }

  /** What it wants sent now. */
  send(now: number, { tcp = true } = {}): Sent[] {
    const sent: Sent[] = [];
    const next = () => this.sender.next(now, this.packet, tcp ? Infinity : 0);
    for (let one; (one = next()) !== undefined;) {
      if (one.via === "udp") this.packet++;
      sent.push(summary(one));
    }
    return sent;
  }

  /** Gives it messages one by one, and has each sent before the next. */
  pushEach(bytes: number, count: number, now: number): Sent[] {
    return Array.from({ length: count }, () => {
      this.push(bytes);
      return this.send(now);
    }).flat();
  }

  acknowledge(
    now: number,
    largest: number,
    delivered: number,
    ranges: readonly (readonly [number, number])[] = [],
  ): void {
    assert(this.sender.acknowledge({ largest, delay: 0, delivered, ranges }, now));
  }
}

/** Checks that the records are those of the numbers. */
function summary({ via, number, parts }: Transmission): Sent {
  const text = new TextDecoder().decode(concat([...parts]));
  const ids = (JSON.parse(`[${text}]`) as Message[]).map(({ id }) => id);
  assert(ids.length > 0, "nothing was sent");
  assertEquals(ids, ids.map((_, index) => number + index));
  if (via === "udp") assert(encodedDataBytes(parts) <= 1_166);
  else assert(ids.length === 1 || text.length <= 65_536);
  return [via, number, ids.at(-1)!];
}

/** The numbers, each sent by UDP alone. */
function alone(first: number, last: number): Sent[] {
  return Array.from({ length: last - first + 1 }, (_, i) => ["udp", first + i, first + i]);
}

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
  const trial = new Trial();
  trial.push(SMALL);
  trial.push(SMALL);
  assertEquals(trial.send(0), [["tcp", 0, 1]]);
});

Deno.test("DeliverySender.next() sends runs of at most 64 KiB over TCP, and whatever is larger alone", () => {
  const trial = new Trial();
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
  const packet = Trial.open();
  packet.push(578);
  packet.push(LARGEST - 579, 2);
  assertEquals(packet.send(0), [["udp", 0, 1], ["udp", 2, 2]]);
  const run = new Trial();
  run.push(32_767);
  run.push(32_768, 2);
  assertEquals(run.send(0), [["tcp", 0, 1], ["tcp", 2, 2]]);
});

Deno.test("DeliverySender.next() packs what fits into two packets, and sends more over TCP", () => {
  const little = Trial.open();
  // With a comma after each they have 2,332 bytes, which is twice a packet's payload.
  little.push(105, 22);
  assertEquals(little.send(0), [["udp", 0, 9], ["udp", 10, 19], ["udp", 20, 21]]);
  const much = Trial.open();
  much.push(105, 22);
  much.push(SMALL);
  assertEquals(much.send(0), [["tcp", 0, 22]]);
});

Deno.test("DeliverySender.next() sends over TCP what is larger than a packet", () => {
  const trial = Trial.open();
  assertEquals(trial.pushEach(LARGEST, 1, 0), [["udp", 0, 0]]);
  assertEquals(trial.pushEach(LARGEST + 1, 1, 0), [["tcp", 1, 1]]);
  assertEquals(trial.pushEach(SMALL, 1, 0), [["udp", 2, 2]]);
});

Deno.test("DeliverySender.next() sends 32 packets at once and 200 a second by UDP, the rest over TCP", () => {
  const trial = Trial.open();
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
  const [one, other] = [Trial.open(shared), Trial.open(shared)];
  assertEquals(one.pushEach(SMALL, 2, 0), alone(0, 1));
  assertEquals(other.pushEach(SMALL, 2, 0), [["udp", 0, 0], ["tcp", 1, 1]]);
  assertEquals(one.pushEach(SMALL, 2, 1), [["udp", 2, 2], ["tcp", 3, 3]]);
  // A server that was late has much to do.
  shared.late(2, 20);
  assertEquals(other.pushEach(SMALL, 1, 201), [["tcp", 2, 2]]);
  assertEquals(other.pushEach(SMALL, 1, 202), [["udp", 3, 3]]);
});

Deno.test("DeliverySender.next() waits when the window is full, and goes on with an ack", () => {
  const trial = Trial.open();
  assertEquals(trial.pushEach(LARGEST, 12, 0), alone(0, 9));
  trial.acknowledge(10, 1, 2);
  assertEquals(trial.send(10), alone(10, 11));
  // Slow start: two have arrived, so two more may fly than before.
  assertEquals(trial.pushEach(LARGEST, 3, 10), alone(12, 13));
});

Deno.test("DeliverySender.next() sends over TCP when too much waits for the window", () => {
  const trial = Trial.open();
  trial.pushEach(LARGEST, 12, 0);
  assertEquals(trial.pushEach(SMALL, 1, 0), [["tcp", 10, 12]]);
});

Deno.test("DeliverySender.next() has at most 128 packets on their way", () => {
  const trial = Trial.open();
  for (let now = 0, number = 0; number < 128; now += 5, number++) {
    assertEquals(trial.pushEach(SMALL, 1, now), [["udp", number, number]]);
  }
  assertEquals(trial.pushEach(SMALL, 1, 640), []);
  trial.acknowledge(641, 0, 1);
  assertEquals(trial.send(641), [["udp", 128, 128]]);
});

Deno.test("DeliverySender.next() sends nothing over TCP while it takes no more", () => {
  const trial = Trial.open();
  trial.push(SMALL, 100);
  assertEquals(trial.send(0, { tcp: false }), []);
  assertEquals(trial.send(0), [["tcp", 0, 99]]);
  trial.push(SMALL);
  assertEquals(trial.send(0, { tcp: false }), [["udp", 100, 100]]);
});

Deno.test("DeliverySender.next() stops at 16,384 unacknowledged numbers", () => {
  const trial = new Trial();
  trial.push(SMALL, MAX_OUTSTANDING + 100);
  assertEquals(trial.send(0).at(-1), ["tcp", 16_110, MAX_OUTSTANDING - 1]);
  assert(trial.sender.acknowledgeAll(70));
  assertEquals(trial.send(0), [["tcp", MAX_OUTSTANDING, MAX_OUTSTANDING + 69]]);
});

Deno.test("DeliverySender.next() sends nothing for which the receiver has no place", () => {
  const trial = Trial.open();
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
  const trial = Trial.open();
  trial.pushEach(SMALL, 1, 0);
  assert(trial.sender.acknowledgeAll(1));
  assertEquals(trial.sender.deadline(), undefined);
  assertEquals(trial.pushEach(SMALL, 1, 10_000), [["udp", 1, 1]]);
  assertEquals(trial.sender.deadline(), 10_000 + PROBE_MS);
});

Deno.test("DeliverySender.acknowledge() sends a packet's messages anew three packets later", () => {
  const trial = Trial.open();
  trial.pushEach(1_000, 5, 0);
  trial.acknowledge(10, 2, 0, [[1, 2]]);
  assertEquals(trial.send(10), []);
  trial.acknowledge(10, 3, 0, [[1, 3]]);
  assertEquals(trial.send(10), [["udp", 0, 0]]);
});

Deno.test("DeliverySender.acknowledge() sends anew only what is missing of a packet", () => {
  const trial = Trial.open();
  trial.push(SMALL, 5);
  assertEquals(trial.send(0), [["udp", 0, 4]]);
  trial.pushEach(1_000, 3, 0);
  trial.acknowledge(10, 3, 1, [[2, 2], [4, 7]]);
  assertEquals(trial.send(10), [["udp", 1, 1], ["udp", 3, 3]]);
});

Deno.test("DeliverySender.timeOut() sends anew what was overtaken 9/8 of a round trip ago", () => {
  const trial = Trial.open();
  trial.pushEach(1_000, 2, 0);
  trial.acknowledge(20, 1, 0, [[1, 1]]);
  assertEquals(trial.sender.deadline(), 22.5);
  trial.sender.timeOut(22);
  assertEquals(trial.send(22), []);
  trial.sender.timeOut(22.5);
  assertEquals(trial.send(22.5), [["udp", 0, 0]]);
});

Deno.test("DeliverySender.acknowledge() has what was lost twice go over TCP as well", () => {
  const trial = Trial.open();
  trial.pushEach(1_000, 1, 0);
  for (let round = 1; round <= 2; round++) {
    trial.pushEach(1_000, 3, round);
    trial.acknowledge(round, trial.packet - 1, 0, [[1, 3 * round]]);
    const again = trial.send(round);
    assertEquals(again, round === 1 ? [["udp", 0, 0]] : [["udp", 0, 0], ["tcp", 0, 0]]);
  }
});

Deno.test("DeliverySender.acknowledge() halves the window, once for losses of one round trip", () => {
  const trial = Trial.open();
  assertEquals(trial.pushEach(LARGEST, 10, 0), alone(0, 9));
  trial.acknowledge(20, 9, 0, [[9, 9]]);
  // Of the 11 packets that might fly half may now, and two that are only late still do.
  assertEquals(trial.send(20), alone(0, 3));
  trial.sender.timeOut(23);
  assertEquals(trial.send(23), alone(4, 5));
});

Deno.test("DeliverySender.timeOut() probes with what waits longest, and then doubts UDP", () => {
  const trial = Trial.open();
  trial.pushEach(1_000, 2, 0);
  assertEquals(trial.sender.deadline(), PROBE_MS);
  trial.sender.timeOut(84);
  assertEquals(trial.send(84), []);
  trial.sender.timeOut(85);
  assertEquals(trial.send(85), [["udp", 0, 0]]);
  assertEquals(trial.sender.deadline(), 85 + 2 * PROBE_MS);
  trial.sender.timeOut(255);
  assertEquals(trial.send(255), [["udp", 0, 0], ["tcp", 0, 1]]);
  assertEquals(trial.pushEach(SMALL, 1, 256), [["udp", 2, 2], ["tcp", 2, 2]]);
  // An acknowledgement by UDP ends the doubts, one over TCP does not.
  assert(trial.sender.acknowledgeAll(3));
  assertEquals(trial.pushEach(SMALL, 1, 257), [["udp", 3, 3], ["tcp", 3, 3]]);
  trial.acknowledge(260, trial.packet - 1, 4);
  assertEquals(trial.pushEach(SMALL, 1, 261), [["udp", 4, 4]]);
});

Deno.test("DeliverySender.timeOut() is not put off by a steady flow when UDP falls silent", () => {
  const trial = Trial.open();
  trial.pushEach(SMALL, 1, 0);
  trial.acknowledge(20, 0, 1);
  const waited: number[] = [];
  for (let now = 1_000; now < 3_500; now++) {
    if (now < 2_000 && now % 50 === 0) trial.push(SMALL);
    if ((trial.sender.deadline() ?? Infinity) <= now) trial.sender.timeOut(now);
    for (const [via, first, last] of trial.send(now)) {
      if (via === "udp") continue;
      for (let number = first; number <= last; number++) waited.push(now - 950 - 50 * number);
    }
  }
  assertEquals(waited.length, 20);
  // Two probe timeouts, the second twice as long as the first.
  assertEquals([Math.max(...waited), waited.at(-1)], [225, 0]);
});

Deno.test("DeliverySender.timeOut() gives UDP up after 3 s without an acknowledgement", () => {
  const trial = Trial.open();
  trial.pushEach(SMALL, 1, 0);
  let now = 0;
  const sent: Sent[] = [];
  for (let at; (at = trial.sender.deadline()) !== undefined;) {
    now = at;
    trial.sender.timeOut(now);
    sent.push(...trial.send(now));
  }
  assertEquals([now, trial.sender.pathOpen], [3_000, false]);
  // Over TCP it went only once, when UDP came to be doubted.
  assertEquals(sent.filter(([via]) => via === "tcp"), [["tcp", 0, 0]]);
  assertEquals(trial.pushEach(SMALL, 1, now), [["tcp", 1, 1]]);
});

Deno.test("DeliverySender.closePath() has what is on its way go over TCP, openPath() by UDP again", () => {
  const closed = Trial.open();
  closed.pushEach(SMALL, 2, 0);
  closed.push(SMALL);
  closed.sender.closePath();
  assertEquals(closed.sender.deadline(), undefined);
  assertEquals(closed.send(1), [["tcp", 0, 1], ["tcp", 2, 2]]);
  const moved = Trial.open();
  moved.pushEach(SMALL, 2, 0);
  moved.sender.openPath(20);
  assertEquals(moved.send(1), [["udp", 0, 1]]);
});

Deno.test("DeliverySender.openPath() begins with a new window", () => {
  const trial = Trial.open();
  trial.pushEach(LARGEST, 10, 0);
  trial.acknowledge(20, 9, 0, [[9, 9]]);
  // Losses have halved the old one.
  trial.sender.openPath(20);
  assertEquals(trial.send(20).filter(([via]) => via === "udp"), alone(0, 8));
});

Deno.test("DeliverySender keeps to small packets where large ones never arrive", () => {
  const trial = Trial.open();
  const { sender } = trial;
  let now = 0;
  /** Sends a message until it has arrived; by which channels. */
  const exchange = (bytes: number) => {
    trial.push(bytes);
    const sent: Sent[] = [];
    for (; sender.backlogBytes > 0; now = sender.deadline() ?? now + 20) {
      sender.timeOut(now);
      for (const one of trial.send(now)) {
        sent.push(one);
        if (one[0] === "tcp") assert(sender.acknowledgeAll(one[2] + 1));
        else if (bytes <= 504) trial.acknowledge(now + 20, trial.packet - 1, one[2] + 1);
      }
    }
    return sent.map(([via]) => via);
  };
  assertEquals(exchange(1_000), ["udp", "udp", "udp", "tcp"]);
  assertEquals(exchange(100).at(0), "udp");
  for (let i = 0; i < 2; i++) {
    exchange(1_000);
    exchange(100);
  }
  assertEquals(exchange(1_000), ["tcp"]);
  assertEquals(exchange(505), ["tcp"]);
  assertEquals(exchange(504), ["udp"]);
  sender.openPath(20);
  assertEquals(exchange(1_000).at(0), "udp");
});

Deno.test("DeliverySender sends over TCP what was lost and does not fit into smaller packets", () => {
  const trial = Trial.open();
  const { sender } = trial;
  let now = 0;
  for (let failure = 0; failure < 5; failure++) {
    assertEquals(trial.pushEach(1_000, 1, now)[0]?.[0], "udp");
    now = sender.deadline()!;
    sender.timeOut(now);
    assert(sender.acknowledgeAll(2 * failure + 1));
    trial.pushEach(SMALL, 1, now);
    trial.acknowledge(now, trial.packet - 1, 2 * failure + 2);
  }
  assertEquals(trial.pushEach(1_000, 1, now), [["udp", 10, 10]]);
  trial.pushEach(SMALL, 3, now);
  trial.acknowledge(now, trial.packet - 1, 10, [[11, 13]]);
  assertEquals(trial.send(now), [["tcp", 10, 10]]);
});

Deno.test("DeliverySender.acknowledge() refuses what was never sent, and changes nothing", () => {
  const trial = Trial.open();
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
  const trial = Trial.open();
  trial.pushEach(SMALL, 1, 0);
  trial.pushEach(2_000, 1, 0);
  trial.pushEach(SMALL, 1, 0);
  trial.acknowledge(1, 1, 3);
  assertEquals([0, 1, 2].map((number) => trial.sender.wentByTcp(number)), [false, true, false]);
});

Deno.test("DeliverySender.wentByTcp() knows of the last 10,000 messages at least, and not of all", () => {
  const trial = Trial.open();
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
  const trial = Trial.open();
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
  const trial = Trial.open();
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
  const trial = Trial.open();
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
