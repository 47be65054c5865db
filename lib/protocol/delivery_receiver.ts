import { MAX_OUTSTANDING } from "./limits.ts";
import type { Ack } from "./payloads.ts";
import { RangeSet } from "./ranges.ts";

/** An acknowledgement goes out after this many packets (RFC 9000, section 13.2.2). */
const PACKETS_PER_ACK = 2;
/** Or after this time, in milliseconds. */
const MAX_ACK_DELAY_MS = 25;

/**
 * One session's deliveries at the client: gives each message once, in the order of the delivery
 * numbers, whichever channel brought it, and says what to acknowledge. It has no clock: `now` is
 * given to it, in milliseconds from any beginning.
 *
 * @typeParam T a message
 */
export class DeliveryReceiver<T> {
  /** Every number below this one was received and given. */
  #delivered = 0;
  /** What came before its turn, and the numbers of that. */
  readonly #early = new Map<number, T>();
  readonly #earlyNumbers = new RangeSet();
  #largest: { packet: number; at: number } | undefined;
  #unacknowledgedPackets = 0;
  #ackDue: number | undefined;

  /** Every delivery number below this one was received. */
  get delivered(): number {
    return this.#delivered;
  }

  /**
   * Takes messages with consecutive delivery numbers in.
   *
   * @param number the first one's
   * @returns the messages whose turn has come, in order: none where the numbers were there before, or
   *   one below them is missing. A number further ahead than the limit on outstanding deliveries is not
   *   taken; its sender was never allowed to send it.
   */
  receive(number: number, messages: readonly T[]): T[] {
    if (number > this.#delivered) {
      this.#keep(number, messages);
      return [];
    }
    const ready = messages.slice(this.#delivered - number);
    this.#delivered += ready.length;
    for (let next; (next = this.#early.get(this.#delivered)) !== undefined;) {
      this.#delivered++;
      ready.push(next);
    }
    if (this.#early.size > 0) this.#dropBelow(this.#delivered);
    return ready;
  }

  /** A data packet came, and what it carries has been received. */
  packetReceived(packet: number, now: number): void {
    const reordered = this.#largest !== undefined && packet !== this.#largest.packet + 1;
    if (this.#largest === undefined || packet > this.#largest.packet) {
      this.#largest = { packet, at: now };
    }
    this.#unacknowledgedPackets++;
    const atOnce = this.#unacknowledgedPackets >= PACKETS_PER_ACK || reordered ||
      this.#early.size > 0;
    this.#ackDue = atOnce ? now : Math.min(this.#ackDue ?? Infinity, now + MAX_ACK_DELAY_MS);
  }

  /** When an acknowledgement is due, or undefined where there is nothing to acknowledge. */
  deadline(): number | undefined {
    return this.#ackDue;
  }

  /** The acknowledgement to send by UDP now, if one is due. */
  takeAck(now: number): Ack | undefined {
    if (this.#largest === undefined || this.#ackDue === undefined || now < this.#ackDue) {
      return undefined;
    }
    this.#ackDue = undefined;
    this.#unacknowledgedPackets = 0;
    return {
      largest: this.#largest.packet,
      delay: Math.round((now - this.#largest.at) * 1_000),
      delivered: this.#delivered,
      ranges: this.#earlyNumbers.ranges,
    };
  }

  #keep(number: number, messages: readonly T[]): void {
    const end = this.#delivered + MAX_OUTSTANDING;
    for (const message of messages.slice(0, Math.max(end - number, 0))) {
      this.#early.set(number, message);
      this.#earlyNumbers.add(number, number);
      number++;
    }
  }

  #dropBelow(end: number): void {
    for (const [first, last] of this.#earlyNumbers.ranges) {
      if (first >= end) break;
      for (let number = first; number <= last && number < end; number++) this.#early.delete(number);
    }
    this.#earlyNumbers.deleteBelow(end);
  }
}
