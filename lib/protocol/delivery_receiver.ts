import type { Ack } from "./frames.ts";
import { MAX_OUTSTANDING } from "./limits.ts";

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
  /** What came before its turn. */
  readonly #early = new Map<number, T>();
  #largest: { packet: number; at: number } | undefined;
  #unacknowledgedPackets = 0;
  #ackDue: number | undefined;

  /** Every delivery number below this one was received. */
  get delivered(): number {
    return this.#delivered;
  }

  /**
   * Takes one delivery in.
   *
   * @returns the messages whose turn has come, in order: none where the number was there before, or
   *   one below it is missing. A number further ahead than the limit on outstanding deliveries is not
   *   taken; its sender was never allowed to send it.
   */
  receive(number: number, message: T): T[] {
    const ahead = number - this.#delivered;
    if (ahead < 0 || ahead >= MAX_OUTSTANDING || this.#early.has(number)) return [];
    this.#early.set(number, message);
    const ready: T[] = [];
    for (let next; (next = this.#early.get(this.#delivered)) !== undefined;) {
      this.#early.delete(this.#delivered++);
      ready.push(next);
    }
    return ready;
  }

  /** A data packet came, and its frames have been received. */
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
      ranges: this.#ranges(),
    };
  }

  #ranges(): [number, number][] {
    const ranges: [number, number][] = [];
    for (const number of [...this.#early.keys()].sort((a, b) => a - b)) {
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === number - 1) last[1] = number;
      else ranges.push([number, number]);
    }
    return ranges;
  }
}
