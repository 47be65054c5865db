import { type Clock, sleep } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import type { JournalEvent } from "../journal/events.ts";
import {
  type Condition,
  type Entry,
  type Journal,
  type Reader,
  settlement,
  type Waiter,
  WAITING_CHARACTERS,
  weightOf,
} from "../journal/journal.ts";
import type { Database } from "../messages/database.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { ConditionalPublisher, MESSAGE_ID } from "./conditional_publisher.ts";
import { OrderedPublisher, type Outgoing } from "./ordered_publisher.ts";
import type { Snapshots } from "./snapshots.ts";
import type { ClusterStream } from "./stream.ts";
import { type Given, StreamReader } from "./stream_reader.ts";
import { ContradictionError, EARLY, parseTurn, REPEATED, TURN, type Turn, Turns } from "./turns.ts";
import { decodeEvent } from "./wire.ts";

/** Options of {@linkcode StreamJournal.open}. */
export interface StreamJournalOptions {
  stream: ClusterStream;
  snapshots: Snapshots;
  /** What the reader changes; one commit at a time. */
  database: Database;
  reader: Reader;
  clock: Clock;
  log: (event: string) => void;
  /**
   * Whether the events up to the newest one are asked of the stream's leader, which takes four times as long, and believed
   * whatever their publishers have counted. @default false
   */
  inDoubt?: boolean;
  /** Is told each time whether the stream has taken an event. @default nobody */
  onPublished?: (taken: boolean) => void;
  /** Is told why it can't go on, and so has ended. @default nobody */
  onFailed?: (why: string) => void;
}

/** An event that the stream has given. */
interface Arrived extends Entry {
  turn: Turn | undefined;
  isAfterGap: boolean;
  /** Who waits for an event that has no turn. */
  pending: Outgoing | undefined;
}

/** How long before what failed is tried again, in milliseconds. */
const PAUSE_MS = 250;
/** So many events are applied in one transaction: a few milliseconds' work. */
const BATCH = 2_000;
/** How long what others have appended is waited for, in milliseconds. */
const CATCH_UP_MS = 3_000;

/**
 * The journal of a cluster, on a JetStream stream: it gives the order and the numbers. An event is appended when the
 * stream has given it back and the reader has applied it, so what was answered is also what can be read here.
 */
export class StreamJournal implements Journal, AsyncDisposable {
  readonly #options: StreamJournalOptions;
  readonly #publisher: OrderedPublisher;
  readonly #turns: Turns;
  readonly #conditional: ConditionalPublisher;
  /** Everything that was appended, until it is known whether the stream has it. */
  readonly #outstanding = new Set<Outgoing>();
  /** What is to be stored and is not yet, in UTF-16 code units of text; and who waits until that is less. */
  #waiting = 0;
  #backpressure: PromiseWithResolvers<void> | undefined;
  /** What the next transaction applies. */
  #arrived: Arrived[] = [];
  /** The number of the newest event that the stream had when it was opened. */
  readonly #atStart: number;
  #committing = false;
  readonly #caughtUp = Promise.withResolvers<void>();
  #catchingUp: Promise<boolean> | undefined;
  #catchUpNext: Promise<boolean> | undefined;
  /** Who waits until the reader has an event. */
  readonly #waitingFor = new Set<{ number: number; resolve: () => void }>();
  readonly #over = new AbortController();
  readonly #reader: StreamReader;
  #reading: Promise<void> = Promise.resolve();

