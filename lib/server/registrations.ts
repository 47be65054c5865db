import type { Clock } from "../clock.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { TokenBucket } from "../token_bucket.ts";

/** So many addresses are remembered. */
const MAX_ADDRESSES = 10_000;

/** How many accounts one address may make. */
interface RegistrationLimits {
  registrationBurst: number;
  registrationsPerHour: number;
}

/** A brake on new accounts, for each address. */
export class Registrations {
  /** Is told from which address an account was made. */
  onMade: (address: string) => void = () => {};
  readonly #clock: Clock;
  readonly #limits: RegistrationLimits;
  /** Who was here last comes last. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock, limits: RegistrationLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * Whether an address may make an account now.
   *
   * @throws {ProtocolError} `too-many-accounts`, which says when to try again
   */
  require(address: string): void {
    const wait = this.#buckets.get(address)?.wait(this.#clock.now()) ?? 0;
    if (wait === 0) return;
    throw new ProtocolError(
      "too-many-accounts",
      `too many new accounts come from your address: try again in ${duration(wait)}`,
    );
  }

  /**
   * Does what makes an account, which counts if it was made.
   *
   * @param create whether it was made
   * @throws {ProtocolError} `too-many-accounts`, which says when to try again
   */
  async count(address: string, create: () => Promise<boolean>): Promise<boolean> {
    this.require(address);
    const bucket = this.#bucketOf(address);
    // It counts from now on, so that many at once are no more than one after another.
    bucket.take(this.#clock.now());
    let created = false;
    try {
      return created = await create();
    } finally {
      if (created) this.onMade(address);
      else bucket.giveBack();
    }
  }

  /** An account was made at another server. */
  countElsewhere(address: string): void {
    this.#bucketOf(address).take(this.#clock.now());
  }

  #bucketOf(address: string): TokenBucket {
    const { registrationBurst: burst, registrationsPerHour } = this.#limits;
    const bucket = this.#buckets.get(address) ??
      new TokenBucket({ burst, perSecond: registrationsPerHour / 3_600 }, this.#clock.now());
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > MAX_ADDRESSES) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest!);
    }
    return bucket;
  }
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return seconds <= 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`;
}
