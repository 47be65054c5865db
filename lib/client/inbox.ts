import { Alarm, type Clock } from "../clock.ts";
import { PacketOpener, PacketSealer, PacketType } from "../protocol/datagram.ts";
import { DeliveryReceiver } from "../protocol/delivery_receiver.ts";
import { MAX_OUTSTANDING } from "../protocol/limits.ts";
import { PathBinder } from "../protocol/path.ts";
import { decodeData, encodeAck } from "../protocol/payloads.ts";
import { type DataParameters, type Message, parseMessages } from "../protocol/records.ts";

/** How long an `ack` record waits for more to acknowledge, in milliseconds. */
const ACK_RECORD_DELAY_MS = 100;
/** From so many messages on it does not wait. */
const ACK_RECORD_MESSAGES = MAX_OUTSTANDING / 4;

/** What an {@linkcode Inbox} needs of its surroundings. */
export interface InboxOptions {
  clock: Clock;
  parameters: DataParameters;
  /** Sends an `ack` record on the control connection. */
  sendAck: (delivered: number) => void;
  /** Sends a datagram to the server. */
  sendDatagram: (datagram: Uint8Array) => void;
  /** Takes a message: each once, in order. */
  onMessage: (message: Message) => void;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * One session's way in: keeps the UDP path open, takes deliveries from both channels, and
 * acknowledges. The decisions are {@linkcode DeliveryReceiver}'s and {@linkcode PathBinder}'s.
 */
export class Inbox implements Disposable {
  readonly #options: InboxOptions;
  readonly #receiver = new DeliveryReceiver<Message>();
  readonly #binder = new PathBinder();
  readonly #sealer: PacketSealer;
  readonly #opener: PacketOpener;
  readonly #alarm: Alarm;
  /** When the next `ack` record is due. */
  #ackRecordDue: number | undefined;
  /** What the last one acknowledged. */
  #ackedByRecord = 0;
  #closed = false;

  constructor(options: InboxOptions) {
    const { protection, session, clientKey, serverKey } = options.parameters;
    this.#options = options;
    this.#sealer = new PacketSealer({ protection, session, key: clientKey });
    this.#opener = new PacketOpener({ protection, session, key: serverKey });
    this.#alarm = new Alarm(options.clock, () => this.#work());
    this.#work();
  }

  /** Whether the server has said that it sends by UDP. */
  get bound(): boolean {
    return this.#binder.bound;
  }

  /** Takes in a `deliver` record. */
  receiveRecord(number: number, messages: readonly Message[]): void {
    if (this.#closed) return;
    this.#receive(number, messages);
    const now = this.#options.clock.now();
    const many = this.#receiver.delivered - this.#ackedByRecord >= ACK_RECORD_MESSAGES;
    this.#ackRecordDue = many ? now : this.#ackRecordDue ?? now + ACK_RECORD_DELAY_MS;
    this.#work();
  }

  /** Takes in a datagram; one that does not authenticate is ignored. */
  receiveDatagram(datagram: Uint8Array): void {
    if (this.#closed) return;
    const packet = this.#opener.open(datagram);
    if (packet === undefined) return;
    const now = this.#options.clock.now();
    switch (packet.type) {
      case PacketType.challenge:
        this.#options.sendDatagram(this.#sealer.seal(PacketType.response, packet.payload));
        break;
      case PacketType.bound:
        this.#binder.confirm(now);
        break;
      case PacketType.data: {
        const data = decodeData(packet.payload);
        const messages = data && readMessages(data.records);
        // What is none of its type is dropped in silence.
        if (data === undefined || messages === undefined) return;
        this.#receive(data.number, messages);
        this.#receiver.packetReceived(packet.number, now);
        break;
      }
    }
    this.#work();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#alarm[Symbol.dispose]();
  }

  #receive(number: number, messages: readonly Message[]): void {
    for (const next of this.#receiver.receive(number, messages)) this.#options.onMessage(next);
  }

  /** Sends what is due now. */
  #work(): void {
    const now = this.#options.clock.now();
    if (this.#binder.due(now)) this.#options.sendDatagram(this.#sealer.seal(PacketType.bind));
    const ack = this.#receiver.takeAck(now);
    if (ack !== undefined) {
      this.#options.sendDatagram(this.#sealer.seal(PacketType.ack, encodeAck(ack)));
    }
    if (this.#ackRecordDue !== undefined && this.#ackRecordDue <= now) {
      this.#ackRecordDue = undefined;
      this.#ackedByRecord = this.#receiver.delivered;
      this.#options.sendAck(this.#ackedByRecord);
    }
    this.#alarm.set(Math.min(
      this.#binder.deadline(),
      this.#receiver.deadline() ?? Infinity,
      this.#ackRecordDue ?? Infinity,
    ));
  }
}

/** The messages of a data packet; undefined where it holds none. */
function readMessages(records: Uint8Array): Message[] | undefined {
  try {
    return parseMessages(utf8.decode(records));
  } catch {
    return undefined;
  }
}
