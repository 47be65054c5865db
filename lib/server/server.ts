import { join } from "node:path";
import { Accounts } from "../accounts/accounts.ts";
import { KnownAddresses } from "../accounts/known_addresses.ts";
import type { ScryptCost } from "../accounts/phc.ts";
import { LoginThrottle } from "../accounts/login_throttle.ts";
import type { Clock } from "../clock.ts";
import { Deadlines } from "../deadlines.ts";
import { LIVENESS_GRAIN_MS } from "../net/liveness.ts";
import { alone, type OtherServers } from "../cluster/other_servers.ts";
import { encodeCertificate, fingerprintOf } from "../net/certificate.ts";
import { type Identity, loadIdentity } from "../net/identity.ts";
import { type Endpoint, originOf } from "../net/connection.ts";
import { bindPorts, ownAddresses, type Ports } from "../net/ports.ts";
import { AgeClock, newestTimes } from "../messages/clock_jump.ts";
import { Database, type DatabaseOptions } from "../messages/database.ts";
import { Logins } from "../messages/logins.ts";
import type { ClusterOptions } from "../cluster/cluster.ts";
import type { HistoryRule } from "../messages/mailboxes.ts";
import { LocalJournal } from "../journal/local_journal.ts";
import { Projection } from "../journal/projection.ts";
import type { Incoming } from "../net/listener.ts";
import { UnwrittenBudget } from "../net/unwritten.ts";
import type { Aead } from "../protocol/aead.ts";
import { sessionOf } from "../protocol/datagram.ts";
import { loadSodiumAead } from "../protocol/sodium_aead.ts";
import { lockDataFolder } from "./data_folder.ts";
import { protectFolder } from "./folder_modes.ts";
import { ClusterNode, type State } from "./cluster_node.ts";
import { ControlSocket } from "./control.ts";
import { ClientConnections } from "./client_connections.ts";
import { Hub } from "./hub.ts";
import { Incidents } from "./incidents.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { Maintenance } from "./maintenance.ts";
import { Probes } from "./probe.ts";
import { Referrals } from "./referrals.ts";
import { Registrations } from "./registrations.ts";
import { CalmRate } from "../protocol/calm_rate.ts";
import { RecentSet } from "../protocol/recent_set.ts";
import { noCounts } from "./counts.ts";
import { RecentTimes } from "./recent_rate.ts";
import type { Services } from "./services.ts";
import { type Metrics, openMetrics } from "./metrics/metrics.ts";
import { type OutboxOptions, RECOVERY_GRAIN_MS } from "./outbox.ts";
import { describeStatus } from "./status.ts";

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
  /**
   * The connections for which there are file descriptors: without one Deno may end altogether.
   * @default no limit
   */
  connections?: number;
  /** Whether to refuse new accounts. @default false */
  closed?: boolean;
  /** Which public messages an account may read. @default "joined" */
  history?: HistoryRule;
  /** The cluster that it belongs to. @default it is alone */
  cluster?: Omit<ClusterOptions, "clock" | "log"> | undefined;
  /** The other servers that its clients are told of. @default those of the cluster */
  others?: OtherServers;
  /** Where clients of the others reach this one; port 0 is the one it listens on. @default `hostname`, or an address of this machine */
  advertise?: Endpoint | undefined;
  /** The port for metrics, on loopback addresses; 0 lets the system choose. @default there are none */
  metrics?: number | undefined;
  /** Whether who runs it can ask it for something, on a socket in the data folder. @default false */
  control?: boolean;
  clock: Clock;
  log: Log;
  /** Puts what was written to a file of the message log on the disk. @default `fdatasync` */
  sync?: DatabaseOptions["sync"];
}

/** The state of a server that is in no cluster. */
function ownState(database: Database, history: HistoryRule): State & { node: undefined } {
  const projection = new Projection(database, { history });
  const journal = new LocalJournal(database, projection);
  return { database, projection, journal, node: undefined };
}

