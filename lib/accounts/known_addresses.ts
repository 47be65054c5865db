/** So many addresses of one account are remembered, */
const PER_ACCOUNT = 8;
/** and those of so many accounts. */
const MAX_ACCOUNTS = 100_000;

/**
 * From which addresses each account was logged in to. It is kept in memory only: where people were is
 * nobody's business later, and clients that come back after a restart are known again.
 */
export class KnownAddresses {
  /** By account; what was used last comes last, also among an account's addresses. */
  readonly #accounts = new Map<string, Set<string>>();
  /** Of how many accounts each address is one. */
  readonly #uses = new Map<string, number>();

  /** Somebody has just logged in, or come back, to an account from an address. */
  add(account: string, address: string): void {
    const addresses = this.#accounts.get(account) ?? new Set();
    if (!addresses.delete(address)) this.#uses.set(address, (this.#uses.get(address) ?? 0) + 1);
    addresses.add(address);
    if (addresses.size > PER_ACCOUNT) {
      const [oldest] = addresses;
      addresses.delete(oldest!);
      this.#drop(oldest!);
    }
    this.#accounts.delete(account);
    this.#accounts.set(account, addresses);
    if (this.#accounts.size > MAX_ACCOUNTS) {
      const [oldest] = this.#accounts.keys();
      this.forget(oldest!);
    }
  }

  has(account: string, address: string): boolean {
    return this.#accounts.get(account)?.has(address) ?? false;
  }

  /** Whether any account was logged in to from this address. */
  hasAddress(address: string): boolean {
    return this.#uses.has(address);
  }

  /** The account is gone, or has another password: who had the old one is nobody special. */
  forget(account: string): void {
    for (const address of this.#accounts.get(account) ?? []) this.#drop(address);
    this.#accounts.delete(account);
  }

  #drop(address: string): void {
    const left = this.#uses.get(address)! - 1;
    if (left === 0) this.#uses.delete(address);
    else this.#uses.set(address, left);
  }
}
