import { Accounts } from "../accounts/accounts.ts";
import type { ScryptCost } from "../accounts/phc.ts";
import { LoginThrottle } from "../accounts/login_throttle.ts";
import { Alarm, type Clock } from "../clock.ts";
import { fingerprintOf } from "../net/certificate.ts";
import { type Identity, loadIdentity } from "../net/identity.ts";
import { originOf } from "../net/connection.ts";
import { bindPorts, type Ports } from "../net/ports.ts";
import { StreamConnection } from "../net/stream.ts";
import { sessionOf } from "../protocol/datagram.ts";
import { lockDataFolder } from "./data_folder.ts";
import { Admission } from "./admission.ts";
import { Hub } from "./hub.ts";
import { Incidents } from "./incidents.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { RecentSet } from "./recent_set.ts";
import { type Services, Session } from "./session.ts";

/** How long to wait when the system has no room for another connection, in milliseconds. */
const ACCEPT_PAUSE_MS = 100;

/** How often to look whether an operator has changed the accounts, in milliseconds. */
const REFRESH_MS = 500;

/** So many sessions that have ended are remembered. */
const DEPARTED = 1_000;

/** Options of {@linkcode ChatServer.start}. */
export interface ChatServerOptions {
  /** The port, for TCP and UDP; 0 lets the system choose. */
  port: number;
  /** The address to listen on. @default every address */
  hostname?: string | undefined;
  /** The data folder, which is made where there is none. */
  folder: string;
  /** Whether to speak no TLS, and to leave data packets to be read. */
  plain: boolean;
  /** What new password hashes cost. */
  cost: ScryptCost;
  /** @default {@linkcode DEFAULT_LIMITS} */
  limits?: Partial<Limits>;
  /** Whether to refuse new accounts. @default false */
  closed?: boolean;
  clock: Clock;
  log: Log;
}

/** A running server. */
export class ChatServer {
  /** The port it listens on. */
  readonly port: number;
  /** The numbers (from 1) of the lines of `credentials.txt` that can't be read. */
  readonly unreadableCredentials: readonly number[];
  /** The SHA-256 of its certificate; undefined where it is plain. */
  readonly fingerprint: string | undefined;
  readonly #ports: Ports;
  readonly #lock: Disposable;
  readonly #services: Services;
  readonly #admission: Admission;
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #refreshing: Alarm;
  #closing = false;

  private constructor(
    ports: Ports,
    lock: Disposable,
    { accounts, identity, options }: {
      accounts: Accounts;
      identity: Identity | undefined;
      options: ChatServerOptions;
    },
  ) {
    this.fingerprint = identity && fingerprintOf(identity.certificate);
    const { clock, log, closed = false } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#admission = new Admission(limits);
    this.port = ports.port;
    this.unreadableCredentials = accounts.unreadable;
    this.#ports = ports;
    this.#lock = lock;
    this.#services = {
      accounts,
      clock,
      log,
      limits,
      closed,
      incidents: new Incidents(clock, log),
      throttle: new LoginThrottle(clock),
      hub: new Hub(clock, { burst: limits.commandBurst, perSecond: limits.commandsPerSecond }),
      protection: identity === undefined ? "plain" : "sealed",
      outboxes: new Map(),
      departed: new RecentSet(DEPARTED),
      sendDatagram: (datagram, to) => ports.udp.send(datagram, to),
    };
    this.#refreshing = new Alarm(clock, () => void this.#refresh());
    this.#refreshing.set(clock.now() + REFRESH_MS);
    void this.#accept();
    void this.#receive();
  }

  /**
   * Takes the data folder and the port, and serves.
   *
   * @throws {ExitError} `refused`, where the data folder or the port can't be had
   */
  static async start(options: ChatServerOptions): Promise<ChatServer> {
    const { folder, port, hostname, plain, cost } = options;
    const lock = await lockDataFolder(folder);
    try {
      const accounts = await Accounts.load(folder, { cost });
      const identity = plain ? undefined : await loadIdentity(folder);
      const ports = bindPorts(port, { hostname, identity });
      return new ChatServer(ports, lock, { accounts, identity, options });
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Says farewell to every client, and ends. Closing twice is fine.
   *
   * @param final whether the clients must not come back by themselves
   */
  async close({ final }: { final: boolean }): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    this.#refreshing[Symbol.dispose]();
    this.#ports.tcp.close();
    await Promise.all([...this.#sessions.keys()].map((session) => session.stop(final)));
    await Promise.all(this.#sessions.values());
    this.#ports.udp[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
  }

  /** Sees what an operator has done to the accounts meanwhile. */
  async #refresh(): Promise<void> {
    const { accounts, hub, clock, log } = this.#services;
    try {
      for (const username of await accounts.refresh()) {
        const gone = accounts.find(username) === undefined;
        hub.expel(username, gone ? "the account was removed" : "the account has a new password");
      }
    } catch (error) {
      log(`credentials.txt can't be read: ${(error as Error).message}`);
    }
    if (!this.#closing) this.#refreshing.set(clock.now() + REFRESH_MS);
  }

  async #accept(): Promise<void> {
    while (!this.#closing) {
      try {
        const conn = await this.#ports.tcp.accept();
        this.#serve(conn).catch(() => close(conn));
      } catch {
        // The system may have run out of file descriptors, or a client have gone already.
        if (!this.#closing) await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      }
    }
  }

  async #serve(conn: Deno.TcpConn | Deno.TlsConn): Promise<void> {
    const { incidents } = this.#services;
    const origin = originOf((conn.remoteAddr as Deno.NetAddr).hostname);
    const place = this.#admission.enter(origin);
    if (place === undefined) {
      incidents.report("connection refused: too many are not logged in", origin);
      return close(conn);
    }
    const secured = await this.#secure(conn);
    if (!secured) incidents.report("connection refused: no TLS handshake", origin);
    if (!secured || this.#closing) {
      place[Symbol.dispose]();
      return close(conn);
    }
    if ("setNoDelay" in conn) conn.setNoDelay(true);
    const session = new Session(new StreamConnection(conn), this.#services, place);
    const running = session.run().finally(() => this.#sessions.delete(session));
    this.#sessions.set(session, running);
  }

  /** Whether the connection is ready: TLS has its own handshake, and a limit of time for it. */
  async #secure(conn: Deno.TcpConn | Deno.TlsConn): Promise<boolean> {
    if (!("handshake" in conn)) return true;
    const late = Promise.withResolvers<boolean>();
    const ms = this.#services.limits.handshakeSeconds * 1_000;
    using _limit = this.#services.clock.after(ms, () => late.resolve(false));
    return await Promise.race([conn.handshake().then(() => true, () => false), late.promise]);
  }

  async #receive(): Promise<void> {
    for await (const [datagram, from] of this.#ports.udp.datagrams()) {
      const { outboxes, departed, incidents } = this.#services;
      const session = sessionOf(datagram) ?? "";
      if (departed.has(session) || outboxes.get(session)?.receive(datagram, from)) continue;
      incidents.report("datagram dropped: no packet of a session", originOf(from.hostname));
    }
  }
}

/** Closes a connection that may be broken already. */
function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed.
  }
}