/** What a server is made of. */
interface Parts extends State {
  accounts: Accounts;
  identity: Identity | undefined;
  /** What makes it one of a cluster; undefined where it is alone. */
  node: ClusterNode | undefined;
  metrics: Metrics | undefined;
  /** What seals packets. */
  aead: Aead;
  options: ChatServerOptions;
}

/** A running server. */
export class ChatServer {
  /** The port it listens on. */
  readonly port: number;
  /** The numbers (from 1) of the lines of `credentials.txt` that can't be read. */
  readonly unreadableCredentials: readonly number[];
  /** The SHA-256 of its certificate; undefined where it is plain. */
  readonly fingerprint: string | undefined;
  /** Fulfilled with the reason when it can't go on as one of its cluster; then it is to be closed. */
  readonly failed: Promise<string>;
  readonly #ports: Ports;
  readonly #lock: Disposable;
  readonly #database: Database;
  readonly #node: ClusterNode | undefined;
  readonly #receiving: Promise<void>;
  readonly #services: Services;
  readonly #others: OtherServers;
  readonly #clients: ClientConnections;
  readonly #maintenance: Maintenance;
  #closing = false;
  #control: ControlSocket | undefined;
  readonly #metrics: Metrics | undefined;

  private constructor(
    ports: Ports,
    lock: Disposable,
    { accounts, database, identity, projection, journal, node, metrics, aead, options }: Parts,
  ) {
    this.fingerprint = identity && fingerprintOf(identity.certificate);
    const { clock, log, closed = false } = options;
    this.failed = node?.failed ?? new Promise(() => {});
    const others = node?.elsewhere ?? options.others ?? alone();
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { messages, mailboxes, rooms, operators, deletions } = projection;
    const known = new KnownAddresses();
    this.#others = others;
    this.port = ports.port;
    this.unreadableCredentials = accounts.filed.unreadable;
    this.#ports = ports;
    this.#lock = lock;
    this.#database = database;
    this.#node = node;
    const age = new AgeClock(clock, newestTimes(database), log);
    const protection = identity === undefined ? "plain" : "sealed";
    const counts = noCounts();
    const commits = new RecentTimes(clock);
    database.onCommit = (ms) => {
      commits.add(ms);
      metrics?.noteCommit(ms);
    };
    const sendDatagram: OutboxOptions["sendDatagram"] = (datagram, to) => {
      counts.datagrams.sent++;
      ports.udp.send(datagram, to);
    };
    const departed = new RecentSet<string>(DEPARTED);
    this.#services = {
      accounts,
      clock,
      log,
      limits,
      closed,
      registrations: new Registrations(clock, limits),
      referrals: new Referrals(clock, others),
      incidents: new Incidents(clock, log),
      counts,
      commits,
      database,
      inbound: { characters: 0 },
      unwritten: new UnwrittenBudget(limits.unwrittenBytes),
      connections: () => this.#clients.open,
      cluster: node && (() => node.status),
      known,
      throttle: new LoginThrottle(clock, known),
      journal,
      messages,
      mailboxes,
      rooms,
      operators,
      deletions,
      logins: new Logins({
        journal,
        table: projection.logins,
        clock,
        age: () => age.date(),
      }),
      returning: new Map(),
      started: clock.date(),
      active: new Set(),
      trouble: undefined,
      moved: (login) => this.#node?.moved(login),
      hub: new Hub({
        clock,
        journal,
        projection,
        ...node && { elsewhere: node.elsewhere },
        counts: counts.messages,
        rate: { burst: limits.commandBurst, perSecond: limits.commandsPerSecond },
        maxBacklogBytes: limits.backlogBytes,
        maxSessions: limits.sessionsPerAccount,
      }),
      protection,
      outbox: {
        clock,
        deadlines: new Deadlines(clock, RECOVERY_GRAIN_MS),
        sendDatagram,
        aead,
        calmRate: new CalmRate(clock.now()),
        counts: counts.deliveries,
        maxBacklogBytes: limits.sessionBytes,
      },
      silences: new Deadlines(clock, LIVENESS_GRAIN_MS),
      outboxes: new Map(),
      probes: new Probes({ clock, protection, sendDatagram, departed }),
      departed,
    };
    node?.serve(this.#services);
    this.#metrics = metrics;
    metrics?.serve(() => describeStatus(this.#services));
    this.#clients = new ClientConnections(this.#services, options.connections ?? Infinity);
    this.#maintenance = new Maintenance(this.#services, { node, age });
    this.#receiving = this.#ports.udp.receive((datagram, from) => this.#take(datagram, from));
  }

  /**
   * Takes the data folder and the port, and serves.
   *
   * @throws {ExitError} `refused`, where the data folder or the port can't be had
   */
  static async start(options: ChatServerOptions): Promise<ChatServer> {
    const { folder, port, hostname, plain, cost, clock, log, sync, connections } = options;
    const { history = "joined" } = options;
    const lock = await lockDataFolder(folder);
    try {
      for (const line of await protectFolder(folder)) log(line);
      const accounts = await Accounts.load(folder, { cost, clock });
      await using opened = new AsyncDisposableStack();
      const open = () =>
        opened.use(new Database(join(folder, "messages.db"), { clock, log, ...sync && { sync } }));
      const metrics = options.metrics === undefined
        ? undefined
        : opened.use(await openMetrics({ port: options.metrics, folder, clock, log }));
      const aead = await loadSodiumAead();
      const identity = plain ? undefined : await loadIdentity(folder);
      const state = options.cluster === undefined
        ? ownState(open(), history)
        : await ClusterNode.join(
          { ...options.cluster, clock, log },
          { accounts, history, open, opened },
        );
      // Nobody comes in before the turn of the loop is over in which the ports are bound.
      const onIncoming = (incoming: Incoming) => server.#clients.take(incoming);
      const onShortage = () => server.#clients.warnOfShortage();
      const handlers = { onIncoming, onShortage };
      const ports = await bindPorts(port, { hostname, identity, connections, ...handlers });
      const server = new ChatServer(ports, lock, {
        accounts,
        identity,
        metrics,
        aead,
        options,
        ...state,
      });
      // From here on the server closes it.
      opened.move();
      server.#announce(identity, options);
      if (options.control) server.#control = await ControlSocket.open(folder, server.#services);
      return server;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** The port of its metrics; undefined where it has none. */
  get metricsPort(): number | undefined {
    return this.#metrics?.port;
  }

  /** Tells the other servers where clients reach this one. */
  #announce(identity: Identity | undefined, { advertise, hostname }: ChatServerOptions): void {
    const everywhere = hostname === undefined || hostname === "0.0.0.0" || hostname === "::";
    this.#others.announce({
      address: advertise?.hostname ?? (everywhere ? ownAddresses()[0]! : hostname),
      port: advertise?.port || this.port,
      ...identity && { certificate: encodeCertificate(identity.certificate) },
    });
  }

  /**
   * Says farewell to every client, and ends. Closing twice is fine.
   *
   * @param final whether the chat ends with it, so that clients must not come back by themselves. Where its cluster has
   *   other servers the chat goes on, and clients are sent there in any case
   */
  async close(options: { final: boolean }): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const final = options.final && this.#others.servers.length === 0;
    this.#clients.stop();
    this.#maintenance[Symbol.dispose]();
    this.#ports.tcp.close();
    await this.#control?.[Symbol.asyncDispose]();
    await this.#metrics?.[Symbol.asyncDispose]();
    await this.#others.withdraw();
    await this.#clients.sayFarewell(final);
    this.#ports.udp[Symbol.dispose]();
    // The port is free for another server only when nobody reads any more.
    await this.#receiving;
    await this.#node?.leave();
    this.#database[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
  }

  #take(datagram: Uint8Array, from: Endpoint): void {
    const { outboxes, probes, departed, incidents, counts: { datagrams } } = this.#services;
    datagrams.received++;
    const session = sessionOf(datagram) ?? "";
    if (departed.has(session) || outboxes.get(session)?.receive(datagram, from)) return;
    if (probes.receive(session, datagram, from)) return;
    datagrams.dropped++;
    incidents.report("datagram dropped: no packet of a session", originOf(from.hostname));
  }
}
