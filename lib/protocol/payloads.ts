/**
 * The payloads of `data` and `ack` packets. The layouts stand in `docs/PROTOCOL.md` (Payloads).
 *
 * @module
 */
import { readU64, writeU64 } from "./datagram.ts";
import { MAX_ACK_RANGES } from "./limits.ts";
import type { Range } from "./ranges.ts";

/** What the payload of a `data` packet has besides its records, in bytes. */
export const DATA_HEADER_BYTES = 8;

/**
 * The payload of a `data` packet, in parts.
 *
 * @param number the first record's delivery number; the others have the next ones
 * @param parts the records, UTF-8, with a comma between two
 */
export function encodeData(number: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const head = new Uint8Array(DATA_HEADER_BYTES);
  writeU64(head, 0, number);
  return [head, ...parts];
}

/** Reads the payload of a `data` packet; undefined where it is none. */
export function decodeData(
  payload: Uint8Array,
): { number: number; records: Uint8Array } | undefined {
  if (payload.length <= DATA_HEADER_BYTES) return undefined;
  const number = readU64(payload, 0);
  if (!Number.isSafeInteger(number)) return undefined;
  return { number, records: payload.subarray(DATA_HEADER_BYTES) };
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
  const count = payload[20]!;
  if (count > MAX_ACK_RANGES || payload.length !== ACK_HEADER_BYTES + count * ACK_RANGE_BYTES) {
    return undefined;
  }
  const largest = readU64(payload, 0);
  const delivered = readU64(payload, 12);
  const ranges: [number, number][] = [];
  let above = delivered;
  for (let offset = ACK_HEADER_BYTES; offset < payload.length; offset += ACK_RANGE_BYTES) {
    const first = readU64(payload, offset);
    const last = readU64(payload, offset + 8);
    if (first <= above || last < first) return undefined;
    ranges.push([first, last]);
    // The number after a range is missing, or it would belong to the range.
    above = last + 1;
  }
  if (!Number.isSafeInteger(largest) || !Number.isSafeInteger(above)) return undefined;
  return { largest, delay: view.getUint32(8), delivered, ranges };
}
