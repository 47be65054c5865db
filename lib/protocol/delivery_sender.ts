import { MAX_PAYLOAD_BYTES } from "./datagram.ts";
import { Fifo } from "./fifo.ts";
import { type Ack, fitsPacket, type Frame, frameBytes } from "./frames.ts";
import { MAX_OUTSTANDING } from "./limits.ts";

/** A packet counts as lost once one sent this many later was acknowledged (RFC 9002, 6.1.1). */
const PACKET_THRESHOLD = 3;
/** The round-trip time assumed before one was measured, in milliseconds (RFC 9002, 6.2.2). */
const INITIAL_RTT_MS = 333;
/** How long a receiver may hold an acknowledgement back, in milliseconds. */
const MAX_ACK_DELAY_MS = 25;
/** Packets on their way at once: a receive buffer holds a few hundred. */
const WINDOW_PACKETS = 32;
/** A backlog of more packets than this goes over TCP. */
const BACKLOG_PACKETS = 4 * WINDOW_PACKETS;
/** Silence of UDP after which everything goes over TCP, in milliseconds. */
const SILENCE_MS = 3_000;

/** What the sender wants sent: one data packet, or one `deliver` record. */
export type Transmission =
  | { via: "udp"; frames: readonly Frame[] }
  | { via: "tcp"; frame: Frame };

/** A data packet that was sent and not yet acknowledged or given up. */
interface InFlight {
  sentAt: number;
  frames: readonly Frame[];
}

/**
 * One session's deliveries at the server: numbers them, decides when each goes by which channel, and
 * sees to it that what is not acknowledged goes over TCP. It sends nothing itself and has no clock:
 * `now` is given to it, in milliseconds from any beginning.
 */
export class DeliverySender {
  #nextNumber = 0;
  readonly #queue = new Fifo<Frame>();
  #queueBytes = 0;
  /** What was lost by UDP and goes over TCP next. */
  readonly #lost = new Fifo<Frame>();
  /** The numbers that went, or go next, over TCP, which loses nothing. */
  readonly #overTcp = new Set<number>();
  /** What goes into a packet once more, to find out whether UDP works still. */
  #probe: readonly Frame[] = [];
  readonly #outstanding = new Map<number, Frame>();
  #outstandingBytes = 0;
  readonly #inFlight = new Map<number, InFlight>();
  #highestPacket = -1;
  #pathOpen = false;
  #measured = false;
  /** The first packet that no acknowledgement has answered, and when it was sent. */
  #unanswered: { packet: number; since: number } | undefined;
  /** Time-outs in a row, and when the next one may have UDP tried again. */
  #timeouts = 0;
  #nextProbe = 0;
  #smoothedRtt = INITIAL_RTT_MS;
  #rttVariation = INITIAL_RTT_MS / 2;

  /** Whether messages go by UDP at present. */
  get pathOpen(): boolean {
    return this.#pathOpen;
  }

  /** The bytes of message records that wait: queued, or sent and not acknowledged. */
  get backlogBytes(): number {
    return this.#queueBytes + this.#outstandingBytes;
  }

  /**
   * Gives a message record the next delivery number.
   *
   * @param acknowledged is called once, when the receiver has acknowledged it
   */
  push(record: Uint8Array, acknowledged?: () => void): void {
    this.#queue.push({ number: this.#nextNumber++, record, acknowledged });
    this.#queueBytes += record.length;
  }

  /** The client's address has been validated: messages may go by UDP. */
  openPath(): void {
    this.#pathOpen = true;
    this.#unanswered = undefined;
    this.#timeouts = this.#nextProbe = 0;
  }

