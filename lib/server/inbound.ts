import { Fifo } from "../protocol/fifo.ts";
import type { ClientRecord } from "../protocol/records.ts";

/** So much may wait, in characters and in records; then the connection is not read for a while. */
const MAX_WAITING = { characters: 65_536, records: 1_024 };

/** The session that an {@linkcode Inbound} belongs to. */
export interface InboundSession {
  /**
   * Serves a record.
   *
   * @returns what the next one has to wait for; undefined where that is nothing
   * @throws what can't be answered
   */
  serve(record: ClientRecord): void | Promise<void>;
  /** Serves a record at once, if it is one that waits for no other. @returns whether it is */
  serveEarly(record: ClientRecord): boolean;
  /** A record that had to wait can't be served, for a reason that can't be answered. */
  failed(error: unknown): Promise<void>;
}

/** A record that waits for those before it. */
interface Waiting {
  record: ClientRecord;
  characters: number;
}

/**
 * One client's records on their way in: served in order. What comes while one of them has to wait is read all the same, as
 * far as there is room: acknowledgements among it are served at once, or the client would seem to take nothing.
 */
export class Inbound {
  readonly #owner: InboundSession;
  /** What waits for a record before it; undefined where nothing has to. */
  #waiting: Fifo<Waiting> | undefined;
  #characters = 0;
  #serving: Promise<void> | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  /** Whether a record could not be served after a wait: nothing that comes after it is. */
  #failed = false;

  constructor(owner: InboundSession) {
    this.#owner = owner;
  }

  /**
   * Serves a record: now, or after those before it.
   *
   * @param characters of its line
   * @throws what the owner throws at one that it serves now
   */
  take(record: ClientRecord, characters: number): void {
    if (this.#failed) return;
    if (this.#waiting === undefined) {
      const pause = this.#owner.serve(record);
      if (pause !== undefined) this.#serving = this.#serveAfter(pause);
    } else if (!this.#owner.serveEarly(record)) {
      this.#waiting.push({ record, characters });
      this.#characters += characters;
    }
  }

  /** A promise of the time when there is room for more; undefined where that is now. */
  room(): Promise<void> | undefined {
    if (!this.#isFull) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Fulfilled when all that was taken has been served; undefined where that is now. */
  get served(): Promise<void> | undefined {
    return this.#serving;
  }

  get #isFull(): boolean {
    return this.#characters > MAX_WAITING.characters ||
      (this.#waiting?.length ?? 0) > MAX_WAITING.records;
  }

  async #serveAfter(pause: Promise<void>): Promise<void> {
    const waiting = this.#waiting = new Fifo();
    try {
      await pause;
      for (let next; (next = waiting.shift()) !== undefined;) {
        this.#characters -= next.characters;
        if (!this.#isFull) this.#relieve();
        const pause = this.#owner.serve(next.record);
        if (pause !== undefined) await pause;
      }
    } catch (error) {
      this.#failed = true;
      this.#waiting = undefined;
      this.#characters = 0;
      this.#relieve();
      return await this.#owner.failed(error);
    }
    this.#waiting = this.#serving = undefined;
  }

  #relieve(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
