import { Fifo } from "./fifo.ts";
import type { Range } from "./ranges.ts";
import type { RecordBlock } from "./record_block.ts";

const COMMA = Uint8Array.of(0x2c);

/** Messages that have consecutive delivery numbers and stand one after another in a block. */
interface Run {
  /** The delivery number of the first. */
  number: number;
  block: RecordBlock;
  /** Their places in the block; `to` is not included. */
  from: number;
  to: number;
}

/** Messages with consecutive delivery numbers, and their records. */
export interface Gathered {
  range: Range;
  /** UTF-8, with a comma between two; to be joined. */
  parts: Uint8Array[];
  /** The bytes of all of them. */
  bytes: number;
}

/** What a client has not acknowledged, in the order of its delivery numbers, without gaps. */
export class RunQueue {
  readonly #runs = new Fifo<Run>();
  #bytes = 0;
  #next = 0;

  /** The bytes of the message records in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The delivery number of the next message. */
  get next(): number {
    return this.#next;
  }

  /**
   * Gives messages the next delivery numbers: those of a block from `from` up to `to` (not included).
   *
   * @returns the first one's delivery number
   */
  push(block: RecordBlock, from: number, to: number): number {
    const number = this.#next;
    block.hold();
    this.#runs.push({ number, block, from, to });
    this.#next += to - from;
    this.#bytes += block.size(from, to);
    return number;
  }

  /** Takes out the messages below a number. */
  settle(delivered: number): void {
    for (let run; (run = this.#runs.at(0)) !== undefined && run.number < delivered;) {
      const settled = Math.min(run.from + delivered - run.number, run.to);
      this.#bytes -= run.block.size(run.from, settled);
      if (settled === run.to) {
        run.block.release();
        this.#runs.shift();
      } else {
        run.from = settled;
        run.number = delivered;
      }
    }
  }

  /** Takes out all. */
  clear(): void {
    for (const { block } of this.#runs.drain()) block.release();
    this.#bytes = 0;
  }

  /** Whether the records from a number on take no more than so many bytes. */
  isWithin(bytes: number, first: number): boolean {
    let sum = 0;
    for (let index = this.#runs.length - 1; index >= 0 && sum <= bytes; index--) {
      const { number, block, from, to } = this.#runs.at(index)!;
      const start = from + Math.max(first - number, 0);
      if (start < to) sum += block.size(start, to);
      if (number <= first) break;
    }
    return sum <= bytes;
  }

  /**
   * The records of the first numbers of a range: at most `maxBytes`, but the first one at least.
   *
   * @param maxBytes finite
   */
  gather([first, last]: Range, maxBytes: number): Gathered {
    const parts: Uint8Array[] = [];
    // The last record has no comma after it.
    let left = maxBytes + 1;
    let next = first;
    for (let index = this.#indexOf(first); next <= last; index++) {
      const { number, block, from, to } = this.#runs.at(index)!;
      const start = from + next - number;
      const end = Math.min(to, from + last + 1 - number);
      const fitting = block.fitting(start, end, left);
      const taken = fitting > start || parts.length > 0 ? fitting : start + 1;
      if (taken === start) break;
      if (parts.length > 0) parts.push(COMMA);
      parts.push(block.slice(start, taken));
      left -= block.size(start, taken);
      next += taken - start;
      if (taken < end) break;
    }
    return { range: [first, next - 1], parts, bytes: maxBytes - left };
  }

  /** Where the run with this number stands. */
  #indexOf(number: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#runs.at(middle)!.number <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