  private constructor(options: StreamJournalOptions, newest: number) {
    this.#options = options;
    this.#atStart = newest;
    const { stream, snapshots, clock, log, database, reader } = options;
    this.#turns = new Turns(database);
    const { signal } = this.#over;
    const onPublished = (taken: boolean) => this.#notePublished(taken);
    const publishing = { stream, clock, onPublished, notStored, signal };
    this.#publisher = new OrderedPublisher(publishing);
    this.#conditional = new ConditionalPublisher({ ...publishing, snapshots });
    this.#reader = new StreamReader({
      ...{ stream, snapshots, clock, log, signal },
      after: reader.last,
      outstanding: this.#outstanding,
      take: (event) => this.#take(event),
      stop: (problem) => this.#stop(problem),
    });
  }

  /**
   * Reads the stream on from the newest event that the reader has.
   *
   * @returns the journal, when the reader has every event that the stream had when it was opened
   * @throws {ExitError} `refused`, where the stream does not have the events that come next
   */
  static async open(options: StreamJournalOptions): Promise<StreamJournal> {
    const { stream } = options;
    const ends = await stream.patiently(() => stream.ends());
    requireContinuation(options, ends);
    const journal = new StreamJournal(options, ends.last);
    if (options.inDoubt) journal.#reader.doubt();
    journal.#reading = journal.#reader.run();
    journal.#noteProgress();
    await journal.#caughtUp.promise;
    return journal;
  }

  get last(): number {
    return this.#options.reader.last;
  }

  append(event: JournalEvent, condition?: Condition): Promise<number> {
    return settlement((waiter) => {
      if (condition === undefined) return this.post(event, waiter);
      if (this.#over.signal.aborted) return waiter.settle(stopped());
      this.#conditional.publish(condition, this.#outgoing(event, waiter));
    });
  }

  post(event: JournalEvent, waiter: Waiter): void {
    if (this.#over.signal.aborted) return waiter.settle(stopped());
    this.#publisher.publish(this.#outgoing(event, waiter));
  }

  #outgoing(event: JournalEvent, waiter: Waiter): Outgoing {
    const weight = weightOf(event);
    this.#waiting += weight;
    const outgoing: Outgoing = {
      event,
      settled: (outcome) => {
        this.#waiting -= weight;
        this.#outstanding.delete(outgoing);
        this.#relieve();
        waiter.settle(outcome);
      },
    };
    this.#outstanding.add(outgoing);
    return outgoing;
  }

  backpressure(): Promise<void> | undefined {
    if (this.#waiting < WAITING_CHARACTERS) return undefined;
    this.#backpressure ??= Promise.withResolvers();
    return this.#backpressure.promise;
  }

  #relieve(): void {
    if (this.#waiting >= WAITING_CHARACTERS) return;
    this.#backpressure?.resolve();
    this.#backpressure = undefined;
  }

  catchUp(): Promise<boolean> {
    // One that has begun may know an older state.
    return this.#catchUpNext ??= (this.#catchingUp ?? Promise.resolve(true)).then(() => {
      this.#catchUpNext = undefined;
      return this.#catchingUp = this.#catchUp();
    });
  }

  async #catchUp(): Promise<boolean> {
    const { clock, stream } = this.#options;
    const late = Promise.withResolvers<false>();
    using _limit = clock.after(CATCH_UP_MS, () => late.resolve(false));
    try {
      const info = await Promise.race([stream.manager.streams.info(stream.name), late.promise]);
      if (info === false) return false;
      const newest = info.state.last_seq;
      if (this.last >= newest) return true;
      const arrived = Promise.withResolvers<true>();
      const waiting = { number: newest, resolve: () => arrived.resolve(true) };
      this.#waitingFor.add(waiting);
      const has = await Promise.race([arrived.promise, late.promise]);
      this.#waitingFor.delete(waiting);
      return has;
    } catch {
      return false;
    }
  }

  /** What is not applied yet is refused; the connection stays open. Closing twice is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#reading;
  }

  /** It can't go on. */
  #stop(problem: string): void {
    this.#options.onFailed?.(problem);
    this.#caughtUp.reject(new ExitError(ExitCode.refused, problem));
    this.#end();
  }

  #end(): void {
    this.#over.abort();
    this.#publisher.fail(stopped());
    this.#conditional.fail(stopped());
    if (!this.#committing) this.#abandon();
  }

  /** What has arrived is applied after the next start. */
  #abandon(): void {
    for (const { pending } of this.#arrived.splice(0)) pending?.settled(stopped());
  }

  #notePublished(taken: boolean): void {
    if (!taken) this.#reader.doubt();
    this.#options.onPublished?.(taken);
  }

  #take({ seq, headers, data, isAfterGap }: Given): void {
    const turn = parseTurn(headers?.get(TURN));
    const id = turn === undefined ? headers?.get(MESSAGE_ID) ?? "" : "";
    let event = turn === undefined ? this.#conditional.find(id) : this.#publisher.find(turn);
    try {
      event ??= decodeEvent(data);
    } catch (error) {
      // To go on without it would make this server another one than the others.
      const problem = `event ${seq} of the cluster can't be read: ${(error as Error).message}`;
      return this.#stop(problem);
    }
    const pending = this.#conditional.take(id);
    this.#arrived.push({ number: seq, event, outcome: seq, turn, isAfterGap, pending });
    this.#commit();
  }

  #commit(): void {
    if (this.#committing || this.#arrived.length === 0) return;
    if (this.#over.signal.aborted) return this.#abandon();
    this.#committing = true;
    const { database, reader } = this.#options;
    let entries: Arrived[] = [];
    let contradiction: ContradictionError | undefined;
    database.change({
      run: () => {
        entries = this.#arrived.splice(0, BATCH);
        contradiction = this.#judge(entries);
        if (contradiction === undefined) reader.apply(entries);
        else reader.abandon();
        return false;
      },
      committed: () => {
        this.#committing = false;
        if (contradiction !== undefined) {
          this.#arrived.unshift(...entries);
          return this.#stop(
            `${contradiction.message}: started again, this server makes its tables anew`,
          );
        }
        this.#turns.keep();
        reader.committed(entries);
        for (const entry of entries) this.#answer(entry);
        this.#noteProgress();
        this.#commit();
      },
      failed: () => {
        // They are in the stream, so they are applied as soon as the disk takes them.
        reader.failed();
        for (const entry of entries) entry.outcome = entry.number;
        this.#arrived.unshift(...entries);
        void this.#pause().then(() => {
          this.#committing = false;
          this.#commit();
        });
      },
    });
  }

  /** @returns why these are not the events that the others have */
  #judge(entries: readonly Arrived[]): ContradictionError | undefined {
    try {
      this.#turns.judge(entries, this.#options.inDoubt ? this.#atStart : 0);
    } catch (error) {
      if (error instanceof ContradictionError) return error;
      throw error;
    }
    return undefined;
  }

  #answer({ outcome, turn, pending }: Arrived): void {
    if (outcome === REPEATED) return;
    if (outcome === EARLY) return this.#publisher.early(turn!);
    const waiting = turn === undefined ? pending : this.#publisher.take(turn);
    waiting?.settled(outcome);
  }

  #noteProgress(): void {
    if (this.last >= this.#atStart) this.#caughtUp.resolve();
    for (const { number, resolve } of this.#waitingFor) if (this.last >= number) resolve();
  }

  async #pause(): Promise<void> {
    await sleep(this.#options.clock, PAUSE_MS, this.#over.signal).catch(() => {});
  }
}

/** @throws {ExitError} `refused`, where the stream is another one by now, whatever its name */
function requireContinuation(
  { stream, reader }: StreamJournalOptions,
  { first, last }: { first: number; last: number },
): void {
  if (reader.last > last) {
    throw new ExitError(
      ExitCode.refused,
      `the stream ${stream.name} ends at event ${last}, but this data folder has event ` +
        `${reader.last}: the stream was put back to an older state`,
    );
  }
  if (last === 0 || reader.last + 1 >= first) return;
  throw new ExitError(
    ExitCode.refused,
    `the stream ${stream.name} begins at event ${first}, but this data folder needs event ` +
      `${reader.last + 1}: its first events were deleted`,
  );
}

function stopped(): ProtocolError {
  return notStored("it has stopped");
}

function notStored(why: string): ProtocolError {
  return new ProtocolError("not-stored", `the server can't store it: ${why}`);
}
