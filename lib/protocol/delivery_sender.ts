import { CongestionWindow } from "./congestion.ts";
import { MAX_PAYLOAD_BYTES } from "./datagram.ts";
import { Fifo } from "./fifo.ts";
import { type Ack, type Frame, frameBytes, type Receipt } from "./frames.ts";
import { MAX_OUTSTANDING } from "./limits.ts";
import { PacketSize } from "./packet_size.ts";
import { RoundTrip } from "./round_trip.ts";

/** A packet counts as lost once one sent this many later was acknowledged (RFC 9002, 6.1.1). */
const PACKET_THRESHOLD = 3;
/** Packets on their way at once: a receive buffer holds a few hundred. */
const MAX_PACKETS_IN_FLIGHT = 128;
/** A backlog of more packets than this goes over TCP. */
const BACKLOG_PACKETS = 128;
/** After this many probes in a row without an acknowledgement messages go over TCP as well. */
const DOUBTFUL_PROBES = 2;
/** A message that was lost so often goes over TCP as well. */
const DOUBTFUL_LOSSES = 2;
/** Silence of UDP after which everything goes over TCP alone, in milliseconds. */
const SILENCE_MS = 3_000;

/** What the sender wants sent: one data packet, or one `deliver` record. */
export type Transmission =
  | { via: "udp"; frames: readonly Frame[] }
  | { via: "tcp"; frame: Frame };

/** A data packet that was sent, and neither acknowledged nor found to be lost. */
interface InFlight {
  sentAt: number;
  frames: readonly Frame[];
  /** The size of its payload. */
  bytes: number;
}

/**
 * One session's deliveries at the server: numbers them, decides when each goes by which channel, and
 * sends by UDP again what was lost (RFC 9002). It sends nothing itself and has no clock: `now` is given
 * to it, in milliseconds from any beginning.
 */
export class DeliverySender {
  #nextNumber = 0;
  /** What was never sent. */
  readonly #queue = new Fifo<Frame>();
  #queueBytes = 0;
  /** What was sent, and not acknowledged. */
  readonly #outstanding = new Map<number, Frame>();
  #outstandingBytes = 0;
  /** What was lost by UDP and goes into new packets. */
  readonly #lost = new Fifo<Frame>();
  /** What goes over TCP next, though it may have gone by UDP. */
  readonly #rescued = new Fifo<Frame>();
  /** The numbers that went over TCP, which loses nothing. */
  readonly #overTcp = new Set<number>();

  #pathOpen = false;
  readonly #inFlight = new Map<number, InFlight>();
  #bytesInFlight = 0;
  #highestPacket = -1;
  /** When it was sent. */
  #sentAt = -Infinity;
  /** The highest packet that was acknowledged. */
  #largestAcknowledged = -1;
  #roundTrip = new RoundTrip();
  #window = new CongestionWindow();
  #packetSize = new PacketSize();
  /** When a packet that came to be overtaken counts as lost. */
  #lossTime: number | undefined;
  /** Probes in a row that no acknowledgement has answered, and when the last one was due. */
  #probes = 0;
  #probedAt = -Infinity;
  #probeDue = false;
  /** The first packet that no acknowledgement has answered, and when it was sent. */
  #unanswered: { packet: number; since: number } | undefined;

  /** Whether messages go by UDP at present. */
  get pathOpen(): boolean {
    return this.#pathOpen;
  }

  /** The bytes of message records that wait: queued, or sent and not acknowledged. */
  get backlogBytes(): number {
    return this.#queueBytes + this.#outstandingBytes;
  }

