import type { Clock } from "../clock.ts";
import type { Log } from "./log.ts";

/** So many lines of one kind from one address are written as they come. */
const BURST = 5;
/** What comes after them is counted for so long, in milliseconds. */
const PERIOD_MS = 10_000;
/** So many kinds and addresses are told apart. */
const MAX_KEYS = 1_000;

/** What somebody did wrong, in the log: with address and count, and never a flood of it. */
export class Incidents {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #counts = new Map<string, number>();
  readonly #warned = new Set<string>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * @param what what happened, in our words: it tells one kind from another
   * @param address where from, without a port
   * @param detail what is said of it in the lines that are written, and not counted
   */
  report(what: string, address: string, detail = ""): void {
    const kind = `${what}, from ${address}`;
    const known = this.#counts.has(kind) || this.#counts.size < MAX_KEYS;
    const key = known ? kind : "incidents from many addresses";
    const count = this.#counts.get(key) ?? 0;
    if (count === 0) this.#clock.after(PERIOD_MS, () => this.#sum(key));
    this.#counts.set(key, count + 1);
    if (count < BURST) this.#log(known ? `${what}${detail}, from ${address}` : key);
  }

  /** Tells of the server's own state: one line each ten seconds at most. */
  warn(what: string): void {
    if (this.#warned.has(what)) return;
    this.#warned.add(what);
    this.#clock.after(PERIOD_MS, () => this.#warned.delete(what));
    this.#log(what);
  }

  #sum(line: string): void {
    const more = this.#counts.get(line)! - BURST;
    this.#counts.delete(line);
    if (more > 0) this.#log(`${line}: ${more} more in ${PERIOD_MS / 1_000} s`);
  }
}
