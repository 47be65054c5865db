import { originOf } from "../net/connection.ts";
import { type Incoming, isShortage } from "../net/listener.ts";
import { type ByteStream, StreamConnection } from "../net/stream.ts";
import { Admission } from "./admission.ts";
import type { Services } from "./services.ts";
import { Session } from "./session.ts";

/** The clients' connections: who is let in, and is served until its connection ends. */
export class ClientConnections {
  readonly #services: Services;
  readonly #most: number;
  readonly #admission: Admission;
  readonly #sessions = new Map<Session, Promise<void>>();
  #open = 0;
  #stopped = false;

  /** @param most so many may be open */
  constructor(services: Services, most: number) {
    this.#services = services;
    this.#most = most;
    this.#admission = new Admission(services.limits);
  }

  /** The connections that hold file descriptors. */
  get open(): number {
    return this.#open;
  }

  /** Serves a client until its connection ends, unless there are too many. */
  take(incoming: Incoming): void {
    // What nobody foresaw must not end the server.
    this.#serve(incoming).catch((error) => this.#services.log(`unforeseen: ${error}`));
  }

  /** Tells the operator that there is no file descriptor for another connection. */
  warnOfShortage(): void {
    this.#services.incidents.warn(
      "connection refused: this process may have no more files open (docs/OPERATING.md)",
    );
  }

  /** From now on nobody is let in. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Says farewell to every client; fulfilled when all have gone.
   *
   * @param final whether they must not come back by themselves; if not, they are sent to the other servers
   */
  async sayFarewell(final: boolean): Promise<void> {
    const { referrals } = this.#services;
    const sessions = [...this.#sessions.keys()];
    if (final) await Promise.all(sessions.map((session) => session.stop(true)));
    else await referrals.sendAway(sessions, (session, to) => session.stop(false, to));
    referrals[Symbol.dispose]();
    // Who came in the meantime has seen nothing yet.
    await Promise.all([...this.#sessions.keys()].map((session) => session.stop(final)));
    await Promise.allSettled(this.#sessions.values());
  }

  async #serve(incoming: Incoming): Promise<void> {
    const { incidents, known } = this.#services;
    const origin = originOf(incoming.remote.hostname);
    if (this.#open >= this.#most) {
      this.warnOfShortage();
      return incoming.close();
    }
    const kind = known.hasAddress(origin) ? "known" : "strange";
    const place = this.#admission.enter(origin, kind);
    if (place === undefined) {
      incidents.report("connection refused: too many are not logged in", origin);
      return incoming.close();
    }
    this.#open++;
    // All of a client's time is spent here: another asynchronous function would take as much memory once more.
    let session: Session | undefined;
    try {
      const stream = await this.#secure(incoming);
      if (stream === undefined) incidents.report("connection refused: no TLS handshake", origin);
      if (stream === undefined || this.#stopped) return;
      const connection = new StreamConnection(stream, this.#services.unwritten);
      session = new Session(connection, this.#services, place);
      const running = session.run();
      this.#sessions.set(session, running);
      await running;
    } finally {
      if (session !== undefined) this.#sessions.delete(session);
      place[Symbol.dispose]();
      incoming.close();
      await this.#outlast(incoming, origin);
      this.#open--;
    }
  }

  /** What carries bytes, or undefined where the handshake fails or takes too long. */
  async #secure(incoming: Incoming): Promise<ByteStream | undefined> {
    const { clock, limits } = this.#services;
    using _limit = clock.after(limits.handshakeSeconds * 1_000, () => incoming.close());
    try {
      return await incoming.secure();
    } catch (error) {
      if (isShortage(error)) this.warnOfShortage();
      return undefined;
    }
  }

  /** What was closed and is still there counts among the connections that are not logged in. */
  async #outlast({ lingering }: Incoming, origin: string): Promise<void> {
    if (lingering === undefined) return;
    using _place = this.#admission.hold(origin, "strange");
    await lingering;
  }
}
