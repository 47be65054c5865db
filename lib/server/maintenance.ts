import { Alarm } from "../clock.ts";
import type { AgeClock } from "../messages/clock_jump.ts";
import { forgetBefore } from "../messages/expiry.ts";
import { foldUsername } from "../protocol/names.ts";
import { reasonOf } from "../reasons.ts";
import type { ClusterNode } from "./cluster_node.ts";
import { reconcile, reconcileOperators } from "./reconcile.ts";
import type { Services } from "./services.ts";

/** How often to look whether an operator has changed the accounts, in milliseconds. */
const REFRESH_MS = 500;

/** How often to look for messages that are old enough to be forgotten, in milliseconds. */
const FORGET_MS = 3_600_000;

/** The same where nobody knows yet whether the clock is right. */
const UNSURE_MS = 60_000;

/** Options of {@linkcode Maintenance}. */
export interface MaintenanceOptions {
  /** What makes the server one of a cluster; undefined where it is alone. */
  node: ClusterNode | undefined;
  /** By which messages are old. */
  age: AgeClock;
}

/** What a server does from time to time: it takes in what was done to the accounts' file, and forgets what is old. */
export class Maintenance implements Disposable {
  readonly #services: Services;
  readonly #node: ClusterNode | undefined;
  readonly #age: AgeClock;
  readonly #refreshing: Alarm;
  readonly #forgetting: Alarm;
  /** The accounts' revision that the journal knows. */
  #reconciled = -1;
  #ended = false;

  /** Does it for the first time, and then until it is disposed of. */
  constructor(services: Services, { node, age }: MaintenanceOptions) {
    this.#services = services;
    this.#node = node;
    this.#age = age;
    this.#refreshing = new Alarm(services.clock, () => void this.#refresh());
    void this.#refresh();
    this.#forgetting = new Alarm(services.clock, () => this.#forget());
    this.#forget();
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#refreshing[Symbol.dispose]();
    this.#forgetting[Symbol.dispose]();
  }

  /** Messages that are old enough leave the log, and clients that have been away for too long. */
  #forget(): void {
    const { clock, database, limits, logins, returning, log } = this.#services;
    // What this server takes for old is gone for all.
    const isRight = this.#node?.clockIsRight ?? true;
    // A crash, or a full disk, may have left in the files what was deleted before.
    database.scrub();
    this.#forgetting.set(clock.now() + (isRight ? FORGET_MS : UNSURE_MS));
    if (!isRight) return;
    const time = new Date(this.#age.date().getTime() - limits.keepDays * 86_400_000);
    forgetBefore(time, this.#services).catch((error) =>
      log(`old messages are still there: ${error}`)
    );
    for (const login of returning.keys()) logins.extend(login);
    logins.forget().catch((error) => log(`old logins are still there: ${error}`));
  }

  /** Sees what an operator has done to the accounts meanwhile. */
  async #refresh(): Promise<void> {
    const { clock, database, log } = this.#services;
    try {
      if (this.#node === undefined) await this.#takeChanges();
      else if (!database.lost) await this.#node.settleAccounts();
    } catch (error) {
      log(`credentials.txt can't be ${this.#node ? "kept up" : "read"}: ${reasonOf(error)}`);
    }
    if (!this.#ended) this.#refreshing.set(clock.now() + REFRESH_MS);
  }

  async #takeChanges(): Promise<void> {
    const { accounts, database, hub, known } = this.#services;
    // Nobody is thrown out because the accounts' file went with the others.
    const changed = database.lost ? [] : await accounts.refresh();
    for (const username of changed) {
      known.forget(foldUsername(username));
      const gone = accounts.find(username) === undefined;
      hub.expel(username, gone ? "the account was removed" : "the account has a new password");
    }
    await this.#reconcile();
  }

  /** What an account had that has gone, its messages too, is never for another one of its name. */
  async #reconcile(): Promise<void> {
    const { accounts, database } = this.#services;
    const { revision } = accounts.filed;
    // Where the file is gone the accounts need not be: it may come back.
    if (database.lost || revision === this.#reconciled || accounts.count === 0) return;
    await reconcile(accounts.identities, this.#services);
    await reconcileOperators(accounts.operators, this.#services);
    this.#reconciled = revision;
  }
}
