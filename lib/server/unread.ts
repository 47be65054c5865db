import { Fifo } from "../protocol/fifo.ts";
import type { Deliveries } from "./marks.ts";

/** A direct message that a session has acknowledged. */
interface Acknowledged {
  id: number;
  /** Its delivery number. */
  number: number;
}

/** Direct messages on their way to a session. */
interface Run {
  ids: readonly number[];
  /** The first one's delivery number. */
  number: number;
  /** How many of them the session has acknowledged. */
  acknowledged: number;
}

/** It was acknowledged, and the log does not know that yet. */
const ACKNOWLEDGED = 0;

/** One account's direct messages that its sessions have, and that nobody has acknowledged as far as the log knows. */
export class Unread {
  /** How many sessions have each, by id. */
  #holders: Map<number, number> | undefined;
  #handed: Map<Deliveries, Fifo<Run>> | undefined;

  /** Whether nothing is on its way, and the log knows everything. */
  get isEmpty(): boolean {
    return (this.#holders?.size ?? 0) === 0;
  }

  /** Whether a session has this message, or it was acknowledged. */
  has(id: number): boolean {
    return this.#holders?.has(id) ?? false;
  }

  /** Messages go to a session. @param number the first one's delivery number */
  hand(session: Deliveries, ids: readonly number[], number: number): void {
    if (ids.length === 0) return;
    const counts = this.#holders ??= new Map();
    this.#handed ??= new Map();
    const handed = this.#handed.get(session) ?? new Fifo();
    this.#handed.set(session, handed);
    for (const id of ids) {
      const holders = counts.get(id);
      if (holders !== ACKNOWLEDGED) counts.set(id, (holders ?? 0) + 1);
    }
    handed.push({ ids, number, acknowledged: 0 });
  }

  /**
   * A session has acknowledged more.
   *
   * @returns those that nobody had acknowledged before; the log has to be told of them
   */
  acknowledged(session: Deliveries): Acknowledged[] {
    const first: Acknowledged[] = [];
    const handed = this.#handed?.get(session);
    for (let run; (run = handed?.at(0)) !== undefined;) {
      const number = run.number + run.acknowledged;
      if (number >= session.delivered) break;
      const id = run.ids[run.acknowledged++]!;
      if (run.acknowledged === run.ids.length) handed!.shift();
      const holders = this.#holders!.get(id);
      if (holders === undefined || holders === ACKNOWLEDGED) continue;
      this.#holders!.set(id, ACKNOWLEDGED);
      first.push({ id, number });
    }
    return first;
  }

  /** The log knows of these acknowledgements, or never will. */
  written(ids: readonly number[]): void {
    for (const id of ids) this.#holders?.delete(id);
  }

  /** A session has ended. Whether it leaves messages that no other one has. */
  leave(session: Deliveries): boolean {
    let orphans = false;
    const runs = this.#handed?.get(session)?.drain() ?? [];
    for (const id of runs.flatMap(({ ids }) => ids)) {
      const holders = this.#holders!.get(id);
      if (holders === undefined || holders === ACKNOWLEDGED) continue;
      if (holders > 1) this.#holders!.set(id, holders - 1);
      else orphans = this.#holders!.delete(id);
    }
    this.#handed?.delete(session);
    return orphans;
  }
}
