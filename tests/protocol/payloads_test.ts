import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { concat } from "../../lib/protocol/lines.ts";
import {
  DATA_HEADER_BYTES,
  decodeAck,
  decodeData,
  encodeAck,
  encodeData,
} from "../../lib/protocol/payloads.ts";

const part = fc.uint8Array({ minLength: 1, maxLength: 60 });
const parts = fc.array(part, { minLength: 1, maxLength: 10 });

Deno.test("decodeData() takes back what encodeData() makes, as long as it was said to be", () => {
  fc.assert(fc.property(fc.maxSafeNat(), parts, (number, parts) => {
    const payload = concat(encodeData(number, parts));
    const records = concat(parts);
    assertEquals(payload.length, DATA_HEADER_BYTES + records.length);
    assertEquals(decodeData(payload), { number, records });
  }));
});

Deno.test("decodeData() refuses a payload without a record, and a number that is not exact", () => {
  const payload = concat(encodeData(1, [Uint8Array.of(1)]));
  for (let length = 0; length < payload.length; length++) {
    assertEquals(decodeData(payload.subarray(0, length)), undefined);
  }
  assertEquals(decodeData(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0, 1)), undefined);
});

Deno.test("decodeAck() takes back what encodeAck() makes", () => {
  const gap = fc.record({ missing: fc.integer({ min: 1, max: 50 }), length: fc.nat(50) });
  const ack = fc.record({
    largest: fc.maxSafeNat(),
    delay: fc.nat(0xffff_ffff),
    delivered: fc.nat(2 ** 40),
    gaps: fc.array(gap, { maxLength: 32 }),
  });
  fc.assert(fc.property(ack, ({ gaps, ...rest }) => {
    let next = rest.delivered;
    const ranges = gaps.map(({ missing, length }) => {
      const first = next + missing;
      next = first + length + 1;
      return [first, first + length] as [number, number];
    });
    assertEquals(decodeAck(encodeAck({ ...rest, ranges })), { ...rest, ranges });
  }));
});

Deno.test("encodeAck() leaves out the ranges beyond the 32nd", () => {
  const ranges = Array.from({ length: 40 }, (_, i) => [2 * i + 1, 2 * i + 1] as const);
  const ack = decodeAck(encodeAck({ largest: 0, delay: 0, delivered: 0, ranges }));
  assertEquals(ack?.ranges.length, 32);
});

Deno.test("decodeAck() refuses ranges out of order, touching or backwards, and wrong lengths", () => {
  const wrong: [number, number][][] = [[[4, 5]], [[6, 5]], [[6, 8], [8, 9]], [[6, 8], [9, 9]], [[
    8,
    9,
  ], [6, 6]]];
  for (const ranges of wrong) {
    assertEquals(decodeAck(encodeAck({ largest: 0, delay: 0, delivered: 4, ranges })), undefined);
  }
  const payload = encodeAck({ largest: 0, delay: 0, delivered: 4, ranges: [[6, 7]] });
  for (let length = 0; length < payload.length; length++) {
    assertEquals(decodeAck(payload.subarray(0, length)), undefined);
  }
  assertEquals(decodeAck(Uint8Array.of(...payload, 0)), undefined);
});

Deno.test("the payload parsers survive any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    decodeAck(bytes);
    decodeData(bytes);
  }));
});
