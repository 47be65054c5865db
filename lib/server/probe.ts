import type { Clock } from "../clock.ts";
import { type Endpoint, originOf } from "../net/connection.ts";
import {
  PACKET_OVERHEAD_BYTES,
  PacketOpener,
  PacketSealer,
  PacketType,
  type Protection,
} from "../protocol/datagram.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { MAX_PROBES, PROBE_MS, PROBE_RATE } from "../protocol/limits.ts";
import type { RecentSet } from "../protocol/recent_set.ts";
import type { ClientRecords, DataParameters } from "../protocol/records.ts";
import { TokenBucket } from "../token_bucket.ts";
import type { Session } from "./session.ts";
import { newParameters } from "./outbox.ts";

/** What {@linkcode Probes} need of their surroundings. */
export interface ProbesOptions {
  clock: Clock;
  protection: Protection;
  sendDatagram: (datagram: Uint8Array, to: Endpoint) => void;
  /** The ids of sessions that ended a while ago, whose last packets may still come. */
  departed: RecentSet<string>;
}

/** The channels by which clients that are not logged in find out how UDP works. */
export class Probes {
  readonly #options: ProbesOptions;
  readonly #open = new Map<string, Probe>();
  readonly #bySession = new WeakMap<Session, Probe>();

  constructor(options: ProbesOptions) {
    this.#options = options;
  }

  /**
   * Opens the one channel of a session, for a short while.
   *
   * @throws {ProtocolError} `wrong-state`, `too-many-probes`
   */
  open(session: Session): DataParameters {
    const { clock, departed } = this.#options;
    if (this.#bySession.has(session)) {
      throw new ProtocolError("wrong-state", "UDP can be probed once on a connection");
    }
    if (this.#open.size >= MAX_PROBES) {
      throw new ProtocolError("too-many-probes", "too many clients are probing UDP: try later");
    }
    const probe = new Probe(session.address, this.#options);
    const { session: id } = probe.parameters;
    this.#bySession.set(session, probe);
    this.#open.set(id, probe);
    clock.after(PROBE_MS, () => {
      this.#open.delete(id);
      departed.add(id);
    });
    return probe.parameters;
  }

  /** The channel that a session opened; undefined where it has not. */
  of(session: Session): Probe | undefined {
    return this.#bySession.get(session);
  }

  /** Takes a datagram in that claims to be of one of the channels. Whether it is. */
  receive(id: string, datagram: Uint8Array, from: Endpoint): boolean {
    return this.#open.get(id)?.receive(datagram, from) ?? false;
  }
}

/** One channel: says what it hears, to where the control connection comes from and nowhere else. */
class Probe {
  readonly parameters: DataParameters;
  readonly #address: string;
  readonly #options: ProbesOptions;
  readonly #sealer: PacketSealer;
  readonly #opener: PacketOpener;
  readonly #rate: TokenBucket;
  /** What has come. */
  readonly report = { packets: 0, largest: 0, elsewhere: 0 };

  constructor(address: string, options: ProbesOptions) {
    const { clock, protection } = options;
    this.parameters = newParameters(protection);
    const { session, clientKey, serverKey } = this.parameters;
    this.#address = address;
    this.#options = options;
    this.#sealer = new PacketSealer({ protection, session, key: serverKey });
    this.#opener = new PacketOpener({ protection, session, key: clientKey });
    this.#rate = new TokenBucket(PROBE_RATE, clock.now());
  }

  receive(datagram: Uint8Array, from: Endpoint): boolean {
    const { clock, sendDatagram } = this.#options;
    // What is too fast is not even opened.
    if (!this.#rate.tryTake(clock.now())) return true;
    const packet = this.#opener.open(datagram);
    if (packet === undefined) return false;
    if (packet.type !== PacketType.echo) return true;
    this.report.packets++;
    this.report.largest = Math.max(
      this.report.largest,
      packet.payload.length + PACKET_OVERHEAD_BYTES,
    );
    if (originOf(from.hostname) !== originOf(this.#address)) this.report.elsewhere++;
    const echoed = this.#sealer.seal(PacketType.echoed, packet.payload);
    sendDatagram(echoed, { hostname: this.#address, port: from.port });
    return true;
  }
}

/** The client wants to know how UDP works. */
export function probe(session: Session, { id }: ClientRecords["probe"]): void {
  const { clock, probes } = session.services;
  session.answer(id, () => ({
    type: "probe",
    id,
    data: probes.open(session),
    time: clock.date().getTime(),
  }));
}

/** The client wants to know what has come of what it sent. */
export function probed(session: Session, { id }: ClientRecords["probed"]): void {
  session.answer(id, () => {
    const found = session.services.probes.of(session);
    if (found === undefined) throw new ProtocolError("wrong-state", "there was no probe");
    return { type: "probed", id, ...found.report };
  });
}
