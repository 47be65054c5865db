import type { Clock } from "../../lib/clock.ts";

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  /** How far the wall clock is off, in milliseconds. */
  error = 0;
  #now = 0;
  #timers: { at: number; action: () => void }[] = [];
  #soon: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  date(): Date {
    return new Date(Date.UTC(2026, 0, 31, 9, 30) + this.#now + this.error);
  }

  after(ms: number, action: () => void): Disposable {
    const timer = { at: this.#now + ms, action };
    this.#timers.push(timer);
    return {
      [Symbol.dispose]: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  soon(action: () => void): void {
    this.#soon.push(action);
  }

  /** Timers that are still to ring. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Ends turns of the loop until nothing is left to do in one. */
  endTurn(): void {
    while (this.#soon.length > 0) for (const action of this.#soon.splice(0)) action();
  }

  /** Time passes, and nothing else happens: the process is stopped, or something takes long. */
  sleep(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass: every timer rings at its own time, and its turn ends. */
  advance(ms: number): void {
    const end = this.#now + ms;
    this.endTurn();
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.action();
      this.endTurn();
    }
    this.#now = end;
  }
}
