import type { Origin } from "../journal/events.ts";
import type { Connection } from "../net/connection.ts";
import type { FarewellCode } from "../protocol/errors.ts";
import type { RecordBlock } from "../protocol/record_block.ts";
import type { DataParameters } from "../protocol/records.ts";
import type { ExpelCode, FailCode, Member } from "./active_user.ts";
import type { Deliveries, Ledger } from "./marks.ts";
import { Outbox, type OutboxSession } from "./outbox.ts";
import type { Services } from "./services.ts";

/** The session that an {@linkcode ActiveSession} is part of. */
export interface ActiveSessionOwner {
  readonly services: Services;
  readonly connection: Connection;
  /** The address that the client's control connection comes from. */
  readonly address: string;
  /** @see Session.end */
  end(code: FarewellCode, message: string, options?: { final?: boolean }): void;
}

/** Options of {@linkcode ActiveSession}. */
export interface ActiveSessionOptions {
  username: string;
  /** The number of the client's login; undefined where it can't come back. */
  login: number | undefined;
  /** Its data channel. */
  data: DataParameters;
}

/** What a session is from the login on: one of those that get messages, with a way out for them. */
export class ActiveSession implements Member, OutboxSession {
  readonly username: string;
  readonly login: number | undefined;
  /** When the user became active in this session, in milliseconds since the epoch. */
  readonly since: number;
  ledger: Ledger | undefined;
  readonly #session: ActiveSessionOwner;
  readonly #outbox: Outbox;
  /** Fulfilled when the client has been given what it missed. */
  #caughtUp = Promise.resolve();
  #left = false;

  constructor(session: ActiveSessionOwner, { username, login, data }: ActiveSessionOptions) {
    const { services } = session;
    this.username = username;
    this.login = login;
    this.since = services.clock.date().getTime();
    this.#session = session;
    this.#outbox = new Outbox(data, this, services.outbox);
    services.active.add(this);
    services.outboxes.set(data.session, this.#outbox);
    if (login !== undefined) services.returning.set(login, this);
  }

  get connection(): Connection {
    return this.#session.connection;
  }

  get address(): string {
    return this.#session.address;
  }

  get deliveries(): Deliveries {
    return this.#outbox.deliveries;
  }

  get backlogBytes(): number {
    return this.#outbox.backlogBytes;
  }

  get load(): number {
    return this.#outbox.load;
  }

  /** So many messages wait for it. */
  get backlog(): number {
    return this.#outbox.backlog;
  }

  /** By what a request of its client is recognised when it comes again. */
  originOf(request: number): Origin | undefined {
    return this.login === undefined ? undefined : { login: this.login, request };
  }

  /**
   * From now on it is given what comes, and before that what it has missed. It may be too much, and end it.
   *
   * @param last the newest message that the client does not need
   * @param began the newest one when the client logged in
   */
  join(last: number, began: number): void {
    this.#caughtUp = this.#session.services.hub.join(this, { last, began });
  }

  notify(line: string): void {
    this.connection.send(line);
  }

  deliver(block: RecordBlock, from: number, to: number): number {
    return this.#outbox.push(block, from, to);
  }

  flush(): void {
    this.#outbox.flush();
  }

  writable(): void {
    this.#outbox.writable();
  }

  /** Takes in an `ack` record. Whether it acknowledges what was sent. */
  acknowledge(delivered: number): boolean {
    return this.#outbox.acknowledge(delivered);
  }

  acknowledged(): void {
    this.#session.services.hub.acknowledged(this);
  }

  relief(): Promise<void> | undefined {
    return this.#outbox.relief();
  }

  backpressure(): Promise<void> | undefined {
    return this.#outbox.backpressure();
  }

  /** Fulfilled when the client has acknowledged all that is for it. */
  settled(): Promise<void> {
    return this.#caughtUp.then(() => this.#outbox.settle());
  }

  overflow(): void {
    this.fail("too-slow", "too much waited to be delivered");
  }

  expel(why: string, code: ExpelCode = "account-changed"): void {
    this.end(code, why);
  }

  fail(code: FailCode, why: string): void {
    if (code === "internal") {
      this.#session.services.log(`${this.username} can't be given what was missed: ${why}`);
    }
    this.end(code, why, { final: false });
  }

  /** @see Session.end */
  end(code: FarewellCode, message: string, options?: { final?: boolean }): void {
    this.#session.end(code, message, options);
  }

  /** The client may come back with its token, although the account has another password. */
  async renewLogin(credential: string): Promise<void> {
    if (this.login !== undefined) await this.#session.services.logins.renew(this.login, credential);
  }

  /**
   * The session is over. Doing it twice is fine.
   *
   * @param options `drain` where what waits is still written to the connection; `forGood` where the client can't come back
   */
  leave({ drain, forGood }: { drain: boolean; forGood: boolean }): void {
    if (this.#left) return;
    this.#left = true;
    const { hub, active, referrals, outboxes, departed } = this.#session.services;
    hub.leave(this);
    if (drain) this.#outbox.drain();
    active.delete(this);
    referrals.unwatch(this);
    this.#leaveLogin(forGood);
    outboxes.delete(this.#outbox.session);
    departed.add(this.#outbox.session);
    this.#outbox[Symbol.dispose]();
  }

  #leaveLogin(forGood: boolean): void {
    const { logins, returning } = this.#session.services;
    if (this.login === undefined) return;
    if (returning.get(this.login) === this) returning.delete(this.login);
    if (forGood) logins.end(this.login);
    else logins.extend(this.login);
  }
}
