import { type Clock, sleep } from "../clock.ts";
import type { KnownAddresses } from "./known_addresses.ts";

/** So many wrong passwords cost nothing: people mistype. */
const FREE_FAILURES = 3;
/** The longest wait after a wrong password, in milliseconds. */
const MAX_WAIT_MS = 60_000;
/** Wrong passwords are forgotten after this time, in milliseconds. */
const MEMORY_MS = 15 * 60_000;
/** Attempts at one account from everywhere: so many at once, */
const ACCOUNT_BURST = 10;
/** and one each so many milliseconds in the long run. */
const ACCOUNT_PERIOD_MS = 5_000;
/** So many pairs of account and address, and buckets, are remembered. */
const MAX_REMEMBERED = 10_000;

/** A password that was given for an account. */
export interface GivenPassword {
  account: string;
  address: string;
  right: boolean;
  /** Whether the account was logged in to from this address before. */
  known: boolean;
}

interface Failures {
  count: number;
  at: number;
}

interface Waiter {
  failures: number;
  go: () => void;
}

interface Bucket {
  /** When each attempt that still counts was made, in effect: a bucket that runs empty. */
  attempts: number;
  at: number;
  waiting: Waiter[];
  timer: Disposable | undefined;
}

/**
 * Makes guessing hopeless without refusing anybody: after wrong passwords the next attempt of the same
 * address at the same account waits, longer each time; and all attempts at one account, from
 * everywhere, share a bucket. Who has failed least goes first there, so that nobody can keep the owner
 * out. An address from which the account was logged in to has a bucket of its own, so that nobody else's
 * guesses make it wait; guessing from there is as slow as from anywhere.
 */
export class LoginThrottle {
  /** Is told which passwords were wrong, and of a right one that clears them. */
  onPassword: (password: GivenPassword) => void = () => {};
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();
  /** Attempts that wait for their turn. */
  readonly #underWay = new Map<string, number>();
  readonly #buckets = new Map<string, Bucket>();
  readonly #known: KnownAddresses;

  constructor(clock: Clock, known: KnownAddresses) {
    this.#clock = clock;
    this.#known = known;
  }

  /**
   * Waits until an attempt may be made. It counts as made.
   *
   * @throws the signal's reason, when it is aborted
   */
  async admit(account: string, address: string, signal: AbortSignal): Promise<void> {
    const key = pair(account, address);
    const { count, at } = this.#failuresOf(account, address);
    // An address that tries many at once does not get in line as often: each counts as one that failed.
    const underWay = this.#underWay.get(key) ?? 0;
    this.#underWay.set(key, underWay + 1);
    try {
      await this.#wait({ count, at }, signal);
      await this.#takeTurn(this.#bucketKey(account, address), count + underWay, signal);
    } finally {
      const left = this.#underWay.get(key)! - 1;
      if (left === 0) this.#underWay.delete(key);
      else this.#underWay.set(key, left);
    }
  }

  async #wait({ count, at }: Failures, signal: AbortSignal): Promise<void> {
    const wait = count < FREE_FAILURES
      ? 0
      : Math.min(1_000 * 2 ** (count - FREE_FAILURES), MAX_WAIT_MS);
    const rest = at + wait - this.#clock.now();
    if (rest > 0) await sleep(this.#clock, rest, signal);
  }

  /** The attempt was wrong. */
  failed(account: string, address: string): void {
    this.#addFailure(account, address);
    const known = this.#known.has(account, address);
    this.onPassword({ account, address, right: false, known });
  }

  #addFailure(account: string, address: string): void {
    const key = pair(account, address);
    const { count } = this.#failuresOf(account, address);
    this.#failures.delete(key);
    this.#failures.set(key, { count: count + 1, at: this.#clock.now() });
    forgetOldest(this.#failures);
  }

  /** An attempt was made at another server. */
  countElsewhere({ account, address, right, known }: GivenPassword): void {
    if (right) return void this.#failures.delete(pair(account, address));
    this.#addFailure(account, address);
    this.#bucketOf(known ? pair(account, address) : account).attempts++;
  }

  /** The attempt was right: it costs nothing. */
  succeeded(account: string, address: string): void {
    const cleared = this.#failures.delete(pair(account, address));
    if (cleared) this.onPassword({ account, address, right: true, known: true });
    const key = this.#bucketKey(account, address);
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return;
    bucket.attempts = Math.max(0, bucket.attempts - 1);
    const isIdle = bucket.waiting.length === 0 && bucket.timer === undefined;
    if (bucket.attempts === 0 && isIdle) this.#buckets.delete(key);
  }

  #bucketKey(account: string, address: string): string {
    return this.#known.has(account, address) ? pair(account, address) : account;
  }

  #failuresOf(account: string, address: string): Failures {
    const failures = this.#failures.get(pair(account, address));
    const remembered = failures !== undefined && failures.at + MEMORY_MS > this.#clock.now();
    return remembered ? failures : { count: 0, at: -Infinity };
  }

  async #takeTurn(key: string, failures: number, signal: AbortSignal): Promise<void> {
    const bucket = this.#bucketOf(key);
    if (bucket.waiting.length === 0 && bucket.attempts < ACCOUNT_BURST) {
      bucket.attempts++;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const waiter = { failures, go: turn.resolve };
    const behind = bucket.waiting.findIndex((other) => other.failures > failures);
    bucket.waiting.splice(behind < 0 ? bucket.waiting.length : behind, 0, waiter);
    this.#serve(bucket);
    const giveUp = () => {
      bucket.waiting = bucket.waiting.filter((other) => other !== waiter);
      turn.reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp);
    if (signal.aborted) giveUp();
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  #bucketOf(key: string): Bucket {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ??
      { attempts: 0, at: now, waiting: [], timer: undefined };
    this.#drain(bucket);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    forgetOldest(this.#buckets);
    return bucket;
  }

  /** The longer ago, the fewer attempts count. */
  #drain(bucket: Bucket): void {
    const now = this.#clock.now();
    bucket.attempts = Math.max(0, bucket.attempts - (now - bucket.at) / ACCOUNT_PERIOD_MS);
    bucket.at = now;
  }

  /** Lets the waiting go on, one by one, as the bucket allows. */
  #serve(bucket: Bucket): void {
    if (bucket.timer !== undefined || bucket.waiting.length === 0) return;
    this.#drain(bucket);
    const over = bucket.attempts - (ACCOUNT_BURST - 1);
    const wait = Math.max(Math.ceil(over * ACCOUNT_PERIOD_MS), 1);
    bucket.timer = this.#clock.after(wait, () => {
      bucket.timer = undefined;
      this.#drain(bucket);
      const next = bucket.waiting.shift();
      if (next !== undefined) {
        bucket.attempts++;
        next.go();
      }
      this.#serve(bucket);
    });
  }
}

function pair(account: string, address: string): string {
  return `${account} ${address}`;
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= MAX_REMEMBERED) return;
  const [oldest] = map.keys();
  map.delete(oldest!);
}
