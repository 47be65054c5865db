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
   * @param kind whether somebody logged in from this address before
   * @returns what to dispose of when it is logged in or has ended (twice is fine), or undefined where
   *   there are too many
   */
  enter(address: string, kind: "known" | "strange"): Disposable | undefined {
    const count = this.#perAddress.get(address) ?? 0;
    const full = this.#pending[kind] >= this.#limits.pending;
    if (full || count >= this.#limits.pendingPerAddress) return undefined;
    return this.hold(address, kind);
  }

  /** Counts a connection without asking whether there are too many. */
  hold(address: string, kind: "known" | "strange"): Disposable {
    const count = this.#perAddress.get(address) ?? 0;
    this.#pending[kind]++;
    this.#perAddress.set(address, count + 1);
    let inside = true;
    return {
      [Symbol.dispose]: () => {
        if (!inside) return;
        inside = false;
        this.#pending[kind]--;
        const left = this.#perAddress.get(address)! - 1;
        if (left === 0) this.#perAddress.delete(address);
        else this.#perAddress.set(address, left);
      },
    };
  }
}
