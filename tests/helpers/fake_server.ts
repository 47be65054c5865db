import { Accounts } from "../../lib/accounts/accounts.ts";
import { KnownAddresses } from "../../lib/accounts/known_addresses.ts";
import { LoginThrottle } from "../../lib/accounts/login_throttle.ts";
import { Admission } from "../../lib/server/admission.ts";
import { Incidents } from "../../lib/server/incidents.ts";
import { noCounts } from "../../lib/server/counts.ts";
import { RecentTimes } from "../../lib/server/recent_rate.ts";
import { UnwrittenBudget } from "../../lib/net/unwritten.ts";
import type { OutboxOptions } from "../../lib/server/outbox.ts";
import { Probes } from "../../lib/server/probe.ts";
import { Referrals } from "../../lib/server/referrals.ts";
import { Registrations } from "../../lib/server/registrations.ts";
import { DEFAULT_LIMITS } from "../../lib/server/limits.ts";
import { Hub, type HubOptions } from "../../lib/server/hub.ts";
import { Database } from "../../lib/messages/database.ts";
import type { HistoryRule } from "../../lib/messages/mailboxes.ts";
import { Logins } from "../../lib/messages/logins.ts";
import { LocalJournal } from "../../lib/journal/local_journal.ts";
import { Projection } from "../../lib/journal/projection.ts";
import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import { Deadlines } from "../../lib/deadlines.ts";
import { CalmRate } from "../../lib/protocol/calm_rate.ts";
import type { Endpoint } from "../../lib/net/connection.ts";
import { RecentSet } from "../../lib/protocol/recent_set.ts";
import type { Services } from "../../lib/server/services.ts";
import { Session } from "../../lib/server/session.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeOthers } from "./fake_others.ts";
import { FakeConnection } from "./fake_connection.ts";
import { TempFolder } from "./temp_folder.ts";
import type { TestDisk } from "./test_disk.ts";

/** Options of {@linkcode FakeServer.start}. */
interface FakeServerOptions {
  /** How fast an account may command. @default as fast as it likes */
  rate?: HubOptions["rate"];
  /** What may wait for all sessions together. @default the server's own */
  backlogBytes?: number;
  /** Where messages are kept. @default in memory */
  disk?: TestDisk;
  /** Which public messages an account may read. @default "joined" */
  history?: HistoryRule;
}