  /** Gives a message record the next delivery number. */
  push(record: Uint8Array, receipt?: Receipt): void {
    this.#queue.push({ number: this.#nextNumber++, record, receipt });
    this.#queueBytes += record.length;
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
    for (const frame of this.#lost.drain()) this.#rescued.push(frame);
  }

  /**
   * What to send next, or undefined where there is nothing to send now. Call it until it says so.
   *
   * @param packet the number that the next data packet will have
   */
  next(now: number, packet: number): Transmission | undefined {
    // For so long nothing was sent that could have been acknowledged.
    const idle = this.#inFlight.size === 0 && now - this.#sentAt >= SILENCE_MS;
    if (idle) this.#unanswered = undefined;
    if (this.#pathOpen && this.#silent(now)) this.closePath();
    if (this.#pathOpen) {
      const frames = this.#takeProbe() ?? this.#takeForPacket();
      if (frames.length > 0) return this.#byPacket(frames, now, packet);
    }
    const frame = this.#takeRescued() ?? (this.#nextIsForTcp() ? this.#takeNew() : undefined);
    if (frame === undefined) return undefined;
    this.#overTcp.add(frame.number);
    return { via: "tcp", frame };
  }

  /**
   * Takes in an acknowledgement that came by UDP.
   *
   * @returns whether it was one: false where it acknowledges what was never sent, and then nothing
   *   has changed
   */
  acknowledge({ largest, delay, delivered, ranges }: Ack, now: number): boolean {
    const highest = ranges.at(-1)?.[1] ?? delivered - 1;
    if (largest > this.#highestPacket || highest >= this.#firstUnsent) return false;
    const sample = this.#inFlight.get(largest);
    this.#settle(delivered, ranges);
    const inFlight = this.#bytesInFlight;
    const arrived = this.#clearInFlight();
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
      const [oldest] = this.#inFlight.keys();
      this.#unanswered = oldest === undefined ? undefined : { packet: oldest, since: now };
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
    if (delivered > this.#firstUnsent) return false;
    this.#settle(delivered, []);
    this.#clearInFlight();
    return true;
  }

  /** When {@linkcode timeOut} wants to be called, or undefined. */
  deadline(): number | undefined {
    if (this.#inFlight.size === 0) return undefined;
    const silent = this.#unanswered ? this.#unanswered.since + SILENCE_MS : Infinity;
    return Math.min(this.#lossTime ?? Infinity, this.#probeTime(), silent);
  }

  /** Finds what was lost, and probes where no acknowledgement came in time. */
  timeOut(now: number): void {
    if (this.#lossTime !== undefined && this.#lossTime <= now) return this.#findLost(now);
    if (this.#inFlight.size === 0 || this.#probeTime() > now) return;
    this.#probes++;
    this.#probedAt = now;
    this.#probeDue = true;
    const [oldest] = this.#inFlight.values();
    this.#packetSize.failed(oldest!.bytes);
    if (this.#doubtful) {
      for (const { frames } of this.#inFlight.values()) this.#rescue(frames);
    }
  }

  /** Everything not acknowledged, in order: what a session that ends gets over TCP. Nothing is left. */
  drain(): Frame[] {
    const frames = [...this.#outstanding.values(), ...this.#queue.drain()];
    this.#outstanding.clear();
    this.#queueBytes = this.#outstandingBytes = 0;
    return frames;
  }

  get #firstUnsent(): number {
    return this.#queue.at(0)?.number ?? this.#nextNumber;
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
    const [oldest] = this.#inFlight.values();
    const since = Math.max(oldest!.sentAt, this.#probedAt);
    return since + this.#roundTrip.probeTimeout * 2 ** this.#probes;
  }

  #mayFly(): boolean {
    return this.#bytesInFlight < this.#window.bytes && this.#inFlight.size < MAX_PACKETS_IN_FLIGHT;
  }

  /** Whether the next new message does not go by UDP. */
  #nextIsForTcp(): boolean {
    const first = this.#queue.at(0);
    return first !== undefined && (
      !this.#pathOpen ||
      frameBytes(first.record) > this.#packetSize.maxPayload ||
      this.#queueBytes > BACKLOG_PACKETS * MAX_PAYLOAD_BYTES
    );
  }

  /** Once more what waits longest, whether the window allows it or not (RFC 9002, section 7.5). */
  #takeProbe(): readonly Frame[] | undefined {
    if (!this.#probeDue) return undefined;
    this.#probeDue = false;
    const [oldest] = this.#inFlight.values();
    return oldest?.frames.filter((frame) => this.#isMissing(frame));
  }

  /** What was lost and what is new, as much as fits into a packet; nothing while the window is full. */
  #takeForPacket(): Frame[] {
    const frames: Frame[] = [];
    if (!this.#mayFly()) return frames;
    let room = this.#packetSize.maxPayload;
    const put = (frame: Frame) => {
      room -= frameBytes(frame.record);
      frames.push(frame);
    };
    for (let frame; (frame = this.#lost.at(0)) !== undefined; this.#lost.shift()) {
      if (!this.#isMissing(frame)) continue;
      const bytes = frameBytes(frame.record);
      if (bytes > this.#packetSize.maxPayload) this.#rescued.push(frame);
      else if (bytes > room) return frames;
      else put(frame);
    }
    for (let next; (next = this.#queue.at(0)) !== undefined;) {
      if (this.#nextIsForTcp() || frameBytes(next.record) > room) break;
      const frame = this.#takeNew();
      if (frame === undefined) break;
      put(frame);
    }
    return frames;
  }

  #takeRescued(): Frame | undefined {
    for (let frame; (frame = this.#rescued.shift()) !== undefined;) {
      if (this.#isMissing(frame) && !this.#overTcp.has(frame.number)) return frame;
    }
    return undefined;
  }

  /** The next new message, if the receiver has a place for it whatever else is missing there. */
  #takeNew(): Frame | undefined {
    const frame = this.#queue.at(0);
    const [oldest = frame?.number] = this.#outstanding.keys();
    if (frame === undefined || frame.number - oldest! >= MAX_OUTSTANDING) return undefined;
    this.#queue.shift();
    this.#outstanding.set(frame.number, frame);
    this.#outstandingBytes += frame.record.length;
    this.#queueBytes -= frame.record.length;
    return frame;
  }

  #byPacket(frames: readonly Frame[], now: number, packet: number): Transmission {
    const bytes = frames.reduce((sum, { record }) => sum + frameBytes(record), 0);
    this.#inFlight.set(packet, { sentAt: now, frames, bytes });
    this.#bytesInFlight += bytes;
    this.#highestPacket = packet;
    this.#sentAt = now;
    this.#unanswered ??= { packet, since: now };
    if (this.#doubtful) this.#rescue(frames);
    return { via: "udp", frames };
  }

  /** Messages that may never arrive by UDP go over TCP as well. */
  #rescue(frames: readonly Frame[]): void {
    for (const frame of frames) this.#rescued.push(frame);
  }

  /** Packets that a later one has overtaken for too long are lost (RFC 9002, section 6.1). */
  #findLost(now: number): void {
    this.#lossTime = undefined;
    let last: InFlight | undefined;
    for (const [packet, sent] of this.#inFlight) {
      if (packet > this.#largestAcknowledged) break;
      const lossTime = sent.sentAt + this.#roundTrip.lossDelay;
      if (packet > this.#largestAcknowledged - PACKET_THRESHOLD && lossTime > now) {
        this.#lossTime = Math.min(this.#lossTime ?? Infinity, lossTime);
        continue;
      }
      this.#lose(packet, sent);
      last = sent;
    }
    if (last === undefined) return;
    this.#window.lost(last.sentAt, now);
    this.#packetSize.failed(last.bytes);
  }

  #loseAll(): void {
    for (const [packet, sent] of this.#inFlight) this.#lose(packet, sent);
    this.#lossTime = undefined;
  }

  #lose(packet: number, { frames, bytes }: InFlight): void {
    this.#inFlight.delete(packet);
    this.#bytesInFlight -= bytes;
    for (const frame of frames) {
      if (!this.#isMissing(frame)) continue;
      this.#lost.push(frame);
      frame.losses = (frame.losses ?? 0) + 1;
      if (frame.losses >= DOUBTFUL_LOSSES) this.#rescued.push(frame);
    }
  }

  /** Whether the receiver has it not, as far as is known. */
  #isMissing({ number, early }: Frame): boolean {
    return !early && this.#outstanding.has(number);
  }

  /** Forgets the packets all of whose messages arrived. @returns these */
  #clearInFlight(): InFlight[] {
    const cleared: InFlight[] = [];
    for (const [packet, sent] of this.#inFlight) {
      if (sent.frames.some((frame) => this.#isMissing(frame))) continue;
      this.#inFlight.delete(packet);
      this.#bytesInFlight -= sent.bytes;
      cleared.push(sent);
    }
    return cleared;
  }

  /**
   * Forgets the messages that the receiver has given to its user. Those in the ranges it only holds until
   * what is missing below them has come, so they need not be sent again, but are not done with.
   */
  #settle(delivered: number, ranges: Ack["ranges"]): void {
    // In the order of the numbers, as the ranges are.
    let range = 0;
    for (const [number, frame] of this.#outstanding) {
      if (number < delivered) {
        this.#forget(number);
        continue;
      }
      while (range < ranges.length && ranges[range]![1] < number) range++;
      if (range === ranges.length) break;
      if (number >= ranges[range]![0]) frame.early = true;
    }
  }

  #forget(number: number): void {
    const frame = this.#outstanding.get(number);
    if (frame === undefined) return;
    const via = this.#overTcp.delete(number) ? "tcp" : "udp";
    this.#outstanding.delete(number);
    this.#outstandingBytes -= frame.record.length;
    frame.receipt?.acknowledged(via);
  }
}
