import { abortable } from "@std/async/abortable";
import { setImmediate } from "node:timers";

/** Time as the program sees it; tests give their own. */
export interface Clock {
  /** Milliseconds from some beginning; never goes back. */
  now(): number;
  /** Wall-clock time. */
  date(): Date;
  /** Calls `action` once, `ms` milliseconds from now, unless disposed of before. */
  after(ms: number, action: () => void): Disposable;
  /** Calls `action` when this turn of the event loop has done its work. */
  soon(action: () => void): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  soon: (action) => void setImmediate(action),
};

/**
 * Waits.
 *
 * @throws the signal's reason, as soon as it is aborted
 */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  using _timer = clock.after(ms, over.resolve);
  await abortable(over.promise, signal);
}

/**
 * One timer that is set, moved and stopped; what deadlines of state machines hang on. Moving it to a later
 * time costs nothing: the timer rings at the earlier one, and is set again.
 */
export class Alarm implements Disposable {
  #timer: Disposable | undefined;
  /** When the timer rings. */
  #ringsAt = Infinity;
  #deadline: number | undefined;
  readonly #clock: Clock;
  readonly #action: (late: number) => void;

  /** @param action is told how late it is called, in milliseconds */
  constructor(clock: Clock, action: (late: number) => void) {
    this.#clock = clock;
    this.#action = action;
  }

  /**
   * Rings at `deadline` (as {@linkcode Clock.now} counts), and not at an earlier setting's. One that has passed
   * already makes nobody late: it counts from now, or from when the timer should have rung.
   */
  set(deadline: number | undefined): void {
    this.#deadline = undefined;
    if (deadline === undefined || deadline === Infinity) return;
    this.#deadline = Math.max(deadline, Math.min(this.#clock.now(), this.#ringsAt));
    if (this.#deadline >= this.#ringsAt) return;
    this.#timer?.[Symbol.dispose]();
    this.#wait(this.#deadline);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#deadline = undefined;
    this.#ringsAt = Infinity;
  }

  #wait(deadline: number): void {
    // At least a millisecond: timers are whole milliseconds and may ring a little early.
    const wait = Math.max(Math.ceil(deadline - this.#clock.now()), 1);
    this.#ringsAt = deadline;
    this.#timer = this.#clock.after(wait, () => this.#ring());
  }

  #ring(): void {
    this.#timer = undefined;
    this.#ringsAt = Infinity;
    const deadline = this.#deadline;
    if (deadline === undefined) return;
    const late = this.#clock.now() - deadline;
    if (late < 0) return this.#wait(deadline);
    this.#deadline = undefined;
    this.#action(late);
  }
}

/** A time limit that can stand still. */
export class Countdown implements Disposable {
  readonly #clock: Clock;
  readonly #action: () => void;
  #remaining: number;
  #startedAt = 0;
  #timer: Disposable | undefined;
  #disposed = false;

  /** Starts at once: calls `action` when `ms` milliseconds have passed that did not stand still. */
  constructor(clock: Clock, ms: number, action: () => void) {
    this.#clock = clock;
    this.#remaining = ms;
    this.#action = action;
    this.resume();
  }

  /** Stands still from now on. */
  pause(): void {
    if (this.#timer === undefined) return;
    this.#remaining -= this.#clock.now() - this.#startedAt;
    this.#stop();
  }

  /** Goes on. */
  resume(): void {
    if (this.#timer !== undefined || this.#disposed) return;
    this.#startedAt = this.#clock.now();
    this.#timer = this.#clock.after(Math.max(this.#remaining, 0), this.#action);
  }

  /** It never rings, whatever is done to it. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#stop();
  }

  #stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }
}
