import { Alarm, type Clock } from "../clock.ts";
import { DEAD_AFTER_MS, PING_AFTER_MS } from "../protocol/limits.ts";

/** An alarm that rings later than this after its time tells of no silence, in milliseconds. */
const LATE_MS = 1_000;

/** What to do about a silent peer. */
export interface LivenessActions {
  ping: () => void;
  /** Called once, and then nothing more. */
  dead: () => void;
}

/** Watches whether the other side of a control connection still says something. */
export class Liveness implements Disposable {
  readonly #clock: Clock;
  readonly #actions: LivenessActions;
  readonly #alarm: Alarm;
  #heardAt: number;
  #pingedAt: number;
  #deaf = false;
  #dueAt = 0;

  constructor(clock: Clock, actions: LivenessActions) {
    this.#clock = clock;
    this.#actions = actions;
    this.#heardAt = this.#pingedAt = clock.now();
    this.#alarm = new Alarm(clock, () => this.#check());
    this.#set(this.#heardAt + PING_AFTER_MS);
  }

  /** The other side said something. */
  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  /** From now on nothing is read, so silence means nothing; the other side is still pinged. */
  pause(): void {
    this.#deaf = true;
  }

  /** What comes is read again. */
  resume(): void {
    this.#deaf = false;
    this.heard();
  }

  [Symbol.dispose](): void {
    this.#alarm[Symbol.dispose]();
  }

  #check(): void {
    const now = this.#clock.now();
    // Whoever is late was stopped or blocked itself, and may have something to read.
    if (now > this.#dueAt + LATE_MS) this.#heardAt = now;
    if (!this.#deaf && now >= this.#heardAt + DEAD_AFTER_MS) return this.#actions.dead();
    if (now >= Math.max(this.#heardAt, this.#pingedAt) + PING_AFTER_MS) {
      this.#pingedAt = now;
      this.#actions.ping();
    }
    const nextPing = Math.max(this.#heardAt, this.#pingedAt) + PING_AFTER_MS;
    const death = this.#deaf ? Infinity : this.#heardAt + DEAD_AFTER_MS;
    this.#set(Math.min(nextPing, death));
  }

  #set(deadline: number): void {
    this.#dueAt = deadline;
    this.#alarm.set(deadline);
  }
}
