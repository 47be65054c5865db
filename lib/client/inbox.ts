import { Alarm, type Clock } from "../clock.ts";
import { PacketOpener, PacketSealer, PacketType } from "../protocol/datagram.ts";
import { DeliveryReceiver } from "../protocol/delivery_receiver.ts";
import { decodeFrames, encodeAck } from "../protocol/frames.ts";
import { PathBinder } from "../protocol/path.ts";
import { type DataParameters, type Message, parseMessage } from "../protocol/records.ts";

/** How long an `ack` record waits for more to acknowledge, in milliseconds. */
const ACK_RECORD_DELAY_MS = 25;

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
  receiveRecord(number: number, message: Message): void {
    if (this.#closed) return;
    this.#receive(number, message);
    this.#ackRecordDue ??= this.#options.clock.now() + ACK_RECORD_DELAY_MS;
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
      case PacketType.data:
        for (const { number, record } of decodeFrames(packet.payload) ?? []) {
          this.#receive(number, parseMessage(utf8.decode(record)));
        }
        this.#receiver.packetReceived(packet.number, now);
        break;
    }
    this.#work();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#alarm[Symbol.dispose]();
  }

  #receive(number: number, message: Message): void {
    for (const next of this.#receiver.receive(number, message)) this.#options.onMessage(next);
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
      this.#options.sendAck(this.#receiver.delivered);
    }
    this.#alarm.set(Math.min(
      this.#binder.deadline(),
      this.#receiver.deadline() ?? Infinity,
      this.#ackRecordDue ?? Infinity,
    ));
  }
}
