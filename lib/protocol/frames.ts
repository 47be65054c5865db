/**
 * The payloads of `data` and `ack` packets. The layouts stand in `docs/PROTOCOL.md` (Payloads).
 *
 * @module
 */
import { MAX_PAYLOAD_BYTES } from "./datagram.ts";
import { MAX_ACK_RANGES } from "./limits.ts";

const FRAME_HEADER_BYTES = 10;

/** Who wants to know what became of a message to one session. Exactly one is called, once. */
export interface Receipt {
  /** The receiver has acknowledged it. `via` is the channel that it took. */
  acknowledged(via: "udp" | "tcp"): void;
  /** The session has ended before. */
  lost(): void;
}

/** A message on its way to one session. */
export interface Frame {
  /** The delivery number. */
  number: number;
  /** The message record, UTF-8. */
  record: Uint8Array;
  receipt?: Receipt | undefined;
  /** The sender's: in how many packets it was lost, and whether it arrived before one below it did. */
  losses?: number;
  early?: boolean;
}

/** The bytes that a frame takes in a packet. */
export function frameBytes(record: Uint8Array): number {
  return FRAME_HEADER_BYTES + record.length;
}

/** Whether a record can travel in a packet at all. */
export function fitsPacket(record: Uint8Array): boolean {
  return frameBytes(record) <= MAX_PAYLOAD_BYTES;
}

/** The payload of a `data` packet. */
export function encodeFrames(frames: readonly Frame[]): Uint8Array {
  const payload = new Uint8Array(frames.reduce((sum, { record }) => sum + frameBytes(record), 0));
  const view = new DataView(payload.buffer);
  let offset = 0;
  for (const { number, record } of frames) {
    view.setBigUint64(offset, BigInt(number));
    view.setUint16(offset + 8, record.length);
    payload.set(record, offset + FRAME_HEADER_BYTES);
    offset += frameBytes(record);
  }
  return payload;
}

/** Reads the payload of a `data` packet; undefined where it is none. */
export function decodeFrames(payload: Uint8Array): Frame[] | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const frames: Frame[] = [];
  let offset = 0;
  while (offset < payload.length) {
    const start = offset + FRAME_HEADER_BYTES;
    if (start > payload.length) return undefined;
    const number = Number(view.getBigUint64(offset));
    const end = start + view.getUint16(offset + 8);
    if (end > payload.length || !Number.isSafeInteger(number)) return undefined;
    frames.push({ number, record: payload.subarray(start, end) });
    offset = end;
  }
  return frames.length > 0 ? frames : undefined;
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
  ranges: readonly (readonly [first: number, last: number])[];
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
