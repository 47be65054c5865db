import type { Clock } from "./clock.ts";

/** Who has a deadline. */
export interface Timed {
  /** The deadline has come. @param late how long ago, in milliseconds */
  timeOut(late: number): void;
}

/**
 * The deadlines of many on one timer: most are moved or taken back before they come, and a timer of the runtime costs more
 * than that, and takes more than a kilobyte.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #grain: number;
  readonly #deadlines = new Map<Timed, number>();
  #timer: Disposable | undefined;
  /** When the timer rings. */
  #ringsAt = Infinity;
  #rangAt = -Infinity;

  /**
   * @param grain the timer rings at most so often, in milliseconds, and looks at all of them then: what is due shortly after
   *   another waits for so long
   */
  constructor(clock: Clock, grain: number) {
    this.#clock = clock;
    this.#grain = grain;
  }

  /**
   * Calls `timed` at `deadline` (as {@linkcode Clock.now} counts), and not at an earlier setting's. One that has passed already
   * makes nobody late: it counts from now, or from when the timer should have rung.
   */
  set(timed: Timed, deadline: number | undefined): void {
    if (deadline === undefined || deadline === Infinity) return this.#delete(timed);
    if (deadline >= this.#ringsAt) return void this.#deadlines.set(timed, deadline);
    const now = this.#clock.now();
    const due = Math.max(deadline, Math.min(now, this.#ringsAt));
    this.#deadlines.set(timed, due);
    if (due < this.#ringsAt) this.#wait(due, now);
  }

  #delete(timed: Timed): void {
    this.#deadlines.delete(timed);
    if (this.#deadlines.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#ringsAt = Infinity;
  }

  #wait(deadline: number, now: number): void {
    const ringsAt = Math.max(deadline, this.#rangAt + this.#grain);
    if (ringsAt >= this.#ringsAt) return;
    this.#timer?.[Symbol.dispose]();
    this.#ringsAt = ringsAt;
    // At least a millisecond: timers are whole milliseconds and may ring a little early.
    this.#timer = this.#clock.after(Math.max(Math.ceil(ringsAt - now), 1), () => this.#ring());
  }

  #ring(): void {
    const now = this.#clock.now();
    this.#timer = undefined;
    this.#ringsAt = Infinity;
    this.#rangAt = now;
    const due: [Timed, number][] = [];
    let next = Infinity;
    for (const [timed, deadline] of this.#deadlines) {
      if (deadline <= now) due.push([timed, deadline]);
      else next = Math.min(next, deadline);
    }
    if (next < Infinity) this.#wait(next, now);
    for (const [timed, deadline] of due) {
      // What one of them does may have taken back, or moved, another's.
      if (this.#deadlines.get(timed) !== deadline) continue;
      this.#deadlines.delete(timed);
      timed.timeOut(this.#clock.now() - deadline);
    }
  }
}
