import { type ConsumerMessages, DeliverPolicy, type MsgHdrs } from "./nats.ts";
import { type Clock, sleep } from "../clock.ts";
import type { Snapshots } from "./snapshots.ts";
import type { ClusterStream } from "./stream.ts";

/** How long before what failed is tried again, in milliseconds. */
const PAUSE_MS = 250;
/** So many events are asked for ahead, how long each time, and how often NATS says that there are none. */
const READING = { max_messages: 5_000, expires: 10_000, idle_heartbeat: 1_000 };
/** So many events the leader is asked for at a time, and how soon again when it has no more, in milliseconds. */
const AT_ONCE = 200;
const AGAIN_MS = 50;

/**
 * What a consumer says while it reads (`discard`: it asks for more since the time for the last was over). Whatever else
 * it says, another one goes on in its place.
 */
const READS: ReadonlySet<string> = new Set(["heartbeat", "next", "debug", "discard"]);

/** An event as the stream has it. */
export interface Given {
  seq: number;
  headers: MsgHdrs | undefined;
  data: Uint8Array;
  /** Whether the stream has lost the one before it. */
  isAfterGap: boolean;
}

/** Options of {@linkcode StreamReader}. */
export interface StreamReaderOptions {
  stream: ClusterStream;
  snapshots: Snapshots;
  clock: Clock;
  log: (event: string) => void;
  /** The number of the event that comes before the first one. */
  after: number;
  /** What this server has published, and does not know yet whether the stream has it. */
  outstanding: ReadonlySet<unknown>;
  /** Takes each event. */
  take: (event: Given) => void;
  /** Is told why it can't go on. */
  stop: (problem: string) => void;
  /** Aborted when nothing is read any more. */
  signal: AbortSignal;
}

/** Reads a stream, each event once and in order, over as many consumers as that takes. */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  /** The number of the newest event that was taken. */
  #received: number;
  /** An event that a consumer left out, while the stream is asked for it. */
  #missed: number | undefined;
  /** An event that the stream does not have, though it has later ones. */
  #absent: number | undefined;
  #inDoubt = false;
  #stopConsumer = () => {};

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#received = options.after;
  }

  /**
   * NATS was silent. A consumer gives what one copy of the stream has, and a copy that was cut off may have events that the
   * stream has not: what its server had taken as the leader, without the others (seen with NATS 2.9). So the leader itself is
   * asked for each event, until nothing is outstanding that was published before.
   */
  doubt(): void {
    if (this.#inDoubt) return;
    this.#inDoubt = true;
    this.#stopConsumer();
  }

  /** Reads until the signal is aborted, or it can't go on. */
  async run(): Promise<void> {
    const { stream, stop, signal } = this.#options;
    void this.#watchConnection();
    signal.addEventListener("abort", () => this.#stopConsumer(), { once: true });
    while (!signal.aborted) {
      try {
        if (!await stream.isSame()) return stop(`the stream ${stream.name} is another one by now`);
        while (this.#inDoubt && !signal.aborted) await this.#readLeader();
        await this.#readConsumer();
      } catch {
        // Whoever looks after the connection has said why.
      }
      await this.#pause(PAUSE_MS);
    }
  }

  async #readConsumer(): Promise<void> {
    const { stream, signal } = this.#options;
    const consumer = await stream.client.consumers.get(stream.name, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#received + 1,
    });
    let over = false;
    const messages = await consumer.consume({
      ...READING,
      callback: ({ seq, headers, data }) => {
        if (!over) this.#receive({ seq, headers, data });
      },
    });
    this.#stopConsumer = () => {
      // What it has on its way does not count any more.
      over = true;
      messages.stop();
    };
    void this.#watch(messages);
    if (this.#inDoubt || signal.aborted) this.#stopConsumer();
    const error = await messages.closed();
    if (error) throw error;
  }

  /** Gives up a consumer at the first sign that it does not read any more. (It would go on by itself, but after up to half a minute.) */
  async #watch(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) if (!READS.has(type)) messages.stop();
  }

  /** After another connection, another consumer. */
  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#options.stream.connection.status()) {
      if (type === "reconnect") this.#stopConsumer();
    }
  }

  async #readLeader(): Promise<void> {
    const { stream, outstanding, signal } = this.#options;
    this.#inDoubt = false;
    const before = new Set(outstanding);
    try {
      for (;;) {
        const { last } = await stream.ends();
        for (let next = this.#received + 1; next <= last && !signal.aborted; next += AT_ONCE) {
          await this.#ask(next, Math.min(last, next + AT_ONCE - 1));
        }
        for (const published of before) if (!outstanding.has(published)) before.delete(published);
        if (before.size === 0 || signal.aborted) return;
        await this.#pause(AGAIN_MS);
      }
    } catch (error) {
      this.#inDoubt = true;
      throw error;
    }
  }

  /** Asks the leader for the next events, from one number up to another. */
  async #ask(first: number, last: number): Promise<void> {
    const { manager, name } = this.#options.stream;
    const numbers = Array.from({ length: last + 1 - first }, (_, i) => first + i);
    const found = await Promise.all(
      numbers.map((seq) => manager.streams.getMessage(name, { seq })),
    );
    for (const [i, event] of found.entries()) {
      if (event !== null) {
        this.#receive({ seq: event.seq, headers: event.header, data: event.data });
      } else if (numbers[i] === this.#received + 1) {
        await this.#explain(numbers[i]!);
        if (this.#absent !== numbers[i]) throw new Error("what was missing is there");
      }
    }
  }

  #receive({ seq, headers, data }: Omit<Given, "isAfterGap">): void {
    const { take, signal } = this.#options;
    if (seq <= this.#received || signal.aborted) return;
    const isAfterGap = seq !== this.#received + 1;
    if (isAfterGap && this.#received + 1 !== this.#absent) return this.#skip(seq);
    this.#received = seq;
    take({ seq, headers, data, isAfterGap });
  }

  /**
   * Events were left out: a NATS server that has just come back may do that, whose copy of the stream is not whole yet. They
   * are read again.
   */
  #skip(seq: number): void {
    this.#stopConsumer();
    const missing = this.#received + 1;
    if (this.#missed === missing) return;
    this.#missed = missing;
    this.#options.log(`NATS gave event ${seq} before ${missing}: reading again`);
    void this.#explain(missing).catch(() => this.#missed = undefined);
  }

  async #explain(missing: number): Promise<void> {
    const { stream, snapshots, stop } = this.#options;
    if (await stream.has(missing)) {
      this.#missed = undefined;
    } else if (missing <= await snapshots.floor()) {
      stop(
        `event ${missing} was trimmed while this server was away: started again, it begins with a snapshot`,
      );
      // What the stream has lost is never waited for.
    } else this.#absent = missing;
  }

  async #pause(ms: number): Promise<void> {
    const { clock, signal } = this.#options;
    await sleep(clock, ms, signal).catch(() => {});
  }
}
