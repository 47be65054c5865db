import { TokenBucket } from "../token_bucket.ts";
import type { CalmRate } from "./calm_rate.ts";
import { CongestionWindow } from "./congestion.ts";
import { MAX_OUTSTANDING, MAX_RUN_BYTES } from "./limits.ts";
import { PacketSize } from "./packet_size.ts";
import { type Ack, DATA_HEADER_BYTES } from "./payloads.ts";
import { type Range, RangeSet } from "./ranges.ts";
import type { RecordBlock } from "./record_block.ts";
import { RoundTrip } from "./round_trip.ts";
import { type Gathered, RunQueue } from "./run_queue.ts";

/** A packet counts as lost once one sent this many later was acknowledged (RFC 9002, 6.1.1). */
const PACKET_THRESHOLD = 3;
/** Packets on their way at once: a receive buffer holds a few hundred. */
const MAX_PACKETS_IN_FLIGHT = 128;
/** What waits and does not fit into so many packets goes over TCP: large writes cost least. */
const CALM_PACKETS = 2;
/** New packets at once and a second; what is more goes over TCP. */
const CALM_RATE = { burst: 32, perSecond: 200 };
/** After this many probes in a row without an acknowledgement messages go over TCP as well. */
const DOUBTFUL_PROBES = 2;
/** Silence of UDP after which everything goes over TCP alone, in milliseconds. */
const SILENCE_MS = 3_000;

/** Of so many acknowledged messages it is known for sure by which channel they went. */
const MAX_REMEMBERED = 10_000;

/** Messages with consecutive delivery numbers: one data packet, or one `deliver` record. */
export interface Transmission {
  via: "udp" | "tcp";
  /** The first one's delivery number. */
  number: number;
  /** Their records, UTF-8, with a comma between two; to be joined. */
  parts: readonly Uint8Array[];
}

/** What went to sessions over one channel. */
export interface ChannelCounts {
  /** Data packets, or `deliver` records. */
  transmissions: number;
  /** Messages in them that had not gone to their session before, over either channel; and those that had. */
  deliveries: number;
  repeats: number;
}

/** What went to sessions. It only grows. */
export type DeliveryCounts = Record<Transmission["via"], ChannelCounts>;

export function noDeliveries(): DeliveryCounts {
  return {
    udp: { transmissions: 0, deliveries: 0, repeats: 0 },
    tcp: { transmissions: 0, deliveries: 0, repeats: 0 },
  };
}

/** A data packet that was sent, and neither acknowledged nor found to be lost. */
interface InFlight {
  packet: number;
  sentAt: number;
  /** The delivery numbers in it. */
  range: Range;
  /** The size of its payload. */
  bytes: number;
}

/**
 * One session's deliveries at the server: numbers them, decides which go when by which channel, and sends
 * by UDP again what was lost (RFC 9002). It sends nothing itself and has no clock: `now` is given to it,
 * in milliseconds from any beginning.
 *
 * What it knows of single messages are ranges of numbers: below `delivered` the client has them, from
 * `unsent` on they were never sent, and of those between sets of ranges tell the rest.
 */
export class DeliverySender {
  readonly #queue = new RunQueue();
  #delivered = 0;
  #unsent = 0;
  /** What the client holds until what is missing below has come. */
  readonly #early = new RangeSet();
  /** What was lost by UDP and goes into new packets. */
  readonly #lost = new RangeSet();
  /** What was lost by UDP at least once. */
  readonly #lostBefore = new RangeSet();
  /** What goes over TCP next, though it has gone by UDP. */
  readonly #rescued = new RangeSet();
  /** What went over TCP, which loses nothing. */
  readonly #overTcp = new RangeSet();

