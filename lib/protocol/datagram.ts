/**
 * Data packets: a header, a payload, and the tag that authenticates both. The layout stands in `docs/PROTOCOL.md` (Packets).
 *
 * @module
 */
import { type Aead, runtimeAead, TAG_BYTES } from "./aead.ts";
import { MAX_PACKET_BYTES } from "./limits.ts";
import { Pieces } from "./pieces.ts";
import { ReplayWindow } from "./replay.ts";

/** In byte 0 of each packet. */
export const PACKET_VERSION = 2;

const HEADER_BYTES = 18;
/** What a packet has besides its payload, in bytes. */
export const PACKET_OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES;

/** The most bytes that a packet's payload may have. */
export const MAX_PAYLOAD_BYTES = MAX_PACKET_BYTES - PACKET_OVERHEAD_BYTES;

/** The packet types, as they stand in byte 1. */
export const PacketType = {
  bind: 1,
  challenge: 2,
  response: 3,
  bound: 4,
  data: 5,
  ack: 6,
  echo: 7,
  echoed: 8,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

const packets = new Pieces(16_384);
/** Small pieces, since one stays as long as the last session that has its keys there. */
const secrets = new Pieces(4_096);
const nonceBytes = new Uint8Array(12);

const types: ReadonlySet<number> = new Set(Object.values(PacketType));

/** A packet that was authenticated. */
export interface Packet {
  type: PacketType;
  number: number;
  payload: Uint8Array;
}

/**
 * How packets are protected: `sealed` encrypts the payload; `plain` leaves it to be read, and is just as
 * hard to forge. The layout is the same.
 */
export type Protection = "sealed" | "plain";

/** What sealing and opening need to know. Each direction has a key of its own. */
export interface PacketProtection {
  protection: Protection;
  /** The session's id, 16 hexadecimal digits. */
  session: string;
  /** 32 bytes as hexadecimal digits. */
  key: string;
  /** @default the runtime's */
  aead?: Aead;
}

/**
 * The session id that a datagram claims, without authenticating it; undefined where it can't be a
 * packet of this protocol's version.
 */
export function sessionOf(datagram: Uint8Array): string | undefined {
  const whole = datagram.length >= PACKET_OVERHEAD_BYTES && datagram.length <= MAX_PACKET_BYTES;
  if (!whole || datagram[0] !== PACKET_VERSION) return undefined;
  return datagram.subarray(2, 10).toHex();
}

/** Makes a direction's packets, numbered from 0. */
export class PacketSealer {
  readonly #plain: boolean;
  readonly #aead: Aead;
  readonly #key: Uint8Array;
  readonly #session: Uint8Array;
  #next = 0;

  constructor({ protection, session, key, aead = runtimeAead }: PacketProtection) {
    this.#plain = protection === "plain";
    this.#aead = aead;
    this.#session = keep(session);
    this.#key = keep(key);
  }

  /** The number that the next packet gets. */
  get next(): number {
    return this.#next;
  }

  /** The bytes of the next packet. Its payload, given in parts, has at most {@linkcode MAX_PAYLOAD_BYTES}. */
  seal(type: PacketType, ...payload: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    let bytes = 0;
    for (const { length } of payload) bytes += length;
    if (bytes > MAX_PAYLOAD_BYTES) {
      throw new RangeError(`Cannot seal ${bytes} bytes: ${MAX_PAYLOAD_BYTES} at most`);
    }
    const packet = packets.cut(PACKET_OVERHEAD_BYTES + bytes);
    packet[0] = PACKET_VERSION;
    packet[1] = type;
    packet.set(this.#session, 2);
    writeU64(packet, 10, this.#next);
    let end = HEADER_BYTES;
    for (const part of payload) {
      packet.set(part, end);
      end += part.length;
    }
    const begin = this.#plain ? end : HEADER_BYTES;
    const sealed = this.#aead.seal(packet.subarray(begin, end), {
      key: this.#key,
      nonce: nonce(this.#next++),
      associated: packet.subarray(0, begin),
    });
    packet.set(sealed, begin);
    return packet;
  }
}

/** Checks a direction's packets. */
export class PacketOpener {
  readonly #plain: boolean;
  readonly #aead: Aead;
  readonly #key: Uint8Array;
  readonly #session: string;
  readonly #window = new ReplayWindow();

  constructor({ protection, session, key, aead = runtimeAead }: PacketProtection) {
    this.#plain = protection === "plain";
    this.#aead = aead;
    this.#session = session;
    this.#key = keep(key);
  }

  /**
   * The packet in a datagram, or undefined where it does not authenticate, is no packet of this
   * session, or was opened before: the difference must not show.
   */
  open(datagram: Uint8Array): Packet | undefined {
    if (sessionOf(datagram) !== this.#session) return undefined;
    const number = readU64(datagram, 10);
    if (!Number.isSafeInteger(number) || !this.#window.isNew(number)) return undefined;
    const begin = this.#plain ? datagram.length - TAG_BYTES : HEADER_BYTES;
    const opened = this.#aead.open(datagram.subarray(begin), {
      key: this.#key,
      nonce: nonce(number),
      associated: datagram.subarray(0, begin),
    });
    if (opened === undefined) return undefined;
    this.#window.mark(number);
    const type = datagram[1]!;
    if (!isPacketType(type)) return undefined;
    const payload = this.#plain ? datagram.slice(HEADER_BYTES, begin) : opened;
    return { type, number, payload };
  }
}

/** The bytes that hexadecimal digits stand for, among those of other sessions. */
function keep(hex: string): Uint8Array {
  const bytes = secrets.cut(hex.length / 2);
  bytes.setFromHex(hex);
  return bytes;
}

function isPacketType(type: number): type is PacketType {
  return types.has(type);
}

/** Four zero bytes, then the packet number: never used twice with one key. The memory is the next one's too. */
function nonce(number: number): Uint8Array {
  writeU64(nonceBytes, 4, number);
  return nonceBytes;
}

/** Writes a safe integer, big-endian. */
export function writeU64(bytes: Uint8Array, offset: number, value: number): void {
  let high = Math.floor(value / 2 ** 32);
  let low = value >>> 0;
  for (let index = 3; index >= 0; index--) {
    bytes[offset + index] = high & 0xff;
    bytes[offset + 4 + index] = low & 0xff;
    high >>>= 8;
    low >>>= 8;
  }
}

/** May be more than 2^53 - 1, and then is not exact. */
export function readU64(bytes: Uint8Array, offset: number): number {
  let high = 0;
  let low = 0;
  for (let index = 0; index < 4; index++) {
    high = high * 256 + bytes[offset + index]!;
    low = low * 256 + bytes[offset + 4 + index]!;
  }
  return high * 2 ** 32 + low;
}
