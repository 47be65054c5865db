import { randomBytes } from "node:crypto";
import { Alarm, type Clock } from "../clock.ts";
import { type Endpoint, formatEndpoint } from "../net/connection.ts";
import { PacketOpener, PacketSealer, PacketType } from "../protocol/datagram.ts";
import { DeliverySender } from "../protocol/delivery_sender.ts";
import { decodeAck, encodeFrames } from "../protocol/frames.ts";
import { MAX_BACKLOG_BYTES } from "../protocol/limits.ts";
import { type PathAnswer, PathValidator } from "../protocol/path.ts";
import { type DataParameters, encodeDeliver } from "../protocol/records.ts";

/** What an {@linkcode Outbox} needs of its surroundings. */
export interface OutboxOptions {
  clock: Clock;
  /** Sends a line on the session's control connection. */
  sendLine: (line: string) => void;
  /** Sends a datagram from the server's UDP socket. */
  sendDatagram: (datagram: Uint8Array, to: Endpoint) => void;
  /** More waits for the client than may; the session has to end. */
  overflow: () => void;
}

const utf8 = new TextDecoder();

/**
 * One session's way out: takes messages and sees that they get to the client, by UDP where its
 * address has been validated, over TCP where not. The decisions are {@linkcode DeliverySender}'s and
 * {@linkcode PathValidator}'s.
 */
export class Outbox implements Disposable {
  /** What the client has to know to open the packets. */
  readonly parameters: DataParameters;
  readonly #options: OutboxOptions;
  readonly #sender = new DeliverySender();
  readonly #path = new PathValidator<Endpoint>({
    key: formatEndpoint,
    newToken: () => randomBytes(8).toString("hex"),
  });
  readonly #sealer: PacketSealer;
  readonly #opener: PacketOpener;
  readonly #alarm: Alarm;
  #flushing = false;
  #closed = false;

  constructor(options: OutboxOptions) {
    const session = randomBytes(8).toString("hex");
    const clientKey = randomBytes(32).toString("hex");
    const serverKey = randomBytes(32).toString("hex");
    this.parameters = { session, protection: "plain", clientKey, serverKey };
    this.#options = options;
    this.#sealer = new PacketSealer({ session, key: serverKey });
    this.#opener = new PacketOpener({ session, key: clientKey });
    this.#alarm = new Alarm(options.clock, () => {
      this.#sender.timeOut(options.clock.now());
      this.#flush();
    });
  }

  /** Sends a message record (UTF-8) as soon as this turn of the loop is over. */
  push(record: Uint8Array): void {
    if (this.#closed) return;
    this.#sender.push(record);
    if (this.#sender.backlogBytes > MAX_BACKLOG_BYTES) return this.#options.overflow();
    this.#flushSoon();
  }

  /** Takes in a datagram that names this session; one that does not authenticate is ignored. */
  receive(datagram: Uint8Array, from: Endpoint): void {
    const packet = this.#opener.open(datagram);
    if (packet === undefined || this.#closed) return;
    switch (packet.type) {
      case PacketType.bind:
        return this.#answer(this.#path.bind(packet.number, from), from);
      case PacketType.response:
        if (!this.#path.respond(packet.payload.toHex())) return;
        this.#sender.openPath();
        this.#sendPacket(PacketType.bound, undefined);
        return this.#flush();
      case PacketType.ack: {
        const ack = decodeAck(packet.payload);
        if (ack !== undefined) this.#sender.acknowledge(ack, this.#options.clock.now());
        return this.#flush();
      }
    }
  }

  /**
   * Takes in an `ack` record.
   *
   * @returns whether it acknowledges what was sent
   */
  acknowledge(delivered: number): boolean {
    const valid = this.#sender.acknowledgeAll(delivered);
    this.#flushSoon();
    return valid;
  }

  /** Sends all that is not acknowledged over TCP, and nothing after it. */
  drain(): void {
    for (const { number, record } of this.#sender.drain()) {
      this.#options.sendLine(encodeDeliver(number, utf8.decode(record)));
    }
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#alarm[Symbol.dispose]();
  }

  #answer(answer: PathAnswer | undefined, to: Endpoint): void {
    if (answer === undefined) return;
    if (answer.send === "bound") return this.#sendPacket(PacketType.bound, undefined);
    const challenge = this.#sealer.seal(PacketType.challenge, Uint8Array.fromHex(answer.token));
    this.#options.sendDatagram(challenge, to);
  }

  #sendPacket(type: PacketType, payload: Uint8Array | undefined): void {
    const address = this.#path.address;
    if (address === undefined) return;
    this.#options.sendDatagram(this.#sealer.seal(type, payload), address);
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.clock.soon(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closed) return;
    const now = this.#options.clock.now();
    for (let next; (next = this.#sender.next(now, this.#sealer.next)) !== undefined;) {
      if (next.via === "udp") this.#sendPacket(PacketType.data, encodeFrames(next.frames));
      else {
        const { number, record } = next.frame;
        this.#options.sendLine(encodeDeliver(number, utf8.decode(record)));
      }
    }
    // A path that fell silent has to be validated again before it is used.
    if (!this.#sender.pathOpen) this.#path.invalidate();
    this.#alarm.set(this.#sender.deadline());
  }
}