  #pathOpen = false;
  /** Ascending. */
  #inFlight: InFlight[] = [];
  #bytesInFlight = 0;
  #highestPacket = -1;
  /** When it was sent. */
  #sentAt = -Infinity;
  /** The highest packet that was acknowledged. */
  #largestAcknowledged = -1;
  #roundTrip = new RoundTrip();
  #window = new CongestionWindow();
  #packetSize = new PacketSize();
  readonly #calmRate = new TokenBucket(CALM_RATE, 0);
  readonly #sharedRate: CalmRate | undefined;
  readonly #counts: DeliveryCounts;
  /** Every message below this number has gone to the client at least once. */
  #counted = 0;
  /** When a packet that came to be overtaken counts as lost. */
  #lossTime: number | undefined;
  /** Probes in a row that no acknowledgement has answered, and when the last one was due. */
  #probes = 0;
  #probedAt = -Infinity;
  #probeDue = false;
  /** The first packet that no acknowledgement has answered, and when it was sent. */
  #unanswered: { packet: number; since: number } | undefined;

  /**
   * @param sharedRate what new packets of all sessions are taken from. @default no limit
   * @param counts where it counts what goes. @default its own
   */
  constructor(sharedRate?: CalmRate, counts = noDeliveries()) {
    this.#sharedRate = sharedRate;
    this.#counts = counts;
  }

  /** Whether messages go by UDP at present. */
  get pathOpen(): boolean {
    return this.#pathOpen;
  }

  /** The bytes of message records that wait: queued, or sent and not acknowledged. */
  get backlogBytes(): number {
    return this.#queue.bytes;
  }

  /** So many messages wait: queued, or sent and not acknowledged. */
  get backlog(): number {
    return this.#queue.next - this.#delivered;
  }

  /** Every delivery number below this one was acknowledged. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Whether a message went over TCP, perhaps by UDP as well. */
  wentByTcp(number: number): boolean {
    return this.#overTcp.has(number);
  }

  /**
   * Gives messages the next delivery numbers: those of a block from `from` up to `to` (not included).
   *
   * @returns the first one's delivery number
   */
  push(block: RecordBlock, from: number, to: number): number {
    return this.#queue.push(block, from, to);
  }

  /**
   * The client's address has been validated: messages may go by UDP. A new path starts anew.
   *
   * @param roundTrip how long the validation took, in milliseconds
   */
  openPath(roundTrip: number): void {
    this.#loseAll();
    this.#pathOpen = true;
    this.#unanswered = undefined;
    this.#probes = 0;
    this.#window = new CongestionWindow();
    this.#packetSize = new PacketSize();
    this.#roundTrip = new RoundTrip();
    this.#roundTrip.measure(roundTrip);
  }

