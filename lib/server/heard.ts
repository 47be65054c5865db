import { Fifo } from "../protocol/fifo.ts";
import type { Deliveries } from "./marks.ts";

/** So many are remembered of a session: what comes then goes with the newest of them. */
const HANDED = 256;

/** The newest of some messages of rooms that went to a session. */
interface Handed {
  id: number;
  /** Its delivery number. */
  number: number;
}

/**
 * Up to where one account has what was said in its rooms. Each session is given everything after what the account has
 * acknowledged before, so what the furthest of them has acknowledged has no gap.
 */
export class Heard {
  /** Whether the account is in a room, or was: else there is nothing to know. */
  isNeeded = false;
  #upTo = 0;
  #written = 0;
  #handed: Map<Deliveries, Fifo<Handed>> | undefined;

  /** The account needs no message of any room up to this id. */
  get upTo(): number {
    return this.#upTo;
  }

  /** Whether the log knows that. */
  get isWritten(): boolean {
    return this.#written >= this.#upTo;
  }

  /** A session needs nothing more up to an id, as soon as it has acknowledged what it has been given. */
  needsAfter(session: Deliveries, upTo: number): void {
    if (!this.isNeeded) return;
    const handed = this.#handed?.get(session);
    const newest = handed?.at(handed.length - 1);
    if (newest === undefined) this.#upTo = Math.max(this.#upTo, upTo);
    else newest.id = Math.max(newest.id, upTo);
  }

  /** The log knows of so much. */
  written(upTo: number): void {
    this.#written = Math.max(this.#written, upTo);
    this.#upTo = Math.max(this.#upTo, upTo);
  }

  /** Messages of rooms go to a session, in the order of their ids. @param id the newest one's */
  hand(session: Deliveries, id: number, number: number): void {
    this.#handed ??= new Map();
    const handed = this.#handed.get(session) ?? new Fifo();
    this.#handed.set(session, handed);
    if (handed.length < HANDED) return handed.push({ id, number });
    const newest = handed.at(HANDED - 1)!;
    newest.id = id;
    newest.number = number;
  }

  /** A session has acknowledged more. Whether the account has got any further by that. */
  acknowledged(session: Deliveries): boolean {
    const handed = this.#handed?.get(session);
    const before = this.#upTo;
    for (let next; (next = handed?.at(0)) !== undefined && next.number < session.delivered;) {
      handed!.shift();
      this.#upTo = Math.max(this.#upTo, next.id);
    }
    return this.#upTo > before;
  }

  /** A session has ended. */
  leave(session: Deliveries): void {
    this.#handed?.delete(session);
  }
}
