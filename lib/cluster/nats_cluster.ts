import { Alarm, type Clock } from "../clock.ts";
import type { Journal } from "../journal/journal.ts";
import type { Projection } from "../journal/projection.ts";
import type { Database } from "../messages/database.ts";
import type { Cluster, ClusterOptions } from "./cluster.ts";
import type { NamedServer } from "../protocol/records.ts";
import { reasonOf } from "../reasons.ts";
import type { Elsewhere, Marks, RemoteUser } from "./elsewhere.ts";
import type { OtherServers } from "./other_servers.ts";
import type { NatsConnection, Subscription } from "./nats.ts";
import type { Use, Uses } from "./uses.ts";
import { Presence } from "./presence.ts";
import { restore } from "./restore.ts";
import { Snapshots } from "./snapshots.ts";
import { ClusterStream } from "./stream.ts";
import { StreamJournal } from "./stream_journal.ts";
import { STANDING_MS, Trimming } from "./trimming.ts";

/** How long the other servers may take to say how far a message got, in milliseconds. */
const MARKS_MS = 1_000;

/** Connects to NATS, and opens the stream. @throws {ExitError} `refused` */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  return await NatsCluster.open(options);
}

class NatsCluster implements Cluster {
  readonly #stream: ClusterStream;
  readonly #clock: Clock;
  readonly #log: (event: string) => void;
  #presence: Presence | undefined;
  /** Rings when the stream may have to be trimmed. */
  #trimming: Alarm | undefined;
  readonly #failed = Promise.withResolvers<string>();
  #connected = true;
  /** Whether NATS has answered something, since the connection is there, that takes a majority of its servers. */
  #answers = true;
  /** Whether the stream took the last event: without a leader it takes none. */
  #takes = true;
  onAvailable: Cluster["onAvailable"] = () => {};

  private constructor(stream: ClusterStream, { clock, log }: ClusterOptions) {
    this.#stream = stream;
    this.#clock = clock;
    this.#log = log;
  }

  static async open(options: ClusterOptions): Promise<NatsCluster> {
    const { log } = options;
    let cluster: NatsCluster | undefined;
    const onConnected = (connected: boolean) => {
      // Another NATS server may be as cut off as the last one, until it has answered.
      if (cluster !== undefined) cluster.#note({ connected, takes: true });
    };
    const stream = await ClusterStream.open({ ...options, log, onConnected });
    return cluster = new NatsCluster(stream, options);
  }

  /** @param change what is known now; what is not, is as it was */
  #note(change: { connected?: boolean; answers?: boolean; takes?: boolean }): void {
    const { connected = this.#connected, answers = this.#answers, takes = this.#takes } = change;
    const before = this.#isAvailable;
    this.#connected = connected;
    this.#answers = connected && answers;
    this.#takes = takes;
    if (change.answers) this.#stream.answered();
    if (this.#isAvailable !== before) this.onAvailable(this.#isAvailable);
  }

  get #isAvailable(): boolean {
    return this.#answers && this.#takes;
  }

  get failed(): Promise<string> {
    return this.#failed.promise;
  }

  get stream(): string {
    return this.#stream.id;
  }

  get clockIsRight(): boolean {
    return this.#presence?.skew === 0;
  }

