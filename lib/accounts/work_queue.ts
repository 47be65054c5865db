import { Fifo } from "../protocol/fifo.ts";

/** Options of {@linkcode WorkQueue.run}. */
export interface JobOptions {
  /** Whose job it is. @default nobody's, which is an owner too */
  owner?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Runs jobs, only so many at a time. Jobs of one owner are run first come, first served; owners take
 * turns, so that none can keep the others waiting for more than one job of theirs.
 */
export class WorkQueue {
  readonly #atOnce: number;
  #running = 0;
  /** Whose turn is next comes first. */
  readonly #waiting = new Map<string, Fifo<() => void>>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Runs `job` when its turn comes, and gives what it gives.
   *
   * @throws the signal's reason, where it is aborted by then
   */
  async run<T>(job: () => Promise<T>, { owner = "", signal }: JobOptions = {}): Promise<T> {
    if (this.#running < this.#atOnce) this.#running++;
    else await this.#turn(owner);
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

  #turn(owner: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const line = this.#waiting.get(owner) ?? new Fifo();
    line.push(resolve);
    this.#waiting.set(owner, line);
    return promise;
  }

  #next(): (() => void) | undefined {
    for (const [owner, line] of this.#waiting) {
      const turn = line.shift();
      this.#waiting.delete(owner);
      if (line.length > 0) this.#waiting.set(owner, line);
      return turn;
    }
    return undefined;
  }
}
