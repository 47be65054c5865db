import { Accounts } from "../accounts/accounts.ts";
import type { ScryptCost } from "../accounts/phc.ts";
import type { Clock } from "../clock.ts";
import { fingerprintOf } from "../net/certificate.ts";
import { type Identity, loadIdentity } from "../net/identity.ts";
import { bindPorts, type Ports } from "../net/ports.ts";
import { StreamConnection } from "../net/stream.ts";
import { HELLO_LIMIT_MS } from "../protocol/limits.ts";
import { sessionOf } from "../protocol/datagram.ts";
import { lockDataFolder } from "./data_folder.ts";
import { Hub } from "./hub.ts";
import type { Log } from "./log.ts";
import { type Services, Session } from "./session.ts";

/** How long to wait when the system has no room for another connection, in milliseconds. */
const ACCEPT_PAUSE_MS = 100;

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
  readonly #sessions = new Map<Session, Promise<void>>();
  #closing = false;

  private constructor(
    ports: Ports,
    lock: Disposable,
    { accounts, unreadable, identity, options: { clock, log } }: {
      accounts: Accounts;
      unreadable: number[];
      identity: Identity | undefined;
      options: ChatServerOptions;
    },
  ) {
    this.fingerprint = identity && fingerprintOf(identity.certificate);
    this.port = ports.port;
    this.unreadableCredentials = unreadable;
    this.#ports = ports;
    this.#lock = lock;
    this.#services = {
      accounts,
      clock,
      log,
      hub: new Hub(clock),
      protection: identity === undefined ? "plain" : "sealed",
      outboxes: new Map(),
      sendDatagram: (datagram, to) => ports.udp.send(datagram, to),
    };
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
      const { accounts, unreadable } = await Accounts.load(folder, { cost });
      const identity = plain ? undefined : await loadIdentity(folder);
      const ports = bindPorts(port, { hostname, identity });
      return new ChatServer(ports, lock, { accounts, unreadable, identity, options });
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
    this.#ports.tcp.close();
    await Promise.all([...this.#sessions.keys()].map((session) => session.stop(final)));
    await Promise.all(this.#sessions.values());
    this.#ports.udp[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
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
    if (!await this.#secure(conn) || this.#closing) return close(conn);
    if ("setNoDelay" in conn) conn.setNoDelay(true);
    const session = new Session(new StreamConnection(conn), this.#services);
    const running = session.run().finally(() => this.#sessions.delete(session));
    this.#sessions.set(session, running);
  }

  /** Whether the connection is ready: TLS has its own handshake, and a limit of time for it. */
  async #secure(conn: Deno.TcpConn | Deno.TlsConn): Promise<boolean> {
    if (!("handshake" in conn)) return true;
    const late = Promise.withResolvers<boolean>();
    using _limit = this.#services.clock.after(HELLO_LIMIT_MS, () => late.resolve(false));
    return await Promise.race([conn.handshake().then(() => true, () => false), late.promise]);
  }

  async #receive(): Promise<void> {
    for await (const [datagram, from] of this.#ports.udp.datagrams()) {
      const session = sessionOf(datagram);
      if (session !== undefined) this.#services.outboxes.get(session)?.receive(datagram, from);
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
