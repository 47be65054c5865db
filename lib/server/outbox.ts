import { randomBytes } from "node:crypto";
import { Alarm, type Clock } from "../clock.ts";
import type { Deadlines, Timed } from "../deadlines.ts";
import { type Connection, type Endpoint, formatEndpoint } from "../net/connection.ts";
import { type Aead, runtimeAead } from "../protocol/aead.ts";
import type { CalmRate } from "../protocol/calm_rate.ts";
import {
  type Packet,
  PacketOpener,
  PacketSealer,
  PacketType,
  type Protection,
} from "../protocol/datagram.ts";
import {
  type DeliveryCounts,
  DeliverySender,
  type Transmission,
} from "../protocol/delivery_sender.ts";
import { type PathAnswer, PathValidator } from "../protocol/path.ts";
import { decodeAck, encodeData } from "../protocol/payloads.ts";
import type { RecordBlock } from "../protocol/record_block.ts";
import { type DataParameters, deliverFrame } from "../protocol/records.ts";
import { TokenBucket } from "../token_bucket.ts";
import type { Deliveries } from "./marks.ts";

/** The session that an {@linkcode Outbox} belongs to. */
export interface OutboxSession {
  /** Its control connection. */
  readonly connection: Pick<Connection, "send" | "writableBytes">;
  /** More waits for the client than may; the session has to end. */
  overflow(): void;
  /** The client has acknowledged more. */
  acknowledged(): void;
}

/** What all sessions' {@linkcode Outbox}es share. */
export interface OutboxOptions {
  clock: Clock;
  /** Where it is told of its deadlines. */
  deadlines: Deadlines;
  /** Sends a datagram from the server's UDP socket. */
  sendDatagram: (datagram: Uint8Array, to: Endpoint) => void;
  /** What seals packets. @default the runtime's */
  aead?: Aead;
  /** What new data packets of all sessions are taken from. @default no limit */
  calmRate?: CalmRate;
  /** Where it counts what goes. @default nobody counts */
  counts?: DeliveryCounts;
  /** The most bytes of message records that may wait for one session. */
  maxBacklogBytes: number;
}

/** Of many sessions, those that may have lost something at about the same time are looked at together, in milliseconds. */
export const RECOVERY_GRAIN_MS = 2;

/** The most that one client counts for in what the server has to do: a few slow ones shall not slow down all. */
const MAX_LOAD_BYTES = 1_024 * 1_024;
/** A client that stays far behind for longer than this is not waited for, in milliseconds. */
const PATIENCE_MS = 5_000;
/** A client that has acknowledged nothing for so long is stuck, in milliseconds. */
const STUCK_AFTER_MS = 1_000;

/** How soon a path that fell silent is tried again; each further wait is twice as long, up to the longest. */
const FIRST_RECHECK_MS = 500;
const LONGEST_RECHECK_MS = 20_000;

/** Packets of one client at once and a second; what is more is dropped unread. */
const PACKET_RATE = { burst: 256, perSecond: 1_000 };
/**
 * A packet about the path counts as so many more: an answer costs more than an acknowledgement, and is seldom due. Only
 * the client's own: those of others must not keep its acknowledgements from being looked at.
 */
const PATH_PACKET_COST = 15;

/**
 * Whoever is told so late of its own deadline first reads what has come meanwhile, before it takes anything for
 * lost: for as long as it was late, within these bounds. In milliseconds.
 */
const LATE_MS = 5;
const LONGEST_EXCUSE_MS = 100;

/** What a new session's client has to know to open the packets. */
export function newParameters(protection: Protection): DataParameters {
  const random = (bytes: number) => randomBytes(bytes).toString("hex");
  return { session: random(8), protection, clientKey: random(32), serverKey: random(32) };
}

function newToken(): string {
  return randomBytes(8).toString("hex");
}

/**
 * One session's way out: takes messages and sees that they get to the client, by UDP where its
 * address has been validated, over TCP where not. The decisions are {@linkcode DeliverySender}'s and
 * {@linkcode PathValidator}'s.
 */
export class Outbox implements Disposable, Timed {
  /** The session's id. */
  readonly session: string;
  readonly #owner: OutboxSession;
  readonly #options: OutboxOptions;
  readonly #sender: DeliverySender;
  readonly #path = new PathValidator<Endpoint>({ key: formatEndpoint, newToken });
  readonly #sealer: PacketSealer;
  readonly #opener: PacketOpener;
  /** Rings when a path that fell silent is to be tried again, and how long after that once more. */
  #recheck: Alarm | undefined;
  #recheckWait = 0;
  /** When the newest challenge was sent. */
  #challengedAt = 0;
  /** When the client last acknowledged something, or had nothing to acknowledge; Infinity until what it was given leaves. */
  #progressAt = 0;
  /** Since when it has been far behind and waited for. */
  #behindSince = Infinity;
  /** Who waits until less waits here. */
  #relief: PromiseWithResolvers<void> | undefined;
  /** Who waits until nothing waits here. */
  #settled: PromiseWithResolvers<void> | undefined;
  readonly #packets: TokenBucket;
  #excused = false;
  #flushing = false;
  #closed = false;

