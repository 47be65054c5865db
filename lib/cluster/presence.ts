import { type KV, type KvEntry, Kvm, StorageType } from "./nats.ts";
import { Alarm, type Clock, sleep } from "../clock.ts";
import type { NamedServer } from "../protocol/records.ts";
import type { RemoteUser } from "./elsewhere.ts";
import type { ClusterStream } from "./stream.ts";

/** How often a server says who is there, if nothing changes, in milliseconds. */
const BEAT_MS = 1_500;
/** A server that has said nothing for so long is gone, with its users; a few beats, in milliseconds. */
const GONE_MS = 6_000;
/** Where one's own beats do not come back for so long, another watch is begun; who hears nobody for so long is cut off. In milliseconds. */
const DEAF_MS = 4_000;
const PAUSE_MS = 250;
/** For a word to the others nobody waits longer, in milliseconds: NATS may be away. */
const WORD_MS = 2_000;
/** Clocks that differ by less are right enough, in milliseconds. */
const SKEW_MS = 60_000;

/** What else a message of NATS holds, in bytes, and more. */
const HEADERS_BYTES = 512;

const utf8 = new TextEncoder();

/** Options of {@linkcode Presence.open}. */
export interface PresenceOptions {
  stream: ClusterStream;
  clock: Clock;
  /** Is told when clocks differ, or there are too many users. @default nobody */
  log?: (event: string) => void;
  /** Is told each time that NATS has taken what this server said. @default nobody */
  onAnswer?: () => void;
}

/** What a server says of itself. */
interface Said {
  /** Where it takes clients; undefined where it takes none any more. */
  server: NamedServer | undefined;
  users: [key: string, username: string, sessions: number][];
}

/** A server as the bucket has it. */
interface Peer {
  server: NamedServer | undefined;
  users: ReadonlyMap<string, RemoteUser>;
  /** When it was last heard of. */
  heard: number;
}

/**
 * Who is at which server of a cluster: a bucket with one entry a server, which says that it is there, and who
 * is there. An entry goes by itself when it is not written again, and who is silent is forgotten by this
 * server's own clock; nobody's wall clock is asked.
 */
export class Presence implements AsyncDisposable {
  /** The users of the others, by the accounts' keys; one who is at several has all their sessions. */
  readonly users: ReadonlyMap<string, RemoteUser>;
  /** Is told that a user has come to the others, or has gone from all of them. */
  onUser: (key: string, user: RemoteUser, change: "came" | "went") => void = () => {};
  /** Is told that a user has more sessions here, when what this server says of it stands behind what others said before. */
  onCounted: (key: string) => void = () => {};
  /** Is told that {@linkcode servers} is another one. */
  onServers: () => void = () => {};
  readonly #clock: Clock;
  /** Where this server takes clients; nothing is said before that is told. */
  #self: NamedServer | undefined;
  #told = false;
  #servers: readonly NamedServer[] = [];
  readonly #log: (event: string) => void;
  readonly #onAnswer: () => void;
  #skew: number | undefined;
  /** Whether there are more users here than fit into a message. */
  #tooMany = false;
  readonly #stream: ClusterStream;
  #bucket: KV;
  readonly #server = crypto.randomUUID();
  readonly #own = new Map<string, RemoteUser>();
  /** The users who have more sessions than the bucket has told this server itself. */
  readonly #uncounted = new Set<string>();
  readonly #peers = new Map<string, Peer>();
  readonly #users = new Map<string, RemoteUser>();
  readonly #beat: Alarm;
  /** Rings when a peer may have gone, or this server does not hear itself. */
  readonly #silence: Alarm;
  #heardItself: number;
  /** When anybody was last heard of, this server included. */
  #heardAnybody: number;
  #saying = false;
  #said: Promise<void> = Promise.resolve();
  #changed = false;
  #stopWatch = () => {};
  #watching: Promise<void> = Promise.resolve();
  readonly #over = new AbortController();

  private constructor(
    bucket: KV,
    { stream, clock, log = () => {}, onAnswer = () => {} }: PresenceOptions,
  ) {
    this.users = this.#users;
    this.#log = log;
    this.#onAnswer = onAnswer;
    this.#bucket = bucket;
    this.#stream = stream;
    this.#clock = clock;
    this.#heardItself = this.#heardAnybody = clock.now();
    this.#beat = new Alarm(clock, () => this.#say());
    this.#silence = new Alarm(clock, () => this.#forgetSilent());
  }

