import { Buffer } from "node:buffer";
import { encodeMessage, type Message } from "./records.ts";

const utf8 = new TextEncoder();

/** How much memory blocks take that somebody holds: each counts once. */
export interface HeldMemory {
  bytes: number;
}

/**
 * Message records, encoded once for all who get them: UTF-8, with a comma between two, just as both
 * channels carry a run of them.
 */
export class RecordBlock {
  /** How many records there are. */
  readonly length: number;
  readonly #bytes: Uint8Array;
  /** Where each record begins; and one more, as if another followed. */
  readonly #starts: Uint32Array;
  readonly #held: HeldMemory;
  #holders = 0;

  /**
   * @param messages at least one
   * @param held counts the block while it is held. @default nobody counts
   */
  constructor(messages: readonly Message[], held: HeldMemory = { bytes: 0 }) {
    this.#held = held;
    const records = messages.map(encodeMessage);
    const whole = records.join(",");
    this.#bytes = utf8.encode(whole);
    this.length = records.length;
    this.#starts = new Uint32Array(records.length + 1);
    const isAscii = this.#bytes.length === whole.length;
    for (let index = 0; index < records.length; index++) {
      const record = records[index]!;
      const bytes = isAscii ? record.length : Buffer.byteLength(record);
      this.#starts[index + 1] = this.#starts[index]! + bytes + 1;
    }
  }

  /** The bytes that it takes. */
  get bytes(): number {
    return this.#bytes.length;
  }

  /** Somebody needs the block from now on. */
  hold(): void {
    if (this.#holders++ === 0) this.#held.bytes += this.bytes;
  }

  /** One of those does not any more. */
  release(): void {
    if (--this.#holders === 0) this.#held.bytes -= this.bytes;
  }

  /** The bytes of the records from `from` up to `to` (not included), each with a comma after it. */
  size(from: number, to: number): number {
    return this.#starts[to]! - this.#starts[from]!;
  }

  /** The records from `from` up to `to` (not included): the memory is the block's own. */
  slice(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[from]!, this.#starts[to]! - 1);
  }

  /** Up to which record, not included, the size of those from `from` on is at most `bytes`. */
  fitting(from: number, to: number, bytes: number): number {
    const limit = this.#starts[from]! + bytes;
    if (this.#starts[to]! <= limit) return to;
    let low = from;
    while (low < to) {
      const middle = (low + to + 1) >>> 1;
      if (this.#starts[middle]! <= limit) low = middle;
      else to = middle - 1;
    }
    return low;
  }
}
