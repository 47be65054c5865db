import { MAX_PAYLOAD_BYTES } from "./datagram.ts";

/** A payload that passes where datagrams of 576 bytes pass (RFC 791, section 3.1), in bytes. */
const SAFE_PAYLOAD_BYTES = 512;
/** So many times in a row that larger packets did not arrive mean that none does. */
const MAX_FAILURES = 6;

/**
 * How large packets may be on a path. One that drops what is large, fragments among it, lets the small
 * ones through that validate it (RFC 8899 calls it a black hole).
 */
export class PacketSize {
  #failures = 0;

  /** The most bytes that a packet's payload shall have. */
  get maxPayload(): number {
    return this.#failures < MAX_FAILURES ? MAX_PAYLOAD_BYTES : SAFE_PAYLOAD_BYTES;
  }

  /** A packet with a payload of so many bytes arrived. */
  arrived(payload: number): void {
    if (payload > SAFE_PAYLOAD_BYTES) this.#failures = 0;
  }

  /** It did not; of several that were lost together it is the last one. */
  failed(payload: number): void {
    if (payload > SAFE_PAYLOAD_BYTES) this.#failures++;
  }
}