  /** Makes the bucket where there is none. */
  static async open(options: PresenceOptions): Promise<Presence> {
    const presence = new Presence(await openBucket(options.stream), options);
    presence.#watching = presence.#watch();
    presence.#forgetSilent();
    return presence;
  }

  /**
   * How far this server's clock is ahead of NATS', in milliseconds; 0 where it is right enough, undefined where nobody
   * knows yet.
   */
  get skew(): number | undefined {
    return this.#skew;
  }

  /** How many other servers there are, or were when this one last heard of anybody. */
  get count(): number {
    return this.#peers.size;
  }

  /**
   * Where the others take clients, in the order of their ids. A server that is cut off goes on naming them: its clients may
   * reach them where it does not.
   */
  get servers(): readonly NamedServer[] {
    return this.#servers;
  }

  /**
   * Says that this server is there, from now on, and where it takes clients, if it does.
   *
   * @returns a promise that is fulfilled when NATS has that, or can't be told
   */
  async tell(server: NamedServer | undefined): Promise<void> {
    this.#self = server;
    if (!this.#told) this.#stream.expectAnswers();
    this.#told = true;
    await this.#soon(this.#said.then(() => {
      this.#say();
      return this.#said;
    }));
  }

  /** A user has so many sessions at this server now. */
  note(key: string, user: RemoteUser): void {
    if (user.sessions > (this.#own.get(key)?.sessions ?? 0)) this.#uncounted.add(key);
    if (user.sessions > 0) this.#own.set(key, user);
    else this.#own.delete(key);
    if (this.#changed) return;
    this.#changed = true;
    this.#clock.soon(() => this.#say());
  }

  /** This server's users are gone for the others at once. Closing twice is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#beat[Symbol.dispose]();
    this.#silence[Symbol.dispose]();
    this.#stopWatch();
    // Where that fails, they are gone a few seconds later.
    await this.#soon(this.#bucket.delete(this.#server).catch(() => {}));
    await this.#soon(this.#watching);
  }

  async #soon(work: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<void>();
    using _limit = this.#clock.after(WORD_MS, late.resolve);
    await Promise.race([work, late.promise]);
  }

  /** Says who is here, one time after another. */
  #say(): void {
    if (!this.#told || this.#saying || this.#over.signal.aborted) return;
    this.#saying = true;
    this.#changed = false;
    const all: Said = {
      server: this.#self,
      users: [...this.#own].map(([key, { username, sessions }]) => [key, username, sessions]),
    };
    const put = this.#bucket.put(this.#server, this.#encode(all));
    const said = put.then(this.#onAnswer, () => {});
    this.#said = said.then(() => {
      this.#saying = false;
      if (this.#over.signal.aborted) return;
      if (this.#changed) this.#say();
      else this.#beat.set(this.#clock.now() + BEAT_MS);
    });
  }

  /** What NATS would refuse says nothing at all: then of fewer users. */
  #encode(all: Said): Uint8Array {
    const limit = (this.#stream.connection.info?.max_payload ?? Infinity) - HEADERS_BYTES;
    let data = utf8.encode(JSON.stringify(all));
    let { length } = all.users;
    while (data.length > limit && length > 0) {
      length = Math.floor(length * 0.9);
      data = utf8.encode(JSON.stringify({ ...all, users: all.users.slice(0, length) }));
    }
    const tooMany = length < all.users.length;
    if (tooMany && !this.#tooMany) {
      this.#log(
        `the other servers are told of ${length} of ${all.users.length} users here: ` +
          "more is no message of NATS (max_payload)",
      );
    }
    this.#tooMany = tooMany;
    return data;
  }

  async #watch(): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        // It is in the memory of NATS, so it may be gone.
        this.#bucket = await openBucket(this.#stream);
        const entries = await this.#bucket.watch();
        this.#heardItself = this.#clock.now();
        this.#stopWatch = () => entries.stop();
        if (this.#over.signal.aborted) entries.stop();
        for await (const entry of entries) {
          if (entry.operation === "PUT") this.#hear(entry);
          else this.#forget(entry.key);
        }
      } catch {
        // NATS is away; whoever looks after the connection has said so.
      }
      await sleep(this.#clock, PAUSE_MS, this.#over.signal).catch(() => {});
    }
  }

  #hear({ key: server, value, created }: KvEntry): void {
    const heard = this.#clock.now();
    // What was silent while nobody was heard has not been silent.
    if (this.#isDeaf) {
      for (const peer of this.#peers.values()) peer.heard = heard;
    }
    this.#heardAnybody = heard;
    if (server === this.#server) {
      this.#heardItself = heard;
      this.#count(value);
      return this.#compareClocks(created.getTime());
    }
    const said = decode(value);
    const { users } = said;
    const known = this.#peers.get(server);
    this.#peers.set(server, {
      server: said.server,
      heard,
      users: new Map(users.map(([key, username, sessions]) => [key, { username, sessions }])),
    });
    this.#recount([...known?.users.keys() ?? [], ...users.map(([key]) => key)]);
    this.#listServers();
  }

  /** What this server said has come back to it: what others said before has come, too. */
  #count(value: Uint8Array): void {
    if (this.#uncounted.size === 0) return;
    for (const [key, , sessions] of decode(value).users) {
      if (sessions >= (this.#own.get(key)?.sessions ?? 0) && this.#uncounted.delete(key)) {
        this.onCounted(key);
      }
    }
    for (const key of this.#uncounted) if (!this.#own.has(key)) this.#uncounted.delete(key);
  }

  #forget(server: string): void {
    const known = this.#peers.get(server);
    if (known === undefined) return;
    this.#peers.delete(server);
    this.#recount(known.users.keys());
    this.#listServers();
  }

  /** Nobody knows who is there. */
  #forgetUsers(peer: Peer): void {
    const keys = peer.users.keys();
    peer.users = new Map();
    this.#recount(keys);
  }

  /** Whether nobody is heard, which is nothing that the others have done. */
  get #isDeaf(): boolean {
    return this.#clock.now() - this.#heardAnybody >= DEAF_MS;
  }

  #listServers(): void {
    const ids = [...this.#peers.keys()].toSorted();
    const servers = ids.flatMap((id) => this.#peers.get(id)!.server ?? []);
    if (JSON.stringify(servers) === JSON.stringify(this.#servers)) return;
    this.#servers = servers;
    this.onServers();
  }

  /** Counts the sessions of users at all peers together. */
  #recount(keys: Iterable<string>): void {
    for (const key of new Set(keys)) {
      const before = this.#users.get(key);
      let now: RemoteUser | undefined;
      for (const { users } of this.#peers.values()) {
        const user = users.get(key);
        if (user !== undefined) now = { ...user, sessions: user.sessions + (now?.sessions ?? 0) };
      }
      if (now === undefined) this.#users.delete(key);
      else this.#users.set(key, now);
      if (before === undefined && now !== undefined) this.onUser(key, now, "came");
      if (before !== undefined && now === undefined) this.onUser(key, before, "went");
    }
  }

  /** @param created when NATS had what this server said just now, by the clock there */
  #compareClocks(created: number): void {
    const difference = this.#clock.date().getTime() - created;
    const skew = Math.abs(difference) > SKEW_MS ? difference : 0;
    if (Math.abs(skew - (this.#skew ?? 0)) > SKEW_MS) {
      const minutes = Math.round(Math.abs(skew) / 60_000);
      this.#log(
        skew === 0
          ? "the clock is right again"
          : `the clock is ${minutes} minutes ${
            skew > 0 ? "ahead of" : "behind"
          } NATS': set one of ` +
            "them right; until then nothing gets old here",
      );
    }
    this.#skew = skew;
  }

  #forgetSilent(): void {
    const now = this.#clock.now();
    for (const [server, peer] of this.#peers) {
      if (now - peer.heard < GONE_MS) continue;
      if (this.#isDeaf) this.#forgetUsers(peer);
      else this.#forget(server);
    }
    if (this.#told && now - this.#heardItself >= DEAF_MS) {
      this.#heardItself = now;
      this.#stopWatch();
    }
    this.#silence.set(now + BEAT_MS / 3);
  }
}

function decode(value: Uint8Array): Said {
  return JSON.parse(new TextDecoder().decode(value)) as Said;
}

function openBucket({ client, name, replicas }: ClusterStream): Promise<KV> {
  const options = { ttl: GONE_MS, storage: StorageType.Memory, replicas };
  return new Kvm(client).create(`${name}-presence`, options);
}
