import type { Clock } from "../clock.ts";
import { Deadlines, type Timed } from "../deadlines.ts";
import {
  DEAD_AFTER_MS,
  DEAD_SOON_MS,
  PING_AFTER_MS,
  PING_DEAF_MS,
  PING_SOON_MS,
} from "../protocol/limits.ts";

/** An alarm that rings later than this after its time tells of no silence, in milliseconds. */
const LATE_MS = 1_000;

/** Of many connections, those that have been silent for nearly as long are looked at together, in milliseconds. */
export const LIVENESS_GRAIN_MS = 250;

/** Whoever has the connection that {@linkcode Liveness} watches. */
export interface LivenessOwner {
  /** Asks the other side for a sign of life. */
  ping(): void;
  /** Nothing was heard for too long. Called once, and then nothing more. */
  dead(): void;
}

/** Watches whether the other side of a control connection still says something. */
export class Liveness implements Disposable, Timed {
  readonly #clock: Clock;
  readonly #owner: LivenessOwner;
  readonly #deadlines: Deadlines;
  #heardAt: number;
  #pingedAt: number;
  #deaf = false;
  #impatient = false;
  #dueAt = 0;

  /** @param deadlines those of all connections. @default its own */
  constructor(
    { clock, deadlines = new Deadlines(clock, LIVENESS_GRAIN_MS) }: {
      clock: Clock;
      deadlines?: Deadlines;
    },
    owner: LivenessOwner,
  ) {
    this.#clock = clock;
    this.#owner = owner;
    this.#heardAt = this.#pingedAt = clock.now();
    this.#deadlines = deadlines;
    this.#schedule();
  }

  /** Whether silence is to be noticed within seconds, since there is somewhere else to go. */
  set impatient(impatient: boolean) {
    if (impatient === this.#impatient) return;
    this.#impatient = impatient;
    this.#schedule();
  }

  /** The other side said something. */
  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  /** From now on the other side may be kept waiting, so its silence means nothing; it is still pinged. */
  pause(): void {
    this.#deaf = true;
    this.#schedule();
  }

  /** Silence counts again, from now on. */
  resume(): void {
    this.#deaf = false;
    this.heard();
  }

  [Symbol.dispose](): void {
    this.#deadlines.set(this, undefined);
  }

  timeOut(): void {
    const now = this.#clock.now();
    // Whoever is late was stopped or blocked itself, and may have something to read.
    if (now > this.#dueAt + LATE_MS) this.#heardAt = now;
    if (now >= this.#death) return this.#owner.dead();
    if (now >= this.#nextPing) {
      this.#pingedAt = now;
      this.#owner.ping();
    }
    this.#schedule();
  }

  get #nextPing(): number {
    const patience = this.#impatient ? PING_SOON_MS : PING_AFTER_MS;
    return Math.max(this.#heardAt, this.#pingedAt) + (this.#deaf ? PING_DEAF_MS : patience);
  }

  get #death(): number {
    if (this.#deaf) return Infinity;
    return this.#heardAt + (this.#impatient ? DEAD_SOON_MS : DEAD_AFTER_MS);
  }

  #schedule(): void {
    this.#dueAt = Math.min(this.#nextPing, this.#death);
    this.#deadlines.set(this, this.#dueAt);
  }
}
