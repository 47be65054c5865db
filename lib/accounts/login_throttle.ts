import { type Clock, sleep } from "../clock.ts";

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
/** So many pairs of account and address, and accounts, are remembered. */
const MAX_REMEMBERED = 10_000;

interface Failures {
  count: number;
  at: number;
}

interface Waiter {
  failures: number;
  go: () => void;
}

interface Account {
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
 * out.
 */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();
  /** Attempts that wait for their turn. */
  readonly #underWay = new Map<string, number>();
  readonly #accounts = new Map<string, Account>();

  constructor(clock: Clock) {
    this.#clock = clock;
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
      await this.#takeTurn(account, count + underWay, signal);
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
    const key = pair(account, address);
    const { count } = this.#failuresOf(account, address);
    this.#failures.delete(key);
    this.#failures.set(key, { count: count + 1, at: this.#clock.now() });
    forgetOldest(this.#failures);
  }

  /** The attempt was right: it costs nothing. */
  succeeded(account: string, address: string): void {
    this.#failures.delete(pair(account, address));
    const state = this.#accounts.get(account);
    if (state !== undefined) state.attempts = Math.max(0, state.attempts - 1);
  }

  #failuresOf(account: string, address: string): Failures {
    const failures = this.#failures.get(pair(account, address));
    const remembered = failures !== undefined && failures.at + MEMORY_MS > this.#clock.now();
    return remembered ? failures : { count: 0, at: -Infinity };
  }

  async #takeTurn(account: string, failures: number, signal: AbortSignal): Promise<void> {
    const state = this.#accountOf(account);
    if (state.waiting.length === 0 && state.attempts < ACCOUNT_BURST) {
      state.attempts++;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const waiter = { failures, go: turn.resolve };
    const behind = state.waiting.findIndex((other) => other.failures > failures);
    state.waiting.splice(behind < 0 ? state.waiting.length : behind, 0, waiter);
    this.#serve(state);
    const giveUp = () => {
      state.waiting = state.waiting.filter((other) => other !== waiter);
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

  #accountOf(account: string): Account {
    const now = this.#clock.now();
    const state = this.#accounts.get(account) ??
      { attempts: 0, at: now, waiting: [], timer: undefined };
    this.#drain(state);
    this.#accounts.delete(account);
    this.#accounts.set(account, state);
    forgetOldest(this.#accounts);
    return state;
  }

  /** The longer ago, the fewer attempts count. */
  #drain(state: Account): void {
    const now = this.#clock.now();
    state.attempts = Math.max(0, state.attempts - (now - state.at) / ACCOUNT_PERIOD_MS);
    state.at = now;
  }

  /** Lets the waiting go on, one by one, as the bucket allows. */
  #serve(state: Account): void {
    if (state.timer !== undefined || state.waiting.length === 0) return;
    this.#drain(state);
    const over = state.attempts - (ACCOUNT_BURST - 1);
    const wait = Math.max(Math.ceil(over * ACCOUNT_PERIOD_MS), 1);
    state.timer = this.#clock.after(wait, () => {
      state.timer = undefined;
      this.#drain(state);
      const next = state.waiting.shift();
      if (next !== undefined) {
        state.attempts++;
        next.go();
      }
      this.#serve(state);
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
