import type { Clock } from "../clock.ts";

/** So many seconds are looked back. */
const SECONDS = 60;

/** What each second of the last minute came to. */
class LastMinute {
  readonly #clock: Clock;
  readonly #combine: (a: number, b: number) => number;
  /** By the number of the second modulo 60. */
  readonly #values = new Array<number>(SECONDS).fill(0);
  /** The second that something was added to last. */
  #second: number;

  /** @param combine what two values of the same second, or of two, come to; 0 adds nothing */
  constructor(clock: Clock, combine: (a: number, b: number) => number) {
    this.#clock = clock;
    this.#combine = combine;
    this.#second = this.#now();
  }

  add(value: number): void {
    this.#forget();
    const place = this.#second % SECONDS;
    this.#values[place] = this.#combine(this.#values[place]!, value);
  }

  /** What the whole minute came to. */
  get whole(): number {
    this.#forget();
    return this.#values.reduce(this.#combine);
  }

  /** Seconds to which nothing was added came to nothing. */
  #forget(): void {
    const now = this.#now();
    const passed = Math.min(now - this.#second, SECONDS);
    for (let i = 1; i <= passed; i++) this.#values[(this.#second + i) % SECONDS] = 0;
    this.#second = Math.max(now, this.#second);
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1_000);
  }
}

const sum = (a: number, b: number) => a + b;
const longer = (a: number, b: number) => Math.max(a, b);

/** How often something has happened in the last minute. */
export class RecentRate {
  readonly #clock: Clock;
  readonly #began: number;
  readonly #counts: LastMinute;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now();
    this.#counts = new LastMinute(clock, sum);
  }

  add(count: number): void {
    this.#counts.add(count);
  }

  /** In a second, on average over the last minute, or since the start. */
  get perSecond(): number {
    const seconds = Math.min(Math.max((this.#clock.now() - this.#began) / 1_000, 1), SECONDS);
    return this.#counts.whole / seconds;
  }
}

/** How long something took in the last minute, in milliseconds. */
export class RecentTimes {
  readonly #counts: LastMinute;
  readonly #times: LastMinute;
  readonly #longest: LastMinute;

  constructor(clock: Clock) {
    this.#counts = new LastMinute(clock, sum);
    this.#times = new LastMinute(clock, sum);
    this.#longest = new LastMinute(clock, longer);
  }

  add(ms: number): void {
    this.#counts.add(1);
    this.#times.add(ms);
    this.#longest.add(ms);
  }

  /** 0 where it did not happen. */
  get mean(): number {
    return this.#times.whole / Math.max(this.#counts.whole, 1);
  }

  get longest(): number {
    return this.#longest.whole;
  }
}
