import { Fifo } from "../protocol/fifo.ts";
import type { ClientRecord } from "../protocol/records.ts";

/** So many records of a client may wait; then its connection is not read for a while. */
const MAX_RECORDS = 1_024;
/** So many characters may, of a client that is not logged in, or where much waits of all clients. */
const FEW_CHARACTERS = 65_536;
/** So many characters may otherwise: 1,000 requests without an answer, of 2,000 characters each. */
const MANY_CHARACTERS = 2 * 1_024 * 1_024;
/** So many characters of all clients together are much. */
const MAX_TOTAL_CHARACTERS = 32 * 1_024 * 1_024;

/** What waits of all clients' records together. */
export interface InboundTotal {
  characters: number;
}

/** The session that an {@linkcode Inbound} belongs to. */
export interface InboundSession {
  /** Undefined before the login. */
  readonly active: object | undefined;
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
 * far as not too much waits: acknowledgements among it are served at once, or the client would seem to take nothing.
 */
export class Inbound {
  readonly #owner: InboundSession;
  readonly #total: InboundTotal;
  /** What waits for a record before it; undefined where nothing has to. */
  #waiting: Fifo<Waiting> | undefined;
  #characters = 0;
  #serving: Promise<void> | undefined;
  #backpressure: PromiseWithResolvers<void> | undefined;
  /** Whether a record could not be served after a wait: nothing that comes after it is. */
  #failed = false;

  constructor(owner: InboundSession, total: InboundTotal) {
    this.#owner = owner;
    this.#total = total;
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
      this.#note(characters);
    }
  }

  /** A promise of the time when it takes more; undefined where that is now. */
  backpressure(): Promise<void> | undefined {
    if (!this.#isFull) return undefined;
    this.#backpressure ??= Promise.withResolvers();
    return this.#backpressure.promise;
  }

  /** Fulfilled when all that was taken has been served; undefined where that is now. */
  get served(): Promise<void> | undefined {
    return this.#serving;
  }

  get #isFull(): boolean {
    if ((this.#waiting?.length ?? 0) > MAX_RECORDS) return true;
    if (this.#characters <= FEW_CHARACTERS) return false;
    return this.#owner.active === undefined || this.#characters > MANY_CHARACTERS ||
      this.#total.characters > MAX_TOTAL_CHARACTERS;
  }

  /** So many characters more wait, or fewer. */
  #note(characters: number): void {
    this.#characters += characters;
    this.#total.characters += characters;
  }

  async #serveAfter(pause: Promise<void>): Promise<void> {
    const waiting = this.#waiting = new Fifo();
    try {
      await pause;
      for (let next; (next = waiting.shift()) !== undefined;) {
        this.#note(-next.characters);
        if (!this.#isFull) this.#relieve();
        const pause = this.#owner.serve(next.record);
        if (pause !== undefined) await pause;
      }
    } catch (error) {
      this.#failed = true;
      this.#waiting = undefined;
      this.#note(-this.#characters);
      this.#relieve();
      return await this.#owner.failed(error);
    }
    this.#waiting = this.#serving = undefined;
  }

  #relieve(): void {
    this.#backpressure?.resolve();
    this.#backpressure = undefined;
  }
}
