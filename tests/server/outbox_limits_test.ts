// How many of a client's packets its outbox looks at.
import { assertEquals } from "@std/assert";
import { PacketType } from "../../lib/protocol/datagram.ts";
import { acknowledge, bind, openOutbox, sendOne, there } from "../helpers/outbox.ts";

Deno.test("Outbox.receive() looks at so many packets of a client a second, and drops more", () => {
  const all = openOutbox();
  const largest = sendOne(all);
  all.push("hi", 2_000);
  all.clock.endTurn();
  const { deliveries } = all.outbox;
  /** How many of 500 acknowledgements, each of one message more, are looked at. */
  function acknowledgeOften(): number {
    const before = deliveries.delivered;
    for (let delivered = before + 1; delivered <= before + 500; delivered++) {
      acknowledge(all, { largest, delivered });
    }
    return deliveries.delivered - before;
  }
  all.clock.advance(1_000);
  assertEquals(acknowledgeOften(), 256);
  assertEquals(acknowledgeOften(), 0);
  all.clock.advance(100);
  assertEquals(acknowledgeOften(), 100);
});

Deno.test("Outbox.receive() looks at few packets about the path", () => {
  const all = openOutbox();
  bind(all);
  /** How many of 1,000 are answered. */
  function bindOften(): number {
    for (let i = 0; i < 1_000; i++) all.outbox.receive(all.sealer.seal(PacketType.bind), there);
    return all.take().length;
  }
  assertEquals(bindOften(), 14);
  all.clock.advance(100);
  assertEquals(bindOften(), 6);
});

Deno.test("Outbox.receive() looks at a client's acknowledgements beside many forged packets", () => {
  const all = openOutbox();
  const largest = sendOne(all);
  const forged = all.sealer.seal(PacketType.bind);
  forged[33]! ^= 1;
  for (let i = 0; i < 200; i++) all.outbox.receive(forged, there);
  acknowledge(all, { largest, delivered: 1 });
  assertEquals(all.outbox.deliveries.delivered, 1);
});
