import { Alarm, type Clock } from "../clock.ts";
import type { NatsConnection } from "./nats.ts";

/** A NATS server that answers nothing for so long is left, in milliseconds; then after twice that, and so on, up to */
const PATIENCE_MS = 5_000;
/** this. */
const MOST_PATIENCE_MS = 60_000;
const LATE_MS = 1_000;

/** Options of {@linkcode Search}. */
export interface SearchOptions {
  connection: NatsConnection;
  clock: Clock;
  log: (event: string) => void;
}

/**
 * Looks for another NATS server when the one at hand is there but answers nothing, since it is cut off from the others, or
 * these have no majority: then less and less often, as there may be none that answers.
 */
export class Search implements Disposable {
  readonly #options: SearchOptions;
  readonly #alarm: Alarm;
  #patience = PATIENCE_MS;
  #answeredAt: number;
  #connected = true;
  /** The server that is being left. */
  #leaving: string | undefined;
  #isSearching = false;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#answeredAt = options.clock.now();
    this.#alarm = new Alarm(options.clock, (late) => this.#check(late));
  }

  /** From now on NATS is asked something again and again. */
  begin(): void {
    this.#wait();
  }

  #wait(): void {
    this.#answeredAt = this.#options.clock.now();
    this.#alarm.set(this.#answeredAt + this.#patience);
  }

  /** Whether the connection comes and goes because of this, which is said in the log once. */
  get isSearching(): boolean {
    return this.#isSearching;
  }

  /** NATS has answered something that takes a majority. */
  answered(): void {
    const { clock, connection, log } = this.#options;
    this.#answeredAt = clock.now();
    if (!this.#isSearching) return;
    this.#isSearching = false;
    this.#patience = PATIENCE_MS;
    log(`NATS at ${connection.getServer()} answers`);
    this.#wait();
  }

  /** There is no connection: NATS' client looks for one itself. */
  disconnected(): void {
    this.#connected = false;
  }

  /** There is one again. */
  connected(server: string): void {
    this.#connected = true;
    this.#answeredAt = this.#options.clock.now();
    const again = this.#leaving === server;
    this.#leaving = undefined;
    // NATS' client may begin with the one that it had.
    if (again) this.#options.connection.reconnect().catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#alarm[Symbol.dispose]();
  }

  #check(late: number): void {
    const { clock, connection, log } = this.#options;
    // Whoever is late was stopped itself, and may have answers to read.
    if (!this.#connected || late > LATE_MS) return this.#wait();
    const end = this.#answeredAt + this.#patience;
    if (clock.now() < end) return this.#alarm.set(end);
    const server = connection.getServer();
    if (!this.#isSearching) log(`NATS at ${server} answers nothing: trying the others`);
    this.#isSearching = true;
    this.#patience = Math.min(2 * this.#patience, MOST_PATIENCE_MS);
    this.#wait();
    this.#leaving = server;
    connection.reconnect().catch(() => {});
  }
}
