/**
 * How a session's UDP path is found, validated and kept open. Pure: neither class sends anything or
 * knows the time.
 *
 * @module
 */

/** What the server answers to a packet about the path. */
export type PathAnswer = { send: "bound" } | { send: "challenge"; token: string };

/**
 * The server's side: believes an address only after what it sent there came back (RFC 9000, section
 * 8.2), and only of the highest-numbered `bind`. Each packet is answered with one of about its size,
 * so nothing is amplified.
 *
 * @typeParam A an address; two are the same if `key` says so
 */
export class PathValidator<A> {
  #highestBind = -1;
  #candidate: { address: A; token: string } | undefined;
  #address: A | undefined;
  /** The one that was in use before it fell silent. */
  #lapsed: A | undefined;
  readonly #key: (address: A) => string;
  readonly #newToken: () => string;

  constructor(options: { key: (address: A) => string; newToken: () => string }) {
    this.#key = options.key;
    this.#newToken = options.newToken;
  }

  /** The validated address, to which messages go. */
  get address(): A | undefined {
    return this.#address;
  }

  /** A `bind` with this packet number came from `address`. */
  bind(number: number, address: A): PathAnswer | undefined {
    if (number <= this.#highestBind) return undefined;
    this.#highestBind = number;
    if (this.#address !== undefined && this.#key(this.#address) === this.#key(address)) {
      this.#candidate = undefined;
      return { send: "bound" };
    }
    this.#candidate = { address, token: this.#newToken() };
    return { send: "challenge", token: this.#candidate.token };
  }

  /** A `response` came. Whether it makes the address that was asked the session's address. */
  respond(token: string): boolean {
    if (this.#candidate === undefined || token !== this.#candidate.token) return false;
    this.#address = this.#candidate.address;
    this.#candidate = undefined;
    return true;
  }

  /** The address has to be validated anew. Whether there was one. */
  invalidate(): boolean {
    if (this.#address === undefined) return false;
    this.#lapsed = this.#address;
    this.#address = undefined;
    return true;
  }

  /** A new challenge for the address that may be the session's: of the newest bind, or the last in use. */
  recheck(): { address: A; token: string } | undefined {
    const address = this.#candidate?.address ?? this.#lapsed;
    if (address === undefined || this.#address !== undefined) return undefined;
    this.#candidate = { address, token: this.#newToken() };
    return this.#candidate;
  }
}

/** The first wait for an answer to a `bind`, in milliseconds; each further one is twice as long. */
const FIRST_WAIT_MS = 250;
/** How often the path is refreshed, and the longest wait, in milliseconds. */
const REFRESH_MS = 20_000;

/** The client's side: when to send `bind`. `now` is in milliseconds from any beginning. */
export class PathBinder {
  #wait = FIRST_WAIT_MS;
  #next = -Infinity;
  #bound = false;

  /** Whether the server has said that it uses the path. */
  get bound(): boolean {
    return this.#bound;
  }

  /** When the next `bind` is due. */
  deadline(): number {
    return this.#next;
  }

  /** Whether to send a `bind` now; true only once for each. */
  due(now: number): boolean {
    if (now < this.#next) return false;
    this.#next = now + this.#wait;
    this.#wait = Math.min(this.#wait * 2, REFRESH_MS);
    return true;
  }

  /** A `bound` came. */
  confirm(now: number): void {
    this.#bound = true;
    this.#wait = FIRST_WAIT_MS;
    this.#next = now + REFRESH_MS;
  }
}
