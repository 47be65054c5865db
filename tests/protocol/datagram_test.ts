import { assertEquals, assertThrows } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import {
  MAX_PAYLOAD_BYTES,
  PacketOpener,
  PacketSealer,
  PacketType,
  type Protection,
  sessionOf,
} from "../../lib/protocol/datagram.ts";

const session = "00ff00ff00ff00ff";
const key = "ab".repeat(32);
const payload = fc.uint8Array({ maxLength: MAX_PAYLOAD_BYTES });

function pair(protection: Protection = "sealed") {
  const options = { protection, session, key };
  return { sealer: new PacketSealer(options), opener: new PacketOpener(options) };
}

Deno.test("PacketOpener.open() takes what PacketSealer.seal() makes, numbered from 0", () => {
  const protection = fc.constantFrom<Protection>("sealed", "plain");
  fc.assert(fc.property(protection, fc.array(payload, { maxLength: 5 }), (protection, payloads) => {
    const { sealer, opener } = pair(protection);
    payloads.forEach((payload, number) => {
      const packet = sealer.seal(PacketType.data, payload);
      assertEquals(sessionOf(packet), session);
      assertEquals(opener.open(packet), { type: PacketType.data, number, payload });
    });
  }));
});

Deno.test("PacketOpener.open() refuses a packet with any one bit changed", () => {
  for (const protection of ["sealed", "plain"] as const) refusesFlippedBits(pair(protection));
});

function refusesFlippedBits({ sealer, opener }: ReturnType<typeof pair>): void {
  const packet = sealer.seal(PacketType.data, Uint8Array.of(1, 2, 3));
  for (let bit = 0; bit < packet.length * 8; bit++) {
    const forged = packet.slice();
    forged[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(opener.open(forged), undefined);
  }
  assertEquals(opener.open(packet)?.number, 0);
}

Deno.test("PacketOpener.open() refuses a packet cut short or made longer", () => {
  const { sealer, opener } = pair();
  const packet = sealer.seal(PacketType.data, new Uint8Array(40));
  for (let length = 0; length < packet.length; length++) {
    assertEquals(opener.open(packet.subarray(0, length)), undefined);
  }
  assertEquals(opener.open(Uint8Array.of(...packet, 0)), undefined);
  assertEquals(opener.open(new Uint8Array(65_535)), undefined);
});

Deno.test("PacketOpener.open() takes a packet once, in whatever order they come", () => {
  const { sealer, opener } = pair();
  const packets = [0, 1, 2].map(() => sealer.seal(PacketType.bind));
  assertEquals([2, 0, 1].map((index) => opener.open(packets[index]!)?.number), [2, 0, 1]);
  assertEquals(packets.map((packet) => opener.open(packet)), [undefined, undefined, undefined]);
});

Deno.test("PacketOpener.open() refuses other sessions, keys and directions", () => {
  const protection = "sealed";
  const packet = pair().sealer.seal(PacketType.ack, Uint8Array.of(7));
  const otherKey = new PacketOpener({ protection, session, key: "cd".repeat(32) });
  const otherSession = new PacketOpener({ protection, session: "11".repeat(8), key });
  assertEquals(otherKey.open(packet), undefined);
  assertEquals(otherSession.open(packet), undefined);
  assertEquals(pair("plain").opener.open(packet), undefined);
});

Deno.test("PacketOpener.open() leaves the number of a forged packet to the real one", () => {
  const { sealer, opener } = pair();
  const real = sealer.seal(PacketType.ack, Uint8Array.of(7));
  const forged = real.slice();
  forged[20]! ^= 1;
  assertEquals(opener.open(forged), undefined);
  assertEquals(opener.open(real)?.number, 0);
});

Deno.test("sessionOf() and open() survive any bytes", () => {
  const { opener } = pair();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 1_300 }), (bytes) => {
    sessionOf(bytes);
    assertEquals(opener.open(bytes), undefined);
  }));
});

Deno.test("PacketSealer.seal() refuses a payload that makes the packet too long", () => {
  const { sealer } = pair();
  assertEquals(sealer.seal(PacketType.data, new Uint8Array(MAX_PAYLOAD_BYTES)).length, 1_200);
  assertThrows(
    () => sealer.seal(PacketType.data, new Uint8Array(MAX_PAYLOAD_BYTES + 1)),
    RangeError,
  );
});

Deno.test("PacketSealer.seal() hides the payload, or leaves it to be read", () => {
  const payload = new TextEncoder().encode("Hello guys");
  const readable = (protection: Protection) =>
    new TextDecoder().decode(pair(protection).sealer.seal(PacketType.data, payload));
  assertEquals(readable("sealed").includes("Hello"), false);
  assertEquals(readable("plain").includes("Hello guys"), true);
});