/** What a server's sessions share, without sockets, and with a clock that a test moves. */
export class FakeServer implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly log: string[] = [];
  readonly datagrams: Uint8Array[] = [];
  /** The other servers of its cluster; a test may name some. */
  readonly others = new FakeOthers();
  /** Where each datagram was sent to. */
  readonly sentTo: Endpoint[] = [];
  readonly services: Services;
  readonly projection: Projection;
  readonly admission = new Admission(DEFAULT_LIMITS);
  readonly #folder: TempFolder;
  readonly #database: Database;
  readonly #running: Promise<void>[] = [];
  readonly #connections: FakeConnection[] = [];

  private constructor(folder: TempFolder, accounts: Accounts, options: FakeServerOptions) {
    const { rate = { burst: 1_000_000, perSecond: 1 }, disk } = options;
    const { history = "joined", backlogBytes = DEFAULT_LIMITS.backlogBytes } = options;
    this.#folder = folder;
    // A commit is done at once, without the test ending a turn for it.
    this.#database = new Database(disk === undefined ? ":memory:" : folder.file("messages.db"), {
      clock: {
        date: () => this.clock.date(),
        now: () => this.clock.now(),
        soon: queueMicrotask,
      },
      ...disk,
    });
    const projection = this.projection = new Projection(this.#database, { history });
    const journal = new LocalJournal(this.#database, projection);
    const { messages, mailboxes, rooms, operators, deletions, logins: table } = projection;
    const known = new KnownAddresses();
    const departed = new RecentSet<string>(10);
    const counts = noCounts();
    const sendDatagram: OutboxOptions["sendDatagram"] = (datagram, to) => {
      this.datagrams.push(datagram);
      this.sentTo.push(to);
    };
    this.services = {
      accounts,
      clock: this.clock,
      journal,
      messages,
      mailboxes,
      rooms,
      operators,
      deletions,
      logins: new Logins({ journal, table, clock: this.clock }),
      returning: new Map(),
      started: this.clock.date(),
      active: new Set(),
      trouble: undefined,
      moved: () => {},
      hub: new Hub({
        clock: this.clock,
        journal,
        projection,
        rate,
        maxBacklogBytes: backlogBytes,
      }),
      limits: DEFAULT_LIMITS,
      closed: false,
      known,
      throttle: new LoginThrottle(this.clock, known),
      registrations: new Registrations(this.clock, DEFAULT_LIMITS),
      referrals: new Referrals(this.clock, this.others),
      counts,
      commits: new RecentTimes(this.clock),
      database: this.#database,
      inbound: { characters: 0 },
      unwritten: new UnwrittenBudget(),
      connections: () => this.#connections.length,
      cluster: undefined,
      incidents: new Incidents(this.clock, (event) => this.log.push(event)),
      protection: "sealed",
      log: (event) => this.log.push(event),
      outbox: {
        clock: this.clock,
        deadlines: new Deadlines(this.clock, 2),
        sendDatagram,
        calmRate: new CalmRate(this.clock.now()),
        counts: counts.deliveries,
        maxBacklogBytes: DEFAULT_LIMITS.sessionBytes,
      },
      silences: new Deadlines(this.clock, 2),
      outboxes: new Map(),
      probes: new Probes({ clock: this.clock, protection: "sealed", sendDatagram, departed }),
      departed,
    };
  }

  static async start(options: FakeServerOptions = {}): Promise<FakeServer> {
    const folder = await TempFolder.create();
    const accounts = await Accounts.load(folder.path, { cost: { ln: 1, r: 8, p: 1 } });
    return new FakeServer(folder, accounts, options);
  }

  /** A new session, whose hello has been taken. */
  async connect(address = "127.0.0.1"): Promise<FakeClient> {
    const connection = new FakeConnection(address);
    const session = new Session(
      connection,
      this.services,
      this.admission.enter(address, "strange")!,
    );
    this.#connections.push(connection);
    this.#running.push(session.run());
    await connection.taken();
    return new FakeClient(connection, session);
  }

  /** A new session in the state `login`. */
  async greet(address?: string): Promise<FakeClient> {
    const client = await this.connect(address);
    client.send({ type: "hello", protocol: PROTOCOL_VERSION, software: "test" });
    return client;
  }

  /** A new session of a user, who is new or has the same password as the name. */
  async join(username: string, overview?: number): Promise<FakeClient> {
    const client = await this.greet();
    const { exists } = await client.ask({ type: "identify", id: 1, username });
    const type = exists ? "authenticate" : "register";
    client.welcome = await client.ask({ type, id: 2, password: username, overview });
    return client;
  }

  /** A client comes back on a new connection. */
  async resume(
    from: FakeClient,
    last: unknown = from.welcome["latest"],
    overview?: number,
  ): Promise<FakeClient> {
    const client = await this.greet();
    const { username, token } = from.welcome;
    client.welcome = await client.ask({ type: "resume", id: 1, username, token, last, overview });
    // It comes back with the same token.
    if (client.welcome["type"] === "welcome") client.welcome["token"] = token;
    return client;
  }

  /** The next record for a client, while turns of the loop end as they do. */
  async nextOf(client: FakeClient): Promise<Record<string, unknown>> {
    const next = client.next();
    let there = false;
    next.then(() => there = true);
    while (!there) {
      this.clock.endTurn();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return await next;
  }

  /** Sessions that log in from now on may have so many bytes waiting for them. */
  limitSessions(maxBacklogBytes = DEFAULT_LIMITS.sessionBytes): void {
    this.services.outbox = { ...this.services.outbox, maxBacklogBytes };
  }

  /** Ends every connection. */
  stopAll(): void {
    for (const connection of this.#connections) connection.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopAll();
    await Promise.all(this.#running);
    this.#database[Symbol.dispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** The test's end of a session's connection. */
export class FakeClient {
  readonly connection: FakeConnection;
  readonly session: Session;
  /** What answered the login. */
  welcome: Record<string, unknown> = {};
  /** What was delivered while something else was waited for. */
  readonly #deliveries: Record<string, unknown>[] = [];

  constructor(connection: FakeConnection, session: Session) {
    this.connection = connection;
    this.session = session;
  }

  send(record: Record<string, unknown>): void {
    this.connection.receive(JSON.stringify(record));
  }

  /** The next record that the server sent; an empty one at the end. */
  async next(): Promise<Record<string, unknown>> {
    return this.#deliveries.shift() ?? await this.connection.taken() ?? {};
  }

  /** Sends a request and takes the next record that delivers nothing. */
  async ask(record: Record<string, unknown>): Promise<Record<string, unknown>> {
    this.send(record);
    for (;;) {
      const next = await this.connection.taken() ?? {};
      if (next["type"] !== "deliver") return next;
      this.#deliveries.push(next);
    }
  }
}
