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
      if (cluster !== undefined) cluster.#note({ connected, takes: connected });
    };
    const stream = await ClusterStream.open({ ...options, log, onConnected });
    return cluster = new NatsCluster(stream, options);
  }

  #note({ connected = this.#connected, takes }: { connected?: boolean; takes: boolean }): void {
    const before = this.#connected && this.#takes;
    this.#connected = connected;
    this.#takes = takes;
    const now = connected && takes;
    if (now !== before) this.onAvailable(now);
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
    await restore({ stream, clock, snapshots, projection, log });
    const onPublished = (takes: boolean) => this.#note({ takes });
    const onFailed = this.#failed.resolve;
    const journal = await StreamJournal.open({
      ...{ stream, snapshots, database, reader: projection, clock, log },
      ...{ onPublished, onFailed },
    });
    this.#trim(new Trimming({ stream, snapshots, projection, clock }));
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

  async join(): Promise<Elsewhere & OtherServers> {
    const [stream, clock, log] = [this.#stream, this.#clock, this.#log];
    const presence = await Presence.open({ stream, clock, log });
    this.#presence = presence;
    return new Others(presence, stream.connection, `${stream.name}-marks`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#trimming?.[Symbol.dispose]();
    await this.#stream[Symbol.asyncDispose]();
  }
}

/** The other servers: what they say in the presence bucket, and what they answer. */
class Others implements Elsewhere, OtherServers {
  readonly #presence: Presence;
  readonly #connection: NatsConnection;
  /** The subject on which servers ask each other how far a message got. */
  readonly #asking: string;
  readonly #answering: Subscription;
  readonly #id = crypto.randomUUID();
  onMarks: Elsewhere["onMarks"] = () => ({ alone: { users: 0, udp: 0, tcp: 0 }, shared: [] });

  constructor(presence: Presence, connection: NatsConnection, asking: string) {
    this.#presence = presence;
    this.#connection = connection;
    this.#asking = asking;
    this.#answering = connection.subscribe(asking, {
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
    await this.#presence[Symbol.asyncDispose]();
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