  /** From now on nothing goes by UDP; what is on its way by UDP goes over TCP too. */
  closePath(): void {
    this.#pathOpen = false;
    this.#probe = [];
    for (const packet of [...this.#inFlight.keys()]) this.#giveUp(packet);
  }

  /**
   * What to send next, or undefined where there is nothing to send now. Call it until it says so.
   *
   * @param packet the number that the next data packet will have
   */
  next(now: number, packet: number): Transmission | undefined {
    if (this.#pathOpen && this.#silent(now)) this.closePath();
    const probe = this.#probe.filter(({ number }) => this.#outstanding.has(number));
    this.#probe = [];
    if (probe.length > 0) return this.#byPacket(probe, now, packet);

    for (let lost; (lost = this.#lost.shift()) !== undefined;) {
      if (this.#outstanding.has(lost.number)) return { via: "tcp", frame: lost };
    }

    const first = this.#queue.at(0);
    if (first === undefined || this.#outstanding.size >= MAX_OUTSTANDING) return undefined;
    if (!this.#pathOpen || !fitsPacket(first.record) || this.#backlogged()) {
      const [frame] = this.#take(1);
      this.#overTcp.add(frame!.number);
      return { via: "tcp", frame: frame! };
    }
    if (this.#inFlight.size >= WINDOW_PACKETS) return undefined;
    return this.#byPacket(this.#take(this.#framesForOnePacket()), now, packet);
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
    if (sample !== undefined && !this.#inFlight.has(largest)) {
      this.#measure(now - sample.sentAt, delay / 1_000);
    }
    for (const packet of this.#inFlight.keys()) {
      if (packet <= largest - PACKET_THRESHOLD) this.#giveUp(packet);
    }
    if (this.#unanswered !== undefined && largest >= this.#unanswered.packet) {
      const [oldest] = this.#inFlight.keys();
      this.#unanswered = oldest === undefined ? undefined : { packet: oldest, since: now };
      this.#timeouts = this.#nextProbe = 0;
    }
    return true;
  }

  /**
   * Takes in an acknowledgement that came over TCP: every number below `delivered` was received.
   *
   * @returns whether it was one: false where it acknowledges what was never sent
   */
  acknowledgeAll(delivered: number): boolean {
    if (delivered > this.#firstUnsent) return false;
    this.#settle(delivered, []);
    return true;
  }

  /** When {@linkcode timeOut} wants to be called, or undefined. */
  deadline(): number | undefined {
    const [oldest] = this.#inFlight.values();
    if (oldest === undefined) return undefined;
    const silent = this.#unanswered ? this.#unanswered.since + SILENCE_MS : Infinity;
    return Math.min(oldest.sentAt + this.#probeTimeout(), silent);
  }

  /** Gives up what no acknowledgement came for in time, and has UDP tried once more. */
  timeOut(now: number): void {
    const timeout = this.#probeTimeout();
    const late = [...this.#inFlight].filter(([, { sentAt }]) => sentAt + timeout <= now);
    if (late.length > 0 && now >= this.#nextProbe) {
      this.#probe = late[0]![1].frames;
      this.#nextProbe = now + timeout * 2 ** ++this.#timeouts;
    }
    for (const [packet] of late) this.#giveUp(packet);
  }

  /** Everything not acknowledged, in order: what a session that ends gets over TCP. */
  drain(): Frame[] {
    return [...this.#outstanding.values(), ...this.#queue.drain()];
  }

  get #firstUnsent(): number {
    return this.#queue.at(0)?.number ?? this.#nextNumber;
  }

  #silent(now: number): boolean {
    return this.#unanswered !== undefined && now - this.#unanswered.since >= SILENCE_MS;
  }

  #backlogged(): boolean {
    return this.#queueBytes > BACKLOG_PACKETS * MAX_PAYLOAD_BYTES;
  }

  #framesForOnePacket(): number {
    const most = Math.min(this.#queue.length, MAX_OUTSTANDING - this.#outstanding.size);
    let bytes = 0;
    for (let count = 0; count < most; count++) {
      bytes += frameBytes(this.#queue.at(count)!.record);
      if (bytes > MAX_PAYLOAD_BYTES) return count;
    }
    return most;
  }

  #take(count: number): Frame[] {
    const frames = Array.from({ length: count }, () => this.#queue.shift()!);
    for (const frame of frames) {
      this.#outstanding.set(frame.number, frame);
      this.#outstandingBytes += frame.record.length;
      this.#queueBytes -= frame.record.length;
    }
    return frames;
  }

  #byPacket(frames: readonly Frame[], now: number, packet: number): Transmission {
    this.#inFlight.set(packet, { sentAt: now, frames });
    this.#highestPacket = packet;
    this.#unanswered ??= { packet, since: now };
    return { via: "udp", frames };
  }

  /** The packet is lost: what of it was not acknowledged goes over TCP. */
  #giveUp(packet: number): void {
    const { frames } = this.#inFlight.get(packet)!;
    this.#inFlight.delete(packet);
    for (const frame of frames) {
      if (!this.#outstanding.has(frame.number) || this.#overTcp.has(frame.number)) continue;
      this.#overTcp.add(frame.number);
      this.#lost.push(frame);
    }
  }

  /** Forgets what was acknowledged, and the packets that held nothing else. */
  #settle(delivered: number, ranges: Ack["ranges"]): void {
    // In the order of the numbers, as the ranges are; an acknowledged one may be long gone.
    let range = 0;
    for (const number of this.#outstanding.keys()) {
      while (range < ranges.length && ranges[range]![1] < number) range++;
      const [first] = ranges[range] ?? [Infinity];
      if (number < delivered || number >= first) this.#forget(number);
      else if (first === Infinity) break;
    }
    for (const [packet, { frames }] of this.#inFlight) {
      if (!frames.some(({ number }) => this.#outstanding.has(number))) {
        this.#inFlight.delete(packet);
      }
    }
  }

  #forget(number: number): void {
    const frame = this.#outstanding.get(number);
    if (frame === undefined) return;
    this.#outstanding.delete(number);
    this.#overTcp.delete(number);
    this.#outstandingBytes -= frame.record.length;
    frame.acknowledged?.();
  }

  /** RFC 9002, section 5.3, in milliseconds. */
  #measure(latest: number, ackDelay: number): void {
    const rtt = Math.max(latest - Math.min(ackDelay, MAX_ACK_DELAY_MS), 0);
    if (this.#measured) {
      this.#rttVariation += (Math.abs(this.#smoothedRtt - rtt) - this.#rttVariation) / 4;
      this.#smoothedRtt += (rtt - this.#smoothedRtt) / 8;
    } else {
      this.#measured = true;
      this.#smoothedRtt = rtt;
      this.#rttVariation = rtt / 2;
    }
  }

  /** RFC 9002, section 6.2.1. */
  #probeTimeout(): number {
    return this.#smoothedRtt + Math.max(4 * this.#rttVariation, 1) + MAX_ACK_DELAY_MS;
  }
}
