import { type Clock, sleep } from "../clock.ts";
import type { JournalEvent } from "../journal/events.ts";
import { headers } from "./nats.ts";
import type { ClusterStream } from "./stream.ts";
import { formatTurn, TURN, type Turn } from "./turns.ts";
import { encodeEvent, natsSubjectOf } from "./wire.ts";

/** How long before what failed is tried again, in milliseconds. */
const PAUSE_MS = 250;
/** An event that could not be published for so long is given up, in milliseconds. */
const GIVE_UP_MS = 60_000;

/** An event that is to be published. */
export interface Outgoing {
  event: JournalEvent;
  /** Is told once what became of it. */
  settled: (outcome: number | Error) => void;
}

/** One that the stream has not given back, or not in its turn. */
interface Waiting extends Outgoing {
  number: number;
  after: number;
  since: number;
}

/** Options of {@linkcode OrderedPublisher}. */
export interface OrderedPublisherOptions {
  stream: ClusterStream;
  clock: Clock;
  /** Is told each time whether the stream has taken an event. */
  onPublished: (taken: boolean) => void;
  /** The error for who waits for an event that is given up. */
  notStored: (why: string) => Error;
  /** Aborted when nothing is published any more. */
  signal: AbortSignal;
}

/**
 * Publishes events, many at a time, so that they count in the order in which they came (go-back-N): each says which one is before
 * it, and {@linkcode Turns} refuses one that comes too early. What may be lost is published again, the oldest alone
 * until NATS takes it, then all that wait behind it. What was there already does not count twice.
 */
export class OrderedPublisher {
  readonly #options: OrderedPublisherOptions;
  readonly #id = crypto.randomUUID();
  /** By number, ascending. */
  readonly #waiting = new Map<number, Waiting>();
  #numbers = 0;
  /** The number of the newest event that was not given up. */
  #newest = 0;
  /** The number of the newest event that has counted. */
  #counted = 0;
  #attempt = 0;
  /** Whether the oldest is being published until NATS takes it. */
  #goingBack = false;
  #problem = "NATS does not answer";

  constructor(options: OrderedPublisherOptions) {
    this.#options = options;
  }

  publish(outgoing: Outgoing): void {
    const number = ++this.#numbers;
    const since = this.#options.clock.now();
    const waiting = { ...outgoing, number, after: this.#newest, since };
    this.#newest = number;
    this.#waiting.set(number, waiting);
    if (!this.#goingBack) void this.#send(waiting);
  }

  /** The event that has this turn, if it is one of this publisher's and waits. */
  find({ publisher, number }: Turn): JournalEvent | undefined {
    return publisher === this.#id ? this.#waiting.get(number)?.event : undefined;
  }

  /** An event has been applied in its turn. Who waits for that, if it is one of this publisher's. */
  take({ publisher, number }: Turn): Outgoing | undefined {
    if (publisher !== this.#id) return undefined;
    this.#counted = number;
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    return waiting;
  }

  /** An event came before the one that it follows. */
  early({ publisher, attempt }: Turn): void {
    // Other copies were published before it was known that something is missing.
    if (publisher !== this.#id || attempt !== this.#attempt || this.#goingBack) return;
    void this.#goBack("at once");
  }

  /** Nobody waits any more. */
  fail(error: Error): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { settled } of waiting) settled(error);
  }

  async #send(waiting: Waiting): Promise<void> {
    const attempt = this.#attempt;
    const taken = await this.#try(waiting);
    if (!taken && attempt === this.#attempt) void this.#goBack("after a pause");
  }

  /** @returns whether the stream has it */
  async #try({ event, number, after }: Waiting): Promise<boolean> {
    const { stream, onPublished, signal } = this.#options;
    const [attempt, counted] = [this.#attempt, this.#counted];
    const turn = { publisher: this.#id, number, after, attempt, counted };
    const head = headers();
    head.set(TURN, formatTurn(turn));
    try {
      await stream.client.publish(`${stream.name}.${natsSubjectOf(event)}`, encodeEvent(event), {
        headers: head,
        timeout: stream.answerMs,
      });
      if (!signal.aborted) onPublished(true);
      return true;
    } catch (error) {
      this.#problem = (error as Error).message;
      if (!signal.aborted) onPublished(false);
      return false;
    }
  }

  async #goBack(when: "at once" | "after a pause"): Promise<void> {
    const { clock, signal } = this.#options;
    this.#goingBack = true;
    this.#attempt++;
    let oldest: Waiting | undefined;
    for (let pause = when === "after a pause"; !signal.aborted; pause = true) {
      if (pause) await sleep(clock, PAUSE_MS, signal).catch(() => {});
      this.#giveUp();
      [oldest] = this.#waiting.values();
      if (oldest === undefined || await this.#try(oldest)) break;
    }
    this.#goingBack = false;
    if (signal.aborted || oldest === undefined) return;
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.number > oldest.number) void this.#send(waiting);
    }
  }

  /** What follows one that is given up follows the one before that. */
  #giveUp(): void {
    const { clock, notStored } = this.#options;
    const end = clock.now() - GIVE_UP_MS;
    for (const { number, after, since, settled } of [...this.#waiting.values()]) {
      if (since > end) return;
      this.#waiting.delete(number);
      const [next] = this.#waiting.values();
      if (next === undefined) this.#newest = after;
      else next.after = after;
      settled(notStored(this.#problem));
    }
  }
}
