import { MAX_PAYLOAD_BYTES } from "./datagram.ts";

/** The windows of RFC 9002, section 7.2, in bytes of payload. */
const INITIAL_WINDOW = 10 * MAX_PAYLOAD_BYTES;
const MIN_WINDOW = 2 * MAX_PAYLOAD_BYTES;
/** A receive buffer holds a few hundred packets. */
const MAX_WINDOW = 128 * MAX_PAYLOAD_BYTES;

/** How many bytes of payload may be on their way at once: the NewReno of RFC 9002, section 7.3. */
export class CongestionWindow {
  #bytes = INITIAL_WINDOW;
  /** Up to here it grows with every byte that arrives, and then by a packet each round trip. */
  #slowStartThreshold = Infinity;
  /** Losses of what was sent before are the same event. */
  #recoverySince = -Infinity;

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Packets arrived.
   *
   * @param bytes of all of them
   * @param sent when the last of them was sent, and how many bytes were on their way just now: a window
   *   that is not used says nothing about the path, so it does not grow (section 7.8)
   */
  acknowledged(bytes: number, sent: { at: number; inFlight: number }): void {
    if (sent.at <= this.#recoverySince || sent.inFlight < this.#bytes / 2) return;
    const growth = this.#bytes < this.#slowStartThreshold
      ? bytes
      : MAX_PAYLOAD_BYTES * bytes / this.#bytes;
    this.#bytes = Math.min(this.#bytes + growth, MAX_WINDOW);
  }

  /** Packets were lost, the last of which was sent at `sentAt`. */
  lost(sentAt: number, now: number): void {
    if (sentAt <= this.#recoverySince) return;
    this.#recoverySince = now;
    this.#bytes = this.#slowStartThreshold = Math.max(this.#bytes / 2, MIN_WINDOW);
  }
}
