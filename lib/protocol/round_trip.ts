/** The round-trip time assumed before one was measured, in milliseconds (RFC 9002, section 6.2.2). */
const INITIAL_MS = 333;
/** How long a receiver may hold an acknowledgement back, in milliseconds. */
export const MAX_ACK_DELAY_MS = 25;
/** Timers are no finer than this, in milliseconds (RFC 9002, section 6.1.2). */
const GRANULARITY_MS = 1;

/** What is known of the time to the other side and back, all in milliseconds. */
export class RoundTrip {
  #latest = INITIAL_MS;
  #smoothed = INITIAL_MS;
  #variation = INITIAL_MS / 2;
  #measured = false;

  /** Takes in a measurement (RFC 9002, section 5.3); `ackDelay` is the receiver's part in it. */
  measure(latest: number, ackDelay = 0): void {
    const rtt = Math.max(latest - Math.min(ackDelay, MAX_ACK_DELAY_MS), 0);
    this.#latest = rtt;
    if (this.#measured) {
      this.#variation += (Math.abs(this.#smoothed - rtt) - this.#variation) / 4;
      this.#smoothed += (rtt - this.#smoothed) / 8;
    } else {
      this.#measured = true;
      this.#smoothed = rtt;
      this.#variation = rtt / 2;
    }
  }

  /** How long after a later packet's arrival an earlier one counts as lost (RFC 9002, 6.1.2). */
  get lossDelay(): number {
    return Math.max(9 / 8 * Math.max(this.#latest, this.#smoothed), GRANULARITY_MS);
  }

  /** How long to wait for any acknowledgement (RFC 9002, section 6.2.1). */
  get probeTimeout(): number {
    return this.#smoothed + Math.max(4 * this.#variation, GRANULARITY_MS) + MAX_ACK_DELAY_MS;
  }
}
