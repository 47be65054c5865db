import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { DeliveryReceiver } from "../../lib/protocol/delivery_receiver.ts";
import { MAX_OUTSTANDING } from "../../lib/protocol/limits.ts";

Deno.test("DeliveryReceiver.receive() gives each message once, in order", () => {
  const receiver = new DeliveryReceiver<string>();
  assertEquals(receiver.receive(1, ["b"]), []);
  assertEquals(receiver.receive(0, ["a"]), ["a", "b"]);
  assertEquals(receiver.receive(0, ["a", "b"]), []);
  assertEquals(receiver.receive(4, ["e", "f"]), []);
  assertEquals(receiver.receive(4, ["e"]), []);
  assertEquals(receiver.receive(1, ["b", "c", "d", "e"]), ["c", "d", "e", "f"]);
  assertEquals(receiver.delivered, 6);
  // Nothing is kept any more, so nothing is missing.
  receiver.packetReceived(0, 0);
  assertEquals(receiver.deadline(), 25);
});

Deno.test("DeliveryReceiver.receive() gives each once, however the runs overlap", () => {
  const run = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 10 }));
  fc.assert(fc.property(fc.array(run, { maxLength: 40 }), (runs) => {
    const receiver = new DeliveryReceiver<number>();
    const given: number[] = [];
    const come = new Set<number>();
    for (const [first, length] of runs) {
      const numbers = Array.from({ length }, (_, index) => first + index);
      for (const number of numbers) come.add(number);
      given.push(...receiver.receive(first, numbers));
      let expected = 0;
      while (come.has(expected)) expected++;
      assertEquals(given, Array.from({ length: expected }, (_, number) => number));
      receiver.packetReceived(0, 0);
      const early = [...come].filter((number) => number >= expected).sort((a, b) => a - b);
      const ranges = receiver.takeAck(25)!.ranges.flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index)
      );
      assertEquals([receiver.delivered, ranges], [expected, early]);
    }
  }));
});

Deno.test("DeliveryReceiver.receive() takes nothing for which it has no place", () => {
  const receiver = new DeliveryReceiver<string>();
  receiver.receive(MAX_OUTSTANDING - 1, ["last", "too far"]);
  receiver.receive(MAX_OUTSTANDING + 1, Array(10).fill("much too far"));
  receiver.packetReceived(0, 0);
  assertEquals(receiver.takeAck(0)?.ranges, [[MAX_OUTSTANDING - 1, MAX_OUTSTANDING - 1]]);
  const rest = Array(MAX_OUTSTANDING - 1).fill("x");
  assertEquals(receiver.receive(0, rest), [...rest, "last"]);
});

Deno.test("DeliveryReceiver.takeAck() waits for a second packet or 25 ms", () => {
  const receiver = new DeliveryReceiver<string>();
  receiver.receive(0, ["a"]);
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
  receiver.receive(0, ["x"]);
  receiver.receive(2, ["x", "x"]);
  receiver.receive(6, ["x"]);
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
  for (const number of [0, 1, 0]) receiver.receive(number, ["x"]);
  receiver.packetReceived(0, 0);
  assertEquals(receiver.takeAck(25)?.ranges, []);
});
