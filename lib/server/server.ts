import { Accounts } from "../accounts/accounts.ts";
import type { ScryptCost } from "../accounts/phc.ts";
import type { Clock } from "../clock.ts";
import { bindPorts, type Ports } from "../net/ports.ts";
import { TcpConnection } from "../net/tcp.ts";
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
  hostname?: string;
  /** The data folder, which is made where there is none. */
  folder: string;
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
  readonly #ports: Ports;
  readonly #lock: Disposable;
  readonly #services: Services;
  readonly #sessions = new Map<Session, Promise<void>>();
  #closing = false;

  private constructor(
    ports: Ports,
    lock: Disposable,
    { accounts, unreadable, options: { clock, log } }: {
      accounts: Accounts;
      unreadable: number[];
      options: ChatServerOptions;
    },
  ) {
    this.port = ports.port;
    this.unreadableCredentials = unreadable;
    this.#ports = ports;
    this.#lock = lock;
    this.#services = {
      accounts,
      clock,
      log,
      hub: new Hub(clock),
      outboxes: new Map(),
      sendDatagram: (datagram, to) => ports.udp.send(datagram, to),
    };
    void this.#accept();
    void this.#receive();
  }

  /**
   * Takes the data folder and the port, and serves.
   *
   * @throws {ExitError} `refused`, where the data folder can't be had
   * @throws what `Deno.listen` throws, where the port can't be had
   */
  static async start(options: ChatServerOptions): Promise<ChatServer> {
    const { folder, port, hostname, cost } = options;
    const lock = await lockDataFolder(folder);
    try {
      const { accounts, unreadable } = await Accounts.load(folder, { cost });
      return new ChatServer(bindPorts(port, hostname), lock, { accounts, unreadable, options });
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
        this.#serve(await this.#ports.tcp.accept());
      } catch {
        // The system may have run out of file descriptors, or a client have gone already.
        if (!this.#closing) await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      }
    }
  }

  #serve(conn: Deno.TcpConn): void {
    const session = new Session(new TcpConnection(conn), this.#services);
    const running = session.run().finally(() => this.#sessions.delete(session));
    this.#sessions.set(session, running);
  }

  async #receive(): Promise<void> {
    for await (const [datagram, from] of this.#ports.udp.datagrams()) {
      const session = sessionOf(datagram);
      if (session !== undefined) this.#services.outboxes.get(session)?.receive(datagram, from);
    }
  }
}
