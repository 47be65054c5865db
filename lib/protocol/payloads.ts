/**
 * The payloads of `data` and `ack` packets. The layouts stand in `docs/PROTOCOL.md` (Payloads).
 *
 * @module
 */
import { writeU64 } from "./datagram.ts";
import { MAX_ACK_RANGES } from "./limits.ts";
import { concat } from "./lines.ts";
import type { Range } from "./ranges.ts";

const NUMBER_BYTES = 8;

/** The size of a `data` packet's payload with these records in it. */
export function encodedDataBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, NUMBER_BYTES);
}

/**
 * The payload of a `data` packet.
 *
 * @param number the first record's delivery number; the others have the next ones
 * @param parts the records, UTF-8, with a comma between two
 */
export function encodeData(number: number, parts: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(NUMBER_BYTES);
  writeU64(head, 0, number);
  return concat([head, ...parts]);
}

/** Reads the payload of a `data` packet; undefined where it is none. */
export function decodeData(
  payload: Uint8Array,
): { number: number; records: Uint8Array } | undefined {
  if (payload.length <= NUMBER_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const number = Number(view.getBigUint64(0));
  if (!Number.isSafeInteger(number)) return undefined;
  return { number, records: payload.subarray(NUMBER_BYTES) };
}

/** What a receiver has. */
export interface Ack {
  /** The highest number of a `data` packet received. */
  largest: number;
  /** How long that packet had been there when the `ack` was made, in microseconds. */
  delay: number;
  /** Every delivery number below this one was received. */
  delivered: number;
  /** Delivery numbers received beyond it, first to last, ascending, with holes between them. */
  ranges: readonly Range[];
}

const ACK_HEADER_BYTES = 21;
const ACK_RANGE_BYTES = 16;

/** The payload of an `ack` packet. Of the ranges only the first {@linkcode MAX_ACK_RANGES} go. */
export function encodeAck({ largest, delay, delivered, ranges }: Ack): Uint8Array {
  const sent = ranges.slice(0, MAX_ACK_RANGES);
  const payload = new Uint8Array(ACK_HEADER_BYTES + sent.length * ACK_RANGE_BYTES);
  const view = new DataView(payload.buffer);
  view.setBigUint64(0, BigInt(largest));
  view.setUint32(8, Math.min(delay, 0xffff_ffff));
  view.setBigUint64(12, BigInt(delivered));
  view.setUint8(20, sent.length);
  sent.forEach(([first, last], index) => {
    view.setBigUint64(ACK_HEADER_BYTES + index * ACK_RANGE_BYTES, BigInt(first));
    view.setBigUint64(ACK_HEADER_BYTES + index * ACK_RANGE_BYTES + 8, BigInt(last));
  });
  return payload;
}

/** Reads the payload of an `ack` packet; undefined where it is none. */
export function decodeAck(payload: Uint8Array): Ack | undefined {
  if (payload.length < ACK_HEADER_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const count = view.getUint8(20);
  if (count > MAX_ACK_RANGES || payload.length !== ACK_HEADER_BYTES + count * ACK_RANGE_BYTES) {
    return undefined;
  }
  const largest = Number(view.getBigUint64(0));
  const delivered = Number(view.getBigUint64(12));
  const ranges: [number, number][] = [];
  let above = delivered;
  for (let offset = ACK_HEADER_BYTES; offset < payload.length; offset += ACK_RANGE_BYTES) {
    const first = Number(view.getBigUint64(offset));
    const last = Number(view.getBigUint64(offset + 8));
    if (first <= above || last < first) return undefined;
    ranges.push([first, last]);
    // The number after a range is missing, or it would belong to the range.
    above = last + 1;
  }
  if (!Number.isSafeInteger(largest) || !Number.isSafeInteger(above)) return undefined;
  return { largest, delay: view.getUint32(8), delivered, ranges };
}
