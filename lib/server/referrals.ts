import type { OtherServers } from "../cluster/other_servers.ts";
import { type Clock, sleep } from "../clock.ts";
import { MAX_NAMED_SERVERS } from "../protocol/limits.ts";
import { encodeRecord, type NamedServer } from "../protocol/records.ts";

/** Changes are told together, once in so long, in milliseconds. */
const TOGETHER_MS = 1_000;
/** Between two groups of clients that are sent away, in milliseconds. */
const PAUSE_MS = 100;
/** So many clients are a group at least, so many groups there are at most: that is ten seconds. */
const GROUP = 100;
const GROUPS = 100;

/** A session whose client is told of other servers. */
export interface Referred {
  notify(line: string): void;
}

/**
 * Tells clients of the other servers of the cluster. Each is told another one first, so that not all go to the
 * same one.
 */
export class Referrals {
  readonly #clock: Clock;
  readonly #others: OtherServers;
  readonly #told = new Set<Referred>();
  #turn = 0;
  #timer: Disposable | undefined;

  constructor(clock: Clock, others: OtherServers) {
    this.#clock = clock;
    this.#others = others;
    others.onChange = () => this.#timer ??= clock.after(TOGETHER_MS, () => this.#tell());
  }

  /** The servers for the next client to try, in this order; undefined where there are none. */
  next(): NamedServer[] | undefined {
    const { servers } = this.#others;
    if (servers.length === 0) return undefined;
    const first = this.#turn++ % servers.length;
    return [...servers.slice(first), ...servers.slice(0, first)].slice(0, MAX_NAMED_SERVERS);
  }

  /** From now on a client is told of changes. */
  watch(session: Referred): void {
    this.#told.add(session);
  }

  unwatch(session: Referred): void {
    this.#told.delete(session);
  }

  /**
   * Sends everybody away a few at a time, since it is work for the servers where they go.
   *
   * @param send sends one away, to these servers; fulfilled when it has gone
   */
  async sendAway<T>(
    everybody: readonly T[],
    send: (one: T, servers: NamedServer[] | undefined) => Promise<void>,
  ): Promise<void> {
    const group = Math.max(GROUP, Math.ceil(everybody.length / GROUPS));
    const going: Promise<void>[] = [];
    for (const [index, one] of everybody.entries()) {
      const pause = index > 0 && index % group === 0;
      if (pause) await sleep(this.#clock, PAUSE_MS, new AbortController().signal);
      going.push(send(one, this.next()));
    }
    await Promise.all(going);
  }

  #tell(): void {
    this.#timer = undefined;
    for (const session of this.#told) {
      session.notify(encodeRecord({ type: "servers", servers: this.next() ?? [] }));
    }
  }

  [Symbol.dispose](): void {
    this.#others.onChange = () => {};
    this.#timer?.[Symbol.dispose]();
  }
}
