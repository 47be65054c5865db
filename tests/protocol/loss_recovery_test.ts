import { assert, assertEquals } from "@std/assert";
import {
  alone,
  DeliveryTrial,
  LARGEST,
  PROBE_MS,
  type Sent,
  SMALL,
} from "../helpers/delivery_trial.ts";

Deno.test("DeliverySender.acknowledge() sends a packet's messages anew three packets later", () => {
  const trial = DeliveryTrial.open();
  trial.pushEach(1_000, 5, 0);
  trial.acknowledge(10, 2, 0, [[1, 2]]);
  assertEquals(trial.send(10), []);
  trial.acknowledge(10, 3, 0, [[1, 3]]);
  assertEquals(trial.send(10), [["udp", 0, 0]]);
});

Deno.test("DeliverySender.acknowledge() sends anew only what is missing of a packet", () => {
  const trial = DeliveryTrial.open();
  trial.push(SMALL, 5);
  assertEquals(trial.send(0), [["udp", 0, 4]]);
  trial.pushEach(1_000, 3, 0);
  trial.acknowledge(10, 3, 1, [[2, 2], [4, 7]]);
  assertEquals(trial.send(10), [["udp", 1, 1], ["udp", 3, 3]]);
});

Deno.test("DeliverySender.timeOut() sends anew what was overtaken 9/8 of a round trip ago", () => {
  const trial = DeliveryTrial.open();
  trial.pushEach(1_000, 2, 0);
  trial.acknowledge(20, 1, 0, [[1, 1]]);
  assertEquals(trial.sender.deadline(), 22.5);
  trial.sender.timeOut(22);
  assertEquals(trial.send(22), []);
  trial.sender.timeOut(22.5);
  assertEquals(trial.send(22.5), [["udp", 0, 0]]);
});

Deno.test("DeliverySender.acknowledge() has what was lost twice go over TCP as well", () => {
  const trial = DeliveryTrial.open();
  trial.pushEach(1_000, 1, 0);
  for (let round = 1; round <= 2; round++) {
    trial.pushEach(1_000, 3, round);
    trial.acknowledge(round, trial.packet - 1, 0, [[1, 3 * round]]);
    const again = trial.send(round);
    assertEquals(again, round === 1 ? [["udp", 0, 0]] : [["udp", 0, 0], ["tcp", 0, 0]]);
  }
});

Deno.test("DeliverySender.acknowledge() halves the window, once for losses of one round trip", () => {
  const trial = DeliveryTrial.open();
  assertEquals(trial.pushEach(LARGEST, 10, 0), alone(0, 9));
  trial.acknowledge(20, 9, 0, [[9, 9]]);
  // Of the 11 packets that might fly half may now, and two that are only late still do.
  assertEquals(trial.send(20), alone(0, 3));
  trial.sender.timeOut(23);
  assertEquals(trial.send(23), alone(4, 5));
});

Deno.test("DeliverySender.timeOut() probes with what waits longest, and then doubts UDP", () => {
  const trial = DeliveryTrial.open();
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
  const trial = DeliveryTrial.open();
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
  const trial = DeliveryTrial.open();
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
  const closed = DeliveryTrial.open();
  closed.pushEach(SMALL, 2, 0);
  closed.push(SMALL);
  closed.sender.closePath();
  assertEquals(closed.sender.deadline(), undefined);
  assertEquals(closed.send(1), [["tcp", 0, 1], ["tcp", 2, 2]]);
  const moved = DeliveryTrial.open();
  moved.pushEach(SMALL, 2, 0);
  moved.sender.openPath(20);
  assertEquals(moved.send(1), [["udp", 0, 1]]);
});

Deno.test("DeliverySender.openPath() begins with a new window", () => {
  const trial = DeliveryTrial.open();
  trial.pushEach(LARGEST, 10, 0);
  trial.acknowledge(20, 9, 0, [[9, 9]]);
  // Losses have halved the old one.
  trial.sender.openPath(20);
  assertEquals(trial.send(20).filter(([via]) => via === "udp"), alone(0, 8));
});

Deno.test("DeliverySender keeps to small packets where large ones never arrive", () => {
  const trial = DeliveryTrial.open();
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
  const trial = DeliveryTrial.open();
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
