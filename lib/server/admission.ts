/** Whether somebody logged in from an address before. */
type Kind = "known" | "strange";

/**
 * Counts the connections that are not logged in: strict before the login, and never after it. Addresses
 * that are known are counted apart in all, so that strangers never take their room.
 */
export class Admission {
  readonly #limits: { pending: number; pendingPerAddress: number };
  readonly #perAddress = new Map<string, number>();
  readonly #pending = { known: 0, strange: 0 };

  constructor(limits: { pending: number; pendingPerAddress: number }) {
    this.#limits = limits;
  }

  /** The connections that are not logged in. */
  get pending(): number {
    return this.#pending.known + this.#pending.strange;
  }

  /**
   * Lets a connection in.
   *
   * @returns what to dispose of when it is logged in or has ended (twice is fine), or undefined where
   *   there are too many
   */
  enter(address: string, kind: Kind): Disposable | undefined {
    const count = this.#perAddress.get(address) ?? 0;
    const full = this.#pending[kind] >= this.#limits.pending;
    if (full || count >= this.#limits.pendingPerAddress) return undefined;
    return this.hold(address, kind);
  }

  /** Counts a connection without asking whether there are too many. */
  hold(address: string, kind: Kind): Disposable {
    const count = this.#perAddress.get(address) ?? 0;
    this.#pending[kind]++;
    this.#perAddress.set(address, count + 1);
    return new Place(this, address, kind);
  }

  /** For places: this one was given up. */
  release(address: string, kind: Kind): void {
    this.#pending[kind]--;
    const left = this.#perAddress.get(address)! - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
  }
}

/** A connection's place; small, since it stays as long as the connection does. */
class Place implements Disposable {
  readonly #admission: Admission;
  readonly #address: string;
  readonly #kind: Kind;
  #inside = true;

  constructor(admission: Admission, address: string, kind: Kind) {
    this.#admission = admission;
    this.#address = address;
    this.#kind = kind;
  }

  [Symbol.dispose](): void {
    if (!this.#inside) return;
    this.#inside = false;
    this.#admission.release(this.#address, this.#kind);
  }
}
