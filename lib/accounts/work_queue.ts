/** Runs jobs first come, first served, only so many at a time. */
export class WorkQueue {
  readonly #atOnce: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Runs `job` when its turn comes, and gives what it gives.
   *
   * @throws the signal's reason, where it is aborted by then
   */
  async run<T>(
    job: () => Promise<T>,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    if (this.#running < this.#atOnce) this.#running++;
    else await new Promise<void>((turn) => this.#waiting.push(turn));
    try {
      signal?.throwIfAborted();
      return await job();
    } finally {
      // The place is handed on, so that nobody who comes later takes it.
      const next = this.#waiting.shift();
      if (next !== undefined) next();
      else this.#running--;
    }
  }
}
