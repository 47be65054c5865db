import type { Accounts } from "../accounts/accounts.ts";
import { type Cluster, type ClusterOptions, openCluster } from "../cluster/cluster.ts";
import type { Elsewhere } from "../cluster/elsewhere.ts";
import type { OtherServers } from "../cluster/other_servers.ts";
import type { Uses } from "../cluster/uses.ts";
import type { Journal } from "../journal/journal.ts";
import { Projection } from "../journal/projection.ts";
import type { Database } from "../messages/database.ts";
import type { HistoryRule } from "../messages/mailboxes.ts";
import { encodeRecord } from "../protocol/records.ts";
import type { Services } from "./services.ts";
import { shareLimits } from "./shared_limits.ts";
import { SharedAccounts } from "./shared_accounts.ts";

/** Users are told that nothing can be stored when that has lasted so long, in milliseconds. */
const TELL_MS = 3_000;

const TROUBLE = "nothing can be stored at present: what you send waits, and goes out by itself";

/** Where a server's state is: its tables, and what they are made from. */
export interface State {
  database: Database;
  projection: Projection;
  journal: Journal;
}

/** What {@linkcode ClusterNode.join} works with. */
export interface JoinOptions {
  accounts: Accounts;
  history: HistoryRule;
  /** Opens the tables. */
  open: () => Database;
  /** Closes everything, the last first. */
  opened: AsyncDisposableStack;
}

/** How the cluster of a server is. */
export interface ClusterStatus {
  /** Whether anything can be stored, as far as is known. */
  isStoring: boolean;
  /** How many other servers take clients, and how many users are there. */
  otherServers: number;
  usersElsewhere: number;
}

/** What makes a server one of a cluster. */
export class ClusterNode {
  readonly elsewhere: Elsewhere & OtherServers & Uses;
  readonly #cluster: Cluster;
  readonly #accounts: SharedAccounts;
  readonly #state: State;
  readonly #id = crypto.randomUUID();
  #available = true;
  /** Rings when users have to be told that nothing can be stored. */
  #telling: Disposable | undefined;
  /** Logins that come here just now: what is heard of them is older. */
  readonly #coming = new Map<number, number>();

  private constructor(
    cluster: Cluster,
    { elsewhere, accounts, state }: {
      elsewhere: Elsewhere & OtherServers & Uses;
      accounts: SharedAccounts;
      state: State;
    },
  ) {
    this.#cluster = cluster;
    this.elsewhere = elsewhere;
    this.#accounts = accounts;
    this.#state = state;
    state.projection.onAccounts = (changes) => accounts.take(changes);
  }

  /**
   * Joins a cluster, and catches up with it.
   *
   * @throws {ExitError} `refused`, where its NATS is not to be had, or this data folder is not of this cluster
   */
  static async join(
    options: ClusterOptions,
    { accounts, history, open, opened }: JoinOptions,
  ): Promise<State & { node: ClusterNode }> {
    const { clock, log } = options;
    const cluster = opened.use(await openCluster(options));
    const database = opened.use(open());
    const projection = new Projection(database, { stream: cluster.stream, history });
    const journal = opened.use(await cluster.openJournal(database, projection));
    log(`in the cluster whose stream is ${cluster.stream}, up to event ${journal.last}`);
    const elsewhere = opened.use(await cluster.join());
    // No event may come between these and whoever is told of it.
    const shared = new SharedAccounts({ accounts, clock, journal, projection, database, log });
    const state = { database, projection, journal };
    const node = new ClusterNode(cluster, { elsewhere, accounts: shared, state });
    return { ...state, node };
  }

  /** Events concern sessions from now on. */
  serve(services: Services): void {
    const { projection } = this.#state;
    const { accounts, hub, known, returning } = services;
    shareLimits(services, this.elsewhere);
    projection.onAccounts = (changes) => {
      for (const change of changes) {
        const { account, line, by } = change;
        const before = accounts.credential(account);
        this.#accounts.take([change]);
        if (before === undefined || accounts.credential(account) === before) continue;
        known.forget(account);
        const why = line === undefined
          ? "the account was removed"
          : "the account has a new password";
        hub.expel(account, why, { spared: by === undefined ? undefined : returning.get(by) });
      }
    };
    projection.onMoved = (login, server) => {
      if (server === this.#id || this.#coming.has(login)) return;
      // It may be late, from a server that had the client before this one: a client that is there comes back.
      const why = "the client has come back at another server";
      returning.get(login)?.end("resumed", why, { final: false });
    };
    this.#cluster.onAvailable = (available) => this.#tell(services, available);
  }

  #tell(services: Services, available: boolean): void {
    this.#available = available;
    const { clock, hub, log } = services;
    const say = (message: string) => {
      hub.tellAll(encodeRecord({ type: "notice", message }));
      log(`users were told: ${message}`);
    };
    if (!available) {
      this.#telling ??= clock.after(TELL_MS, () => say(services.trouble = TROUBLE));
      return;
    }
    this.#telling?.[Symbol.dispose]();
    this.#telling = undefined;
    if (services.trouble !== undefined) say("what you send is stored again");
    services.trouble = undefined;
  }

  /** Fulfilled with the reason when this server can't go on as one of the cluster. */
  get failed(): Promise<string> {
    return this.#cluster.failed;
  }

  get status(): ClusterStatus {
    return {
      isStoring: this.#available,
      otherServers: this.elsewhere.servers.length,
      usersElsewhere: this.elsewhere.users.size,
    };
  }

  /** Whether this server's clock is known to say what NATS' does, or nearly. */
  get clockIsRight(): boolean {
    return this.#cluster.clockIsRight;
  }

  /** The client of a login has come back here: another server that has its old session ends it. */
  moved(login: number): void {
    this.#coming.set(login, (this.#coming.get(login) ?? 0) + 1);
    const moved = this.#state.journal.append({ type: "login-moved", login, server: this.#id });
    // Where it can't be stored, the old session ends by itself.
    moved.catch(() => {}).then(() => {
      const left = this.#coming.get(login)! - 1;
      if (left === 0) this.#coming.delete(login);
      else this.#coming.set(login, left);
    });
  }

  /** Brings `credentials.txt` and the cluster's accounts together. @throws where the file can't be used */
  async settleAccounts(): Promise<void> {
    await this.#accounts.settle();
  }

  /** Nothing is stored any more, and the others know that this server has gone. Leaves the tables open. */
  async leave(): Promise<void> {
    this.#cluster.onAvailable = () => {};
    this.#telling?.[Symbol.dispose]();
    await this.elsewhere[Symbol.asyncDispose]();
    await this.#state.journal[Symbol.asyncDispose]();
    await this.#cluster[Symbol.asyncDispose]();
  }
}
