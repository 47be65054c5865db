import { type Clock, sleep } from "../../clock.ts";
import type { Endpoint } from "../../net/connection.ts";
import type { DatagramSocket } from "../../net/udp.ts";
import {
  PACKET_OVERHEAD_BYTES,
  PacketOpener,
  PacketSealer,
  PacketType,
} from "../../protocol/datagram.ts";
import { MAX_PACKET_BYTES } from "../../protocol/limits.ts";
import type { DataParameters } from "../../protocol/records.ts";
import type { Echo } from "./udp_figures.ts";

/**
 * The sizes that are tried, in bytes, one after another and again: a short one, what RFC 791 has every
 * network pass, and up to the largest that there is. Ascending, so that the first which is cut shows.
 */
const SIZES = [100, 548, 900, MAX_PACKET_BYTES] as const;
/** How long packets are sent, in milliseconds. */
const SENDING_MS = 2_000;
/** The time between two; slower than the server's cap. */
const INTERVAL_MS = 14;
/** How long the last answers may take, in milliseconds. */
const WAITING_MS = 1_000;

/** What a measurement needs. */
export interface ProbeOptions {
  clock: Clock;
  parameters: DataParameters;
  socket: DatagramSocket;
  /** Where the server's UDP port is. */
  server: Endpoint;
  signal: AbortSignal;
}

/**
 * Sends `echo` packets of several sizes for two seconds, and waits for their answers for another one.
 *
 * @throws the signal's reason, as soon as it is aborted
 */
export async function measure(options: ProbeOptions): Promise<Echo[]> {
  const { clock, parameters: { protection, session, clientKey, serverKey }, server } = options;
  const sealer = new PacketSealer({ protection, session, key: clientKey });
  const opener = new PacketOpener({ protection, session, key: serverKey });
  const sent: { size: number; at: number; roundTrip: number | undefined }[] = [];
  let answered = 0;
  let sending = true;
  const all = new AbortController();

  const receive = (datagram: Uint8Array) => {
    const packet = opener.open(datagram);
    if (packet?.type !== PacketType.echoed || packet.payload.length < 4) return;
    const echo = sent[new DataView(packet.payload.buffer).getUint32(packet.payload.byteOffset)];
    if (echo === undefined || echo.roundTrip !== undefined) return;
    echo.roundTrip = clock.now() - echo.at;
    if (++answered === sent.length && !sending) all.abort(ALL_CAME);
  };
  const receiving = options.socket.receive(receive);

  const endsAt = clock.now() + SENDING_MS;
  while (clock.now() < endsAt) {
    const size = SIZES[sent.length % SIZES.length]!;
    const payload = new Uint8Array(size - PACKET_OVERHEAD_BYTES);
    new DataView(payload.buffer).setUint32(0, sent.length);
    sent.push({ size, at: clock.now(), roundTrip: undefined });
    options.socket.send(sealer.seal(PacketType.echo, payload), server);
    await sleep(clock, INTERVAL_MS, options.signal);
  }
  sending = false;
  if (answered < sent.length) {
    const enough = AbortSignal.any([options.signal, all.signal]);
    await sleep(clock, WAITING_MS, enough).catch((reason) => {
      if (reason !== ALL_CAME) throw reason;
    });
  }
  options.socket[Symbol.dispose]();
  await receiving;
  return sent.map(({ size, roundTrip }) => ({ size, roundTrip }));
}

const ALL_CAME = new Error("all answers have come");
