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

  /** Somebody has just logged in, or come back, to an account from an address. */
  add(account: string, address: string): void {
    const addresses = this.#accounts.get(account) ?? new Set();
    addresses.delete(address);
    addresses.add(address);
    if (addresses.size > PER_ACCOUNT) dropFirst(addresses);
    this.#accounts.delete(account);
    this.#accounts.set(account, addresses);
    if (this.#accounts.size > MAX_ACCOUNTS) dropFirst(this.#accounts);
  }

  has(account: string, address: string): boolean {
    return this.#accounts.get(account)?.has(address) ?? false;
  }

  /** The account is gone, or has another password: who had the old one is nobody special. */
  forget(account: string): void {
    this.#accounts.delete(account);
  }
}

function dropFirst(collection: Set<string> | Map<string, unknown>): void {
  const [first] = collection.keys();
  collection.delete(first!);
}