  /** From now on nothing goes by UDP; what is on its way by UDP goes over TCP too. */
  closePath(): void {
    this.#loseAll();
    this.#pathOpen = false;
    this.#probeDue = false;
    for (const [first, last] of this.#lost.ranges) this.#rescued.add(first, last);
    this.#lost.clear();
  }

  /**
   * What to send next, or undefined where there is nothing to send now. Call it until it says so.
   *
   * @param packet the number that the next data packet will have
   * @param writable so many bytes TCP takes at present; a record that is larger goes where that is not 0
   */
  next(now: number, packet: number, writable: number): Transmission | undefined {
    // For so long nothing was sent that could have been acknowledged.
    const idle = this.#inFlight.length === 0 && now - this.#sentAt >= SILENCE_MS;
    if (idle) this.#unanswered = undefined;
    if (this.#pathOpen) {
      const taken = this.#takeProbe() ?? this.#takeLost() ?? this.#takeCalm(now);
      if (taken !== undefined) return this.#byPacket(taken, now, packet);
    }
    if (writable <= 0) return undefined;
    const most = Math.min(writable, MAX_RUN_BYTES);
    return this.#takeRescued(most) ?? this.#takeForTcp(most);
  }

  /**
   * Takes in an acknowledgement that came by UDP.
   *
   * @returns whether it was one: false where it acknowledges what was never sent, and then nothing
   *   has changed
   */
  acknowledge({ largest, delay, delivered, ranges }: Ack, now: number): boolean {
    const highest = ranges.at(-1)?.[1] ?? delivered - 1;
    if (largest > this.#highestPacket || highest >= this.#unsent) return false;
    const sample = this.#inFlight.find(({ packet }) => packet === largest);
    this.#settle(delivered);
    for (const [first, last] of ranges) {
      if (last >= this.#delivered) this.#early.add(Math.max(first, this.#delivered), last);
    }
    const inFlight = this.#bytesInFlight;
    const arrived = this.#takeOut((sent) => this.#hasArrived(sent));
    if (sample !== undefined && arrived.includes(sample)) {
      this.#roundTrip.measure(now - sample.sentAt, delay / 1_000);
    }
    for (const { bytes } of arrived) this.#packetSize.arrived(bytes);
    const last = arrived.at(-1);
    if (last !== undefined) {
      const bytes = arrived.reduce((sum, { bytes }) => sum + bytes, 0);
      this.#window.acknowledged(bytes, { at: last.sentAt, inFlight });
    }
    this.#largestAcknowledged = Math.max(this.#largestAcknowledged, largest);
    this.#findLost(now);
    if (this.#unanswered !== undefined && largest >= this.#unanswered.packet) {
      const [oldest] = this.#inFlight;
      this.#unanswered = oldest && { packet: oldest.packet, since: now };
      this.#probes = 0;
      this.#probedAt = now;
    }
    return true;
  }

  /**
   * Takes in an acknowledgement that came over TCP: every number below `delivered` was received. It
   * says nothing about UDP.
   *
   * @returns whether it was one: false where it acknowledges what was never sent
   */
  acknowledgeAll(delivered: number): boolean {
    if (delivered > this.#unsent) return false;
    this.#settle(delivered);
    this.#takeOut((sent) => this.#hasArrived(sent));
    return true;
  }

  /** When {@linkcode timeOut} wants to be called, or undefined. */
  deadline(): number | undefined {
    if (this.#inFlight.length === 0) return undefined;
    const silent = this.#unanswered ? this.#unanswered.since + SILENCE_MS : Infinity;
    return Math.min(this.#lossTime ?? Infinity, this.#probeTime(), silent);
  }

  /** Finds what was lost, and probes or gives UDP up where no acknowledgement came in time. */
  timeOut(now: number): void {
    if (this.#pathOpen && this.#silent(now)) return this.closePath();
    if (this.#lossTime !== undefined && this.#lossTime <= now) return this.#findLost(now);
    if (this.#inFlight.length === 0 || this.#probeTime() > now) return;
    this.#probes++;
    this.#probedAt = now;
    this.#probeDue = true;
    const [oldest] = this.#inFlight;
    this.#packetSize.failed(oldest!.bytes);
    if (this.#doubtful) {
      for (const { range } of this.#inFlight) this.#rescued.add(...range);
    }
  }

  /**
   * Everything not acknowledged that has not gone over TCP, in order: what a session that ends still
   * gets that way. Nothing is left.
   */
  drain(): Transmission[] {
    this.closePath();
    const { next } = this.#queue;
    if (next > this.#unsent) this.#rescued.add(this.#unsent, next - 1);
    this.#unsent = next;
    const rest: Transmission[] = [];
    for (let taken; (taken = this.#takeRescued(MAX_RUN_BYTES)) !== undefined;) rest.push(taken);
    this.#queue.clear();
    return rest;
  }

  #silent(now: number): boolean {
    return this.#unanswered !== undefined && now - this.#unanswered.since >= SILENCE_MS;
  }

  /** UDP may have stopped working. */
  get #doubtful(): boolean {
    return this.#probes >= DOUBTFUL_PROBES;
  }

  /**
   * RFC 9002, section 6.2, but counted from the oldest packet on its way, not from the newest: a steady
   * flow shall not put it off.
   */
  #probeTime(): number {
    const [oldest] = this.#inFlight;
    const since = Math.max(oldest!.sentAt, this.#probedAt);
    return since + this.#roundTrip.probeTimeout * 2 ** this.#probes;
  }

  #mayFly(): boolean {
    return this.#bytesInFlight < this.#window.bytes &&
      this.#inFlight.length < MAX_PACKETS_IN_FLIGHT;
  }

  /** Once more what waits longest, whether the window allows it or not (RFC 9002, section 7.5). */
  #takeProbe(): Gathered | undefined {
    if (!this.#probeDue) return undefined;
    this.#probeDue = false;
    const [oldest] = this.#inFlight;
    const missing = oldest && this.#missing(oldest.range)[0];
    return missing && this.#packetful(missing);
  }

  /** What was lost, as much as fits into a packet; nothing while the window is full. */
  #takeLost(): Gathered | undefined {
    for (let lost; this.#mayFly() && (lost = this.#lost.first) !== undefined;) {
      const [missing] = this.#missing(lost);
      const taken = missing && this.#packetful(missing);
      // What does not fit into the smaller packets that the path takes by now goes over TCP.
      if (missing !== undefined && taken === undefined) this.#rescued.add(missing[0], missing[0]);
      this.#lost.delete(lost[0], taken?.range[1] ?? missing?.[0] ?? lost[1]);
      if (taken !== undefined) return taken;
    }
    return undefined;
  }

  /**
   * What is new, as much as fits into a packet, if it is little: nothing while the window is full, where
   * the next message is too large, and where it is more than a few packets or they would be too many.
   */
  #takeCalm(now: number): Gathered | undefined {
    const last = this.#lastAllowed();
    if (last < this.#unsent || !this.#isLittle() || !this.#mayFly()) return undefined;
    const taken = this.#packetful([this.#unsent, last]);
    if (taken === undefined || !this.#calmRate.tryTake(now)) return undefined;
    if (this.#sharedRate?.tryTake(now) === false) {
      this.#calmRate.giveBack();
      return undefined;
    }
    this.#unsent = taken.range[1] + 1;
    return taken;
  }

  /** What is new and does not go by UDP. */
  #takeForTcp(maxBytes: number): Transmission | undefined {
    const last = this.#lastAllowed();
    if (last < this.#unsent || this.#waitsForWindow()) return undefined;
    const { range, parts } = this.#queue.gather([this.#unsent, last], maxBytes);
    this.#unsent = range[1] + 1;
    this.#overTcp.add(...range);
    return this.#counting("tcp", range, parts);
  }

  /** Whether what is new will go by UDP as soon as the window allows it. */
  #waitsForWindow(): boolean {
    if (!this.#pathOpen || this.#mayFly() || !this.#isLittle()) return false;
    return this.#packetful([this.#unsent, this.#unsent]) !== undefined;
  }

  /** Whether what is new fits into a few packets. */
  #isLittle(): boolean {
    return this.#queue.isWithin(CALM_PACKETS * this.#packetSize.maxPayload, this.#unsent);
  }

  /** The last number that the receiver has a place for, whatever is missing there. */
  #lastAllowed(): number {
    return Math.min(this.#queue.next, this.#delivered + MAX_OUTSTANDING) - 1;
  }

  #takeRescued(maxBytes: number): Transmission | undefined {
    for (let rescued; (rescued = this.#rescued.first) !== undefined;) {
      const [missing] = this.#missing(rescued);
      const untold = missing && this.#overTcp.missing(...missing)[0];
      if (untold === undefined) {
        this.#rescued.delete(rescued[0], missing?.[1] ?? rescued[1]);
        continue;
      }
      const { range, parts } = this.#queue.gather(untold, maxBytes);
      this.#rescued.delete(rescued[0], range[1]);
      this.#overTcp.add(...range);
      return this.#counting("tcp", range, parts);
    }
    return undefined;
  }

  #byPacket({ range, parts, bytes: records }: Gathered, now: number, packet: number): Transmission {
    const bytes = DATA_HEADER_BYTES + records;
    this.#inFlight.push({ packet, sentAt: now, range, bytes });
    this.#bytesInFlight += bytes;
    this.#highestPacket = packet;
    this.#sentAt = now;
    this.#unanswered ??= { packet, since: now };
    if (this.#doubtful) this.#rescued.add(...range);
    return this.#counting("udp", range, parts);
  }

  #counting(via: Transmission["via"], [first, last]: Range, parts: Uint8Array[]): Transmission {
    const counts = this.#counts[via];
    const repeats = Math.min(Math.max(this.#counted - first, 0), last + 1 - first);
    counts.transmissions++;
    counts.repeats += repeats;
    counts.deliveries += last + 1 - first - repeats;
    this.#counted = Math.max(this.#counted, last + 1);
    return { via, number: first, parts };
  }

  /** The first numbers of a range, as many as fit into a packet; undefined where none does. */
  #packetful(range: Range): Gathered | undefined {
    const most = this.#packetSize.maxPayload - DATA_HEADER_BYTES;
    const gathered = this.#queue.gather(range, most);
    return gathered.bytes > most ? undefined : gathered;
  }

  /** Packets that a later one has overtaken for too long are lost (RFC 9002, section 6.1). */
  #findLost(now: number): void {
    this.#lossTime = undefined;
    const lost = this.#takeOut(({ packet, sentAt }) => {
      if (packet > this.#largestAcknowledged) return false;
      const lossTime = sentAt + this.#roundTrip.lossDelay;
      const isLost = packet <= this.#largestAcknowledged - PACKET_THRESHOLD || lossTime <= now;
      if (!isLost) this.#lossTime = Math.min(this.#lossTime ?? Infinity, lossTime);
      return isLost;
    });
    const last = lost.at(-1);
    if (last === undefined) return;
    this.#lose(lost);
    this.#window.lost(last.sentAt, now);
    this.#packetSize.failed(last.bytes);
  }

  #loseAll(): void {
    this.#lose(this.#takeOut(() => true));
    this.#lossTime = undefined;
  }

  /** What was lost goes into new packets; for the second time, over TCP as well. */
  #lose(lost: readonly InFlight[]): void {
    for (const [first, last] of lost.flatMap(({ range }) => this.#missing(range))) {
      this.#lost.add(first, last);
      for (let number = first; number <= last; number++) {
        if (this.#lostBefore.has(number)) this.#rescued.add(number, number);
      }
      this.#lostBefore.add(first, last);
    }
  }

  /** What of a range the receiver has not, as far as is known. */
  #missing([first, last]: Range): Range[] {
    return this.#early.missing(Math.max(first, this.#delivered), last);
  }

  #hasArrived({ range }: InFlight): boolean {
    return range[1] < this.#delivered || this.#missing(range).length === 0;
  }

  /** Forgets some of the packets on their way. @returns these */
  #takeOut(isOut: (sent: InFlight) => boolean): InFlight[] {
    const out: InFlight[] = [];
    const left: InFlight[] = [];
    for (const sent of this.#inFlight) {
      if (isOut(sent)) out.push(sent);
      else left.push(sent);
    }
    for (const { bytes } of out) this.#bytesInFlight -= bytes;
    this.#inFlight = left;
    return out;
  }

  /** Forgets the messages below a number: the receiver has given them to its user. */
  #settle(delivered: number): void {
    if (delivered <= this.#delivered) return;
    this.#queue.settle(delivered);
    this.#delivered = delivered;
    if (this.#overTcp.size > MAX_REMEMBERED) this.#overTcp.deleteBelow(delivered - MAX_REMEMBERED);
    for (const set of [this.#early, this.#lost, this.#lostBefore, this.#rescued]) {
      set.deleteBelow(delivered);
    }
  }
}
