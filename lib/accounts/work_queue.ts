import { Fifo } from "../protocol/fifo.ts";

/** Options of {@linkcode WorkQueue.run}. */
export interface JobOptions {
  /** Whose job it is. @default nobody's, which is an owner too */
  owner?: string | undefined;
  /** Whether it goes before those that are not preferred. @default false */
  preferred?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Runs jobs, only so many at a time. Jobs of one owner are run first come, first served; owners take
 * turns, so that none can keep the others waiting for more than one job of theirs. Where there are
 * preferred jobs, every second one is of these, so that neither kind can keep the other waiting.
 */
export class WorkQueue {
  readonly #atOnce: number;
  #running = 0;
  readonly #preferred = new Turns();
  readonly #others = new Turns();
  #preferredLast = false;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Runs `job` when its turn comes, and gives what it gives.
   *
   * @throws the signal's reason, where it is aborted by then
   */
  async run<T>(job: () => Promise<T>, options: JobOptions = {}): Promise<T> {
    const { owner = "", preferred = false, signal } = options;
    if (this.#running < this.#atOnce) this.#running++;
    else await (preferred ? this.#preferred : this.#others).wait(owner);
    try {
      signal?.throwIfAborted();
      return await job();
    } finally {
      // The place is handed on, so that nobody who comes later takes it.
      const next = this.#next();
      if (next !== undefined) next();
      else this.#running--;
    }
  }

  #next(): (() => void) | undefined {
    const preferred = this.#preferredLast ? undefined : this.#preferred.next();
    const other = preferred ?? this.#others.next();
    this.#preferredLast = preferred !== undefined || other === undefined;
    return other ?? this.#preferred.next();
  }
}

/** Owners that wait, and take turns. */
class Turns {
  /** Whose turn is next comes first. */
  readonly #waiting = new Map<string, Fifo<() => void>>();

  /** Fulfilled when it is the owner's turn. */
  wait(owner: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const line = this.#waiting.get(owner) ?? new Fifo();
    line.push(resolve);
    this.#waiting.set(owner, line);
    return promise;
  }

  /** What gives somebody the turn; undefined where nobody waits. */
  next(): (() => void) | undefined {
    for (const [owner, line] of this.#waiting) {
      const turn = line.shift();
      this.#waiting.delete(owner);
      if (line.length > 0) this.#waiting.set(owner, line);
      return turn;
    }
    return undefined;
  }
}
