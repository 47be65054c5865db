import { type KV, Kvm, StorageType } from "./nats.ts";
import { Alarm, type Clock, sleep } from "../clock.ts";
import type { Elsewhere, RemoteUser } from "./elsewhere.ts";
import type { ClusterStream } from "./stream.ts";

/** How often a server says who is there, if nothing changes, in milliseconds. */
const BEAT_MS = 1_500;
/** A server that has said nothing for so long is gone, with its users; a few beats, in milliseconds. */
const GONE_MS = 6_000;
/** Where one's own beats do not come back for so long, another watch is begun. In milliseconds. */
const DEAF_MS = 4_000;
const PAUSE_MS = 250;

/** Options of {@linkcode Presence.open}. */
export interface PresenceOptions {
  stream: ClusterStream;
  clock: Clock;
}

/** A server as the bucket has it. */
interface Peer {
  users: ReadonlyMap<string, RemoteUser>;
  /** When it was last heard of. */
  heard: number;
}

/**
 * Who is at which server of a cluster: a bucket with one entry a server, which says that it is there, and who
 * is there. An entry goes by itself when it is not written again, and who is silent is forgotten by this
 * server's own clock; nobody's wall clock is asked.
 */
export class Presence implements Elsewhere, AsyncDisposable {
  readonly #clock: Clock;
  readonly #stream: ClusterStream;
  #bucket: KV;
  readonly #server = crypto.randomUUID();
  readonly #own = new Map<string, RemoteUser>();
  readonly #peers = new Map<string, Peer>();
  /** What the peers have together; undefined where that has to be computed. */
  #users: Map<string, RemoteUser> | undefined;
  readonly #beat: Alarm;
  /** Rings when a peer may have gone, or this server does not hear itself. */
  readonly #silence: Alarm;
  #heardItself: number;
  #saying = false;
  #changed = false;
  #stopWatch = () => {};
  #watching: Promise<void> = Promise.resolve();
  readonly #over = new AbortController();

  private constructor(bucket: KV, { stream, clock }: PresenceOptions) {
    this.#bucket = bucket;
    this.#stream = stream;
    this.#clock = clock;
    this.#heardItself = clock.now();
    this.#beat = new Alarm(clock, () => this.#say());
    this.#silence = new Alarm(clock, () => this.#forgetSilent());
  }

  /** Makes the bucket where there is none, and says that this server is there. */
  static async open(options: PresenceOptions): Promise<Presence> {
    const presence = new Presence(await openBucket(options.stream), options);
    presence.#watching = presence.#watch();
    presence.#say();
    presence.#forgetSilent();
    return presence;
  }

  get users(): ReadonlyMap<string, RemoteUser> {
    return this.#users ??= together(this.#peers.values());
  }

  note(key: string, user: RemoteUser): void {
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
    await this.#bucket.delete(this.#server).catch(() => {});
    await this.#watching;
  }

  /** Says who is here, one time after another. */
  #say(): void {
    if (this.#saying || this.#over.signal.aborted) return;
    this.#saying = true;
    this.#changed = false;
    const users = [...this.#own].map(([key, { username, sessions }]) => [key, username, sessions]);
    const said = this.#bucket.put(this.#server, JSON.stringify(users)).catch(() => {});
    void said.then(() => {
      this.#saying = false;
      if (this.#over.signal.aborted) return;
      if (this.#changed) this.#say();
      else this.#beat.set(this.#clock.now() + BEAT_MS);
    });
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
        for await (const { key, operation, value } of entries) {
          if (operation === "PUT") this.#hear(key, value);
          else this.#forget(key);
        }
      } catch {
        // NATS is away; whoever looks after the connection has said so.
      }
      await sleep(this.#clock, PAUSE_MS, this.#over.signal).catch(() => {});
    }
  }

  #hear(server: string, value: Uint8Array): void {
    const heard = this.#clock.now();
    if (server === this.#server) {
      this.#heardItself = heard;
      return;
    }
    const said = JSON.parse(new TextDecoder().decode(value)) as [string, string, number][];
    const users = new Map(
      said.map(([key, username, sessions]) => [key, { username, sessions }] as const),
    );
    this.#peers.set(server, { users, heard });
    this.#users = undefined;
  }

  #forget(server: string): void {
    if (this.#peers.delete(server)) this.#users = undefined;
  }

  #forgetSilent(): void {
    const now = this.#clock.now();
    for (const [server, { heard }] of this.#peers) {
      if (now - heard >= GONE_MS) this.#forget(server);
    }
    if (now - this.#heardItself >= DEAF_MS) {
      this.#heardItself = now;
      this.#stopWatch();
    }
    this.#silence.set(now + BEAT_MS / 3);
  }
}

function openBucket({ connection, name, replicas }: ClusterStream): Promise<KV> {
  const options = { ttl: GONE_MS, storage: StorageType.Memory, replicas };
  return new Kvm(connection).create(`${name}-presence`, options);
}

function together(peers: Iterable<Peer>): Map<string, RemoteUser> {
  const all = new Map<string, RemoteUser>();
  for (const { users } of peers) {
    for (const [key, { username, sessions }] of users) {
      all.set(key, { username, sessions: sessions + (all.get(key)?.sessions ?? 0) });
    }
  }
  return all;
}
