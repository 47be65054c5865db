import type { Clock } from "../clock.ts";
import { foldUsername } from "../protocol/names.ts";
import type { HeldMemory } from "../protocol/record_block.ts";
import type { Member } from "./active_user.ts";

/** How long a sender waits for receivers who are behind, in milliseconds. */
const RELIEF_LIMIT_MS = 2_000;

/** With more than this to deliver the server takes further messages only as fast as it delivers them, in bytes. */
const MAX_LOAD_BYTES = 256 * 1_024 * 1_024;
/** How often it looks how much that is while senders wait, in milliseconds. */
const LOOK_MS = 10;

/** Why a session ends for which too much waits. */
export const TOO_MUCH = "too much waited to be delivered";

/** Options of {@linkcode Backpressure}. */
export interface BackpressureOptions {
  clock: Clock;
  /** What waits for all sessions together; what waits for several counts once. */
  held: HeldMemory;
  /** How much that may be. */
  maxBacklogBytes: number;
  /** All sessions. */
  members: () => Iterable<Member>;
}

/** A sender that waits for its turn. */
interface Waiting {
  /** What its next message will cost, in bytes to deliver. */
  cost: number;
  resolve: () => void;
}

/**
 * Slows down whoever sends faster than others can take, or than the server can deliver; one who does not take anything
 * slows down nobody for long, and ends where too much waits.
 */
export class Backpressure {
  readonly #options: BackpressureOptions;
  /** Sessions that were far behind when they were last given something. */
  readonly #behind = new Set<Member>();
  /** What there is to deliver to those who take it, in bytes: at most, since some of it is delivered by now. */
  #load = 0;
  #lookedAt = -Infinity;
  /** Senders that wait because that is too much: each has its turn. */
  #waiting: Waiting[] = [];

  constructor(options: BackpressureOptions) {
    this.#options = options;
  }

  /** A session was given messages. */
  given(member: Member): void {
    if (member.backpressure() !== undefined) this.#behind.add(member);
  }

  /** A session has ended. */
  left(member: Member): void {
    this.#behind.delete(member);
  }

  /** Where too much waits for all together, those for whom most waits end. */
  cap(): void {
    while (this.#options.held.bytes > this.#options.maxBacklogBytes) {
      let worst: Member | undefined;
      for (const member of this.#options.members()) {
        if (member.backlogBytes > (worst?.backlogBytes ?? 0)) worst = member;
      }
      if (worst === undefined) return;
      worst.fail("too-slow", TOO_MUCH);
    }
  }

  /**
   * What a sender waits for before its next message; undefined where that is nothing.
   *
   * @param cost the bytes that its last one has to be delivered in, to all receivers together
   * @param isReceiver whether a user, by key, got it
   */
  relief(cost: number, isReceiver: (key: string) => boolean): Promise<void> | undefined {
    this.#load += cost;
    return this.#receivers(isReceiver) ?? this.#turn(cost);
  }

  /** Waits until no receiver is far behind, or for two seconds. */
  #receivers(isReceiver: (key: string) => boolean): Promise<void> | undefined {
    if (this.#behind.size === 0) return undefined;
    const waits: Promise<void>[] = [];
    for (const member of this.#behind) {
      if (member.backpressure() === undefined) this.#behind.delete(member);
      if (!isReceiver(foldUsername(member.username))) continue;
      const relief = member.relief();
      if (relief !== undefined) waits.push(relief);
    }
    if (waits.length === 0) return undefined;
    const late = Promise.withResolvers<void>();
    const limit = this.#options.clock.after(RELIEF_LIMIT_MS, late.resolve);
    return Promise.race([Promise.all(waits), late.promise]).then(() => limit[Symbol.dispose]());
  }

  /** Waits until the server has less to deliver. Who does not take anything does not count, so that time comes. */
  #turn(cost: number): Promise<void> | undefined {
    const { clock } = this.#options;
    if (this.#load <= MAX_LOAD_BYTES) return undefined;
    if (this.#waiting.length === 0) {
      if (clock.now() - this.#lookedAt >= LOOK_MS) this.#look();
      if (this.#load <= MAX_LOAD_BYTES) return undefined;
      clock.after(LOOK_MS, () => this.#release());
    }
    return new Promise((resolve) => this.#waiting.push({ cost, resolve }));
  }

  #look(): void {
    this.#lookedAt = this.#options.clock.now();
    this.#load = 0;
    for (const member of this.#options.members()) this.#load += member.load;
  }

  /** As many as the load allows, in the order in which they came. */
  #release(): void {
    this.#look();
    let released = 0;
    while (released < this.#waiting.length && this.#load < MAX_LOAD_BYTES) {
      const { cost, resolve } = this.#waiting[released++]!;
      this.#load += cost;
      resolve();
    }
    this.#waiting = this.#waiting.slice(released);
    if (this.#waiting.length > 0) this.#options.clock.after(LOOK_MS, () => this.#release());
  }
}