  async openJournal(database: Database, projection: Projection): Promise<Journal> {
    const [stream, clock, log] = [this.#stream, this.#clock, this.#log];
    const snapshots = new Snapshots(stream);
    // They may have been abandoned because a copy of the stream was not what the others have.
    const inDoubt = projection.position.restoring;
    await restore({ stream, clock, snapshots, projection, database, log });
    const onPublished = (takes: boolean) =>
      this.#note(takes ? { takes, answers: true } : { takes });
    const onFailed = this.#failed.resolve;
    const journal = await StreamJournal.open({
      ...{ stream, snapshots, database, reader: projection, clock, log },
      ...{ inDoubt, onPublished, onFailed },
    });
    this.#trim(new Trimming({ stream, snapshots, projection, database, clock }));
    return journal;
  }

  #trim(trimming: Trimming): void {
    const alarm = this.#trimming = new Alarm(this.#clock, () => {
      alarm.set(this.#clock.now() + STANDING_MS);
      if (!this.clockIsRight) return;
      trimming.run().catch((error) => {
        if (this.#connected) this.#log(`old messages are still in NATS: ${reasonOf(error)}`);
      });
    });
    alarm.set(this.#clock.now() + STANDING_MS);
  }

  async join(): Promise<Elsewhere & OtherServers & Uses> {
    const [stream, clock, log] = [this.#stream, this.#clock, this.#log];
    const onAnswer = () => this.#note({ answers: true });
    const presence = await Presence.open({ stream, clock, log, onAnswer });
    this.#presence = presence;
    return new Others(presence, stream, () => this.#connected);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#trimming?.[Symbol.dispose]();
    await this.#stream[Symbol.asyncDispose]();
  }
}

/** The other servers: what they say in the presence bucket, and what they answer. */
class Others implements Elsewhere, OtherServers, Uses {
  readonly #presence: Presence;
  readonly #connection: NatsConnection;
  /** The subject on which servers ask each other how far a message got. */
  readonly #asking: string;
  readonly #answering: Subscription;
  /** The subject on which they tell each other what counts for limits. */
  readonly #telling: string;
  readonly #listening: Subscription;
  readonly #isConnected: () => boolean;
  readonly #id = crypto.randomUUID();
  onMarks: Elsewhere["onMarks"] = () => ({ alone: { users: 0, udp: 0, tcp: 0 }, shared: [] });

  onUses: Uses["onUses"] = () => {};

  constructor(
    presence: Presence,
    { connection, name }: ClusterStream,
    isConnected: () => boolean,
  ) {
    this.#presence = presence;
    this.#connection = connection;
    this.#isConnected = isConnected;
    this.#asking = `${name}-marks`;
    this.#telling = `${name}-limits`;
    this.#listening = connection.subscribe(this.#telling, {
      callback: (error, message) => {
        if (error !== null) return;
        const { uses, from } = message.json<{ uses: Use[]; from: string }>();
        if (from !== this.#id) this.onUses(uses);
      },
    });
    this.#answering = connection.subscribe(this.#asking, {
      callback: (error, question) => {
        if (error !== null) return;
        const { message, from } = question.json<{ message: number; from: string }>();
        if (from !== this.#id) question.respond(JSON.stringify(this.onMarks(message)));
      },
    });
  }

  get users(): ReadonlyMap<string, RemoteUser> {
    return this.#presence.users;
  }

  get servers(): readonly NamedServer[] {
    return this.#presence.servers;
  }

  set onUser(handler: Elsewhere["onUser"]) {
    this.#presence.onUser = handler;
  }

  set onCounted(handler: Elsewhere["onCounted"]) {
    this.#presence.onCounted = handler;
  }

  set onChange(handler: OtherServers["onChange"]) {
    this.#presence.onServers = handler;
  }

  announce(self: NamedServer): void {
    void this.#presence.tell(self);
  }

  async withdraw(): Promise<void> {
    await this.#presence.tell(undefined);
  }

  note(key: string, user: RemoteUser): void {
    this.#presence.note(key, user);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#answering.unsubscribe();
    this.#listening.unsubscribe();
    await this.#presence[Symbol.asyncDispose]();
  }

  tell(uses: readonly Use[]): void {
    // What is told later would count for a time in which it was not used.
    if (!this.#isConnected() || this.#connection.isClosed()) return;
    this.#connection.publish(this.#telling, JSON.stringify({ uses, from: this.#id }));
  }

  marks(message: number): Promise<Marks[]> | undefined {
    return this.#presence.count === 0 ? undefined : this.#ask(message);
  }

  async #ask(message: number): Promise<Marks[]> {
    const marks: Marks[] = [];
    try {
      const answers = await this.#connection.requestMany(
        this.#asking,
        JSON.stringify({ message, from: this.#id }),
        { strategy: "count", maxMessages: this.#presence.count, maxWait: MARKS_MS },
      );
      for await (const answer of answers) marks.push(answer.json<Marks>());
    } catch {
      // Nobody is there, or NATS is away: what this server knows is all there is.
    }
    return marks;
  }
}
