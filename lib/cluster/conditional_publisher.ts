import { sleep } from "../clock.ts";
import type { JournalEvent } from "../journal/events.ts";
import { type Condition, ConflictError } from "../journal/journal.ts";
import type { OrderedPublisherOptions, Outgoing } from "./ordered_publisher.ts";
import type { Snapshots } from "./snapshots.ts";
import { encodeEvent, natsSubjectOf } from "./wire.ts";

/** The header of NATS by which JetStream recognises a publication that comes again. */
export const MESSAGE_ID = "Nats-Msg-Id";

/** JetStream's code for a publication whose expected last sequence was wrong. */
const WRONG_LAST_SEQUENCE = 10_071;

/** How long before what failed is tried again, in milliseconds. */
const PAUSE_MS = 250;
/** For so long: within the two minutes for which JetStream recognises a publication that comes again. In milliseconds. */
const GIVE_UP_MS = 60_000;

/**
 * Publishes events under a condition: each stands by itself, and whoever waits for it has sent nothing after it. A
 * publication that comes again is the same one by its id.
 */
export class ConditionalPublisher {
  readonly #options: OrderedPublisherOptions & { snapshots: Snapshots };
  readonly #process = crypto.randomUUID();
  #published = 0;
  /** By the ids of their publications. */
  readonly #pending = new Map<string, Outgoing>();

  constructor(options: OrderedPublisherOptions & { snapshots: Snapshots }) {
    this.#options = options;
  }

  publish(condition: Condition, outgoing: Outgoing): void {
    const id = `${this.#process} ${++this.#published}`;
    this.#pending.set(id, outgoing);
    void this.#publish(condition, { id, event: outgoing.event });
  }

  /** The event that was published with this id, if it is one of this publisher's and is waited for. */
  find(id: string): JournalEvent | undefined {
    return this.#pending.get(id)?.event;
  }

  /** From now on it is not waited for. */
  take(id: string): Outgoing | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /** Nobody waits any more. */
  fail(error: Error): void {
    for (const id of this.#pending.keys()) this.#fail(id, error);
  }

  #fail(id: string, error: Error): void {
    this.take(id)?.settled(error);
  }

  /** Publishes an event until it is known to be in the stream, or not; it is answered when it arrives. */
  async #publish(
    { since }: Condition,
    { id, event }: { id: string; event: JournalEvent },
  ): Promise<void> {
    const { clock, stream, onPublished, notStored, signal } = this.#options;
    const subject = `${stream.name}.${natsSubjectOf(event)}`;
    const data = encodeEvent(event);
    const end = clock.now() + GIVE_UP_MS;
    for (let expected: number | undefined; this.#pending.has(id);) {
      try {
        expected ??= await this.#expect(subject, since);
        await stream.client.publish(subject, data, {
          msgID: id,
          timeout: stream.answerMs,
          expect: { lastSubjectSequence: expected },
        });
        return onPublished(true);
      } catch (error) {
        if (error instanceof ConflictError) return this.#fail(id, error);
        const { code, message } = error as { code?: unknown; message: string };
        if (code === WRONG_LAST_SEQUENCE) return this.#fail(id, new ConflictError(message));
        onPublished(false);
        if (clock.now() >= end) return this.#fail(id, notStored(message));
        await sleep(clock, PAUSE_MS, signal).catch(() => {});
      }
    }
  }

  /**
   * The number of the newest event on a subject; 0 where there is none.
   *
   * @throws {ConflictError} where the caller did not know it, or may not have
   */
  async #expect(subject: string, since: number): Promise<number> {
    const { stream: { manager, name }, snapshots } = this.#options;
    const found = await manager.streams.getMessage(name, { last_by_subj: subject });
    const newest = found?.seq ?? 0;
    if (newest > since) throw new ConflictError(`event ${newest} was about ${subject} too`);
    // Asked last: what says how far the stream was trimmed is written before it is.
    if (await snapshots.floor() <= since) return newest;
    throw new ConflictError(
      `events after ${since} were trimmed, and one may have been about ${subject}`,
    );
  }
}