  constructor(parameters: DataParameters, owner: OutboxSession, options: OutboxOptions) {
    const { session, protection, clientKey, serverKey } = parameters;
    this.session = session;
    this.#owner = owner;
    this.#options = options;
    this.#sender = new DeliverySender(options.calmRate, options.counts);
    const { aead = runtimeAead } = options;
    this.#sealer = new PacketSealer({ protection, session, key: serverKey, aead });
    this.#opener = new PacketOpener({ protection, session, key: clientKey, aead });
    this.#packets = new TokenBucket(PACKET_RATE, options.clock.now());
  }

  /** The bytes of message records that wait here. */
  get backlogBytes(): number {
    return this.#sender.backlogBytes;
  }

  /** So many messages wait here. */
  get backlog(): number {
    return this.#sender.backlog;
  }

  /** What of that the client takes as soon as it is delivered, in bytes: of one who is far behind only a part. */
  get load(): number {
    return this.#isStuck(this.#options.clock.now())
      ? 0
      : Math.min(this.backlogBytes, MAX_LOAD_BYTES);
  }

  /** How far the client has got. */
  get deliveries(): Deliveries {
    return this.#sender;
  }

  /**
   * Takes messages of a block, from `from` up to `to` (not included); they leave with {@linkcode flush}.
   *
   * @returns the first one's delivery number
   */
  push(block: RecordBlock, from: number, to: number): number {
    if (this.#sender.backlogBytes === 0) this.#progressAt = Infinity;
    return this.#sender.push(block, from, to);
  }

  /**
   * A promise that is fulfilled when less than half of what may wait waits here. Undefined where that
   * is so now, and where the client takes nothing at all, or too little for too long: nobody shall wait
   * for that.
   */
  relief(): Promise<void> | undefined {
    if (!this.#farBehind) return undefined;
    const now = this.#options.clock.now();
    this.#behindSince = Math.min(this.#behindSince, now);
    if (this.#isStuck(now) || now - this.#behindSince > PATIENCE_MS) return undefined;
    return this.backpressure();
  }

  /** The same, however long it takes. */
  backpressure(): Promise<void> | undefined {
    if (this.#closed || !this.#farBehind) return undefined;
    this.#relief ??= Promise.withResolvers();
    return this.#relief.promise;
  }

  /**
   * Takes in a datagram that names this session; one that does not authenticate, or was there before,
   * is ignored, and so are too many.
   *
   * @returns whether it authenticated, and was new, as far as was looked at
   */
  receive(datagram: Uint8Array, from: Endpoint): boolean {
    const now = this.#options.clock.now();
    if (!this.#packets.tryTake(now)) return true;
    const packet = this.#opener.open(datagram);
    if (packet === undefined) return false;
    const affordable = packet.type === PacketType.ack ||
      this.#packets.tryTake(now, PATH_PACKET_COST);
    if (affordable && !this.#closed) this.#take(packet, from, now);
    return true;
  }

  #take(packet: Packet, from: Endpoint, now: number): void {
    switch (packet.type) {
      case PacketType.bind:
        if (packet.payload.length > 0) return;
        return this.#answer(this.#path.bind(packet.number, from), from);
      case PacketType.response:
        if (!this.#path.respond(packet.payload.toHex())) return;
        this.#recheck?.[Symbol.dispose]();
        this.#sender.openPath(now - this.#challengedAt);
        this.#sendPacket(PacketType.bound);
        return this.flush(now);
      case PacketType.ack: {
        const ack = decodeAck(packet.payload);
        if (ack === undefined) return;
        this.#noting(now, () => this.#sender.acknowledge(ack, now));
        return this.flush(now);
      }
    }
  }

  /**
   * Takes in an `ack` record.
   *
   * @returns whether it acknowledges what was sent
   */
  acknowledge(delivered: number): boolean {
    this.#flushSoon();
    const now = this.#options.clock.now();
    return this.#noting(now, () => this.#sender.acknowledgeAll(delivered));
  }

  /**
   * Sends all that is not acknowledged over TCP.
   *
   * @returns a promise that is fulfilled when everything is acknowledged, or this is closed
   */
  settle(): Promise<void> {
    this.#sender.closePath();
    this.#settled ??= Promise.withResolvers();
    const { promise } = this.#settled;
    this.flush();
    return promise;
  }

  /** Sends all that is not acknowledged over TCP, where it has not gone that way, and nothing after it. */
  drain(): void {
    if (this.#closed) return;
    for (const transmission of this.#sender.drain()) this.#transmit(transmission);
    this[Symbol.dispose]();
  }

  /** The connection has taken something, and takes more. */
  writable(): void {
    // Who takes what the server has for it gets on, however late its acknowledgements are read.
    this.#progressAt = this.#options.clock.now();
    this.flush();
  }

  /** Nobody will know any more whether what is not acknowledged arrives. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.deadlines.set(this, undefined);
    this.#recheck?.[Symbol.dispose]();
    this.#relieve();
    this.#settled?.resolve();
    this.#sender.drain();
  }

  #isStuck(now: number): boolean {
    return now - this.#progressAt > STUCK_AFTER_MS;
  }

  get #farBehind(): boolean {
    return this.#sender.backlogBytes > this.#options.maxBacklogBytes / 2;
  }

  #relieve(): void {
    this.#relief?.resolve();
    this.#relief = undefined;
  }

  /** Takes an acknowledgement in; only what makes less wait is progress. */
  #noting(now: number, acknowledge: () => boolean): boolean {
    const before = this.#sender.delivered;
    const valid = acknowledge();
    if (this.#sender.delivered > before) {
      this.#progressAt = now;
      this.#owner.acknowledged();
    }
    if (!this.#farBehind) this.#behindSince = Infinity;
    return valid;
  }

  /** Something may have been lost. */
  timeOut(late: number): void {
    const now = this.#options.clock.now();
    if (late > LATE_MS) this.#options.calmRate?.late(now, late);
    if (late > LATE_MS && !this.#excused) {
      this.#excused = true;
      return this.#options.deadlines.set(this, now + Math.min(late, LONGEST_EXCUSE_MS));
    }
    this.#excused = false;
    this.#sender.timeOut(now);
    this.flush(now);
  }

  #answer(answer: PathAnswer | undefined, to: Endpoint): void {
    if (answer === undefined) return;
    if (answer.send === "bound") return this.#sendPacket(PacketType.bound);
    this.#challenge(to, answer.token);
  }

  #challenge(to: Endpoint, token: string): void {
    this.#challengedAt = this.#options.clock.now();
    const challenge = this.#sealer.seal(PacketType.challenge, Uint8Array.fromHex(token));
    this.#options.sendDatagram(challenge, to);
  }

  /** A path that fell silent has to be validated again before it is used. */
  #suspendPath(): void {
    if (!this.#path.invalidate()) return;
    this.#recheckWait = FIRST_RECHECK_MS;
    this.#recheckLater();
  }

  #recheckPath(): void {
    const candidate = this.#path.recheck();
    if (candidate === undefined) return;
    this.#challenge(candidate.address, candidate.token);
    this.#recheckWait = Math.min(2 * this.#recheckWait, LONGEST_RECHECK_MS);
    this.#recheckLater();
  }

  #recheckLater(): void {
    const { clock } = this.#options;
    this.#recheck ??= new Alarm(clock, () => this.#recheckPath());
    this.#recheck.set(clock.now() + this.#recheckWait);
  }

  #sendPacket(type: PacketType, ...payload: Uint8Array[]): void {
    const address = this.#path.address;
    if (address === undefined) return;
    this.#options.sendDatagram(this.#sealer.seal(type, ...payload), address);
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.clock.soon(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  /** Sends what may go. */
  flush(now = this.#options.clock.now()): void {
    if (this.#closed) return;
    const { deadlines, maxBacklogBytes } = this.#options;
    if (this.#sender.backlogBytes > maxBacklogBytes) return this.#owner.overflow();
    if (this.#progressAt === Infinity) this.#progressAt = now;
    const { connection } = this.#owner;
    const next = () => this.#sender.next(now, this.#sealer.next, connection.writableBytes);
    for (let transmission; (transmission = next()) !== undefined;) this.#transmit(transmission);
    if (!this.#farBehind) this.#relieve();
    if (this.#sender.backlogBytes === 0) this.#settled?.resolve();
    if (!this.#sender.pathOpen) this.#suspendPath();
    const deadline = this.#sender.deadline();
    // An excuse ends at its own time.
    if (this.#excused && deadline !== undefined && deadline <= now) return;
    this.#excused = false;
    deadlines.set(this, deadline);
  }

  #transmit({ via, number, parts }: Transmission): void {
    if (via === "udp") return this.#sendPacket(PacketType.data, ...encodeData(number, parts));
    const [before, after] = deliverFrame(number);
    this.#owner.connection.send(before, ...parts, after);
  }
}
