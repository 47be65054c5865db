import { Countdown, sleep } from "../clock.ts";
import {
  type Connection,
  type ConnectionListener,
  formatEndpoint,
  originOf,
} from "../net/connection.ts";
import { Liveness, type LivenessOwner } from "../net/liveness.ts";
import type { Origin } from "../journal/events.ts";
import { type ErrorCode, type FarewellCode, ProtocolError } from "../protocol/errors.ts";
import { MAX_LOGIN_LINE_BYTES, PROTOCOL_VERSION } from "../protocol/limits.ts";
import { foldUsername } from "../protocol/names.ts";
import {
  type ClientRecord,
  encodeRecord,
  type NamedServer,
  parseClientRecord,
  type ServerRecord,
} from "../protocol/records.ts";
import { visibleLine } from "../protocol/visible.ts";
import { VERSION } from "../version.ts";
import { ActiveSession, type ActiveSessionOwner } from "./active_session.ts";
import { type Answer, Answers, type AnswersSession, type Make } from "./answers.ts";
import { dispatch } from "./dispatch.ts";
import { Inbound, type InboundSession } from "./inbound.ts";
import { overviewFor } from "./overview.ts";
import { newParameters } from "./outbox.ts";
import type { ServerRole } from "../protocol/roles.ts";
import type { Services } from "./services.ts";

/**
 * How far a session has come: `hello` waits for the client's hello, `login` for a username,
 * `authenticate` and `register` for the password of an existing or a new account; `active` takes
 * commands; `leaving` waits until the client has acknowledged everything.
 */
export type State =
  | "hello"
  | "login"
  | "authenticate"
  | "register"
  | "active"
  | "leaving"
  | "ended";

/** A client that is not logged in may send so many records. */
const MAX_EARLY_RECORDS = 100;

/** A client may have so many requests without an answer; then no further one is served for a while. */
const MAX_UNANSWERED = 256;

/** How long a client that logs out may take to acknowledge what it got, in milliseconds. */
const LEAVE_LIMIT_MS = 1_000;

/** After these the client's token has ended. */
const FOR_GOOD: ReadonlySet<FarewellCode> = new Set([
  "account-changed",
  "banned",
  "kicked",
  "logged-out",
]);

/** How {@linkcode Session.welcome} goes on. */
export interface WelcomeOptions {
  /** The number of the client's login; undefined where it can't come back. */
  login: number | undefined;
  /** The new token of a client that has given a password. */
  token?: string | undefined;
  /** The newest message that a client which has come back has. */
  last?: number;
  /** The newest message when it logged in; by default now. */
  began?: number;
  /** So many messages are wanted in an overview; undefined where none is. */
  overview?: number | undefined;
}

/** One control connection at the server, from its hello to its end. */
export class Session
  implements AnswersSession, ConnectionListener, InboundSession, LivenessOwner, ActiveSessionOwner {
  readonly services: Services;
  readonly connection: Connection;
  readonly #place: Disposable;
  readonly #liveness: Liveness;
  #state: State = "hello";
  /** Until the login is done. */
  #limit: Countdown | undefined;
  /** From the login on. */
  #active: ActiveSession | undefined;
  readonly #answers = new Answers(this);
  /** Whether the client has gone, though what it sent may not have been served yet. */
  #gone = false;
  /** The work that is being done for the client. */
  #working: AbortController | undefined;
  #ending = "the connection was lost";
  /** The username of the account that the session is for, from `login` on. */
  username = "";
  /** How many passwords were tried. */
  attempts = 0;
  #earlyRecords = 0;

  /**
   * @param place among the connections that are not logged in; disposed of when this one is, or ends
   */
  constructor(connection: Connection, services: Services, place: Disposable) {
    this.services = services;
    this.connection = connection;
    this.#place = place;
    connection.maxLineBytes = Math.min(MAX_LOGIN_LINE_BYTES, services.limits.lineBytes);
    connection.listener = this;
    this.#liveness = new Liveness({ clock: services.clock, deadlines: services.silences }, this);
    this.#limit = this.#timeLimit(services.limits.handshakeSeconds);
  }

  /** What the user is on this server; what in a room, the room knows. */
  get role(): ServerRole {
    return this.services.operators.isOperator(foldUsername(this.username)) ? "operator" : "user";
  }

  get state(): State {
    return this.#state;
  }

  /** From the login on, also when it has ended. */
  get active(): ActiveSession | undefined {
    return this.#active;
  }

  /** Whom the client's address counts for: itself, or its network. */
  get origin(): string {
    return originOf(this.connection.remote.hostname);
  }

  /**
   * Tells the operator what the client did wrong.
   *
   * @param username the name it did it with, as the client sent it
   */
  report(what: string, username?: string): void {
    const detail = username === undefined ? "" : ` (${visibleLine(username)})`;
    this.services.incidents.report(what, this.origin, detail);
  }

  /** The same of a login, with the code that the client is told. */
  reportRefused(code: ErrorCode, what: string, username: string): void {
    const { refusedLogins } = this.services.counts;
    refusedLogins.set(code, (refusedLogins.get(code) ?? 0) + 1);
    this.report(what, username.slice(0, 64));
  }

  /** The address that the client's control connection comes from. */
  get address(): string {
    return this.connection.remote.hostname;
  }

  /** Where the client is, as people write it. */
  get remote(): string {
    return formatEndpoint(this.connection.remote);
  }

  /** Serves the client until the connection ends. */
  async run(): Promise<void> {
    this.send({ type: "hello", protocol: PROTOCOL_VERSION, software: `chatserver/${VERSION}` });
    const inbound = new Inbound(this, this.services.inbound);
    try {
      for await (const lines of this.connection.batches()) {
        this.#liveness.heard();
        for (const line of lines) inbound.take(parseClientRecord(line), line.length);
        // Emptied, since this loop and the one that reads would keep the texts until the next ones come.
        lines.length = 0;
        const backpressure = inbound.backpressure();
        if (backpressure !== undefined) await backpressure;
        if (this.#state === "ended") break;
      }
    } catch (error) {
      // What came before is served first, unless the client goes.
      void this.connection.discard();
      await inbound.served;
      await this.failed(error);
    } finally {
      await inbound.served;
      this.#leave();
      await this.connection.close();
    }
  }

  send(record: ServerRecord): void {
    this.connection.send(encodeRecord(record));
  }

  /** Answers a request with what `make` gives or throws, when those before it are answered. */
  answer(id: number, make: () => ServerRecord): void {
    this.#answers.add(id, make);
  }

  /** The same when something is known. */
  answerLater<T>(id: number, make: Make<T>): Answer<T> {
    return this.#answers.addLater(id, make);
  }

  /** By what a request of this client is recognised when it comes again. */
  originOf(request: number): Origin | undefined {
    return this.#active?.originOf(request);
  }

  /** Takes in an `ack` record. Whether it acknowledges what was sent. */
  acknowledge(delivered: number): boolean {
    return this.#active?.acknowledge(delivered) ?? false;
  }

  writable(): void {
    this.#active?.writable();
  }

  inputEnded(): void {
    this.#abandon();
  }

  ping(): void {
    this.send({ type: "ping" });
  }

  dead(): void {
    this.end("timeout", "nothing was heard of the client", { final: false });
  }

  /** From now on a username is asked for. */
  greet(): void {
    this.#state = "login";
    this.#limit?.[Symbol.dispose]();
    this.#limit = this.#timeLimit(this.services.limits.loginSeconds);
  }

  /** From now on the password of an account is asked for, an existing or a new one. */
  identify(username: string, exists: boolean): void {
    this.username = username;
    this.#state = exists ? "authenticate" : "register";
  }

  /** The login is done: the user becomes active, and gets what the data channel needs. */
  welcome(id: number, { login, token, last, began, overview: wanted }: WelcomeOptions): void {
    const { services } = this;
    this.#state = "active";
    this.#limit?.[Symbol.dispose]();
    this.#limit = undefined;
    this.#place[Symbol.dispose]();
    this.connection.maxLineBytes = services.limits.lineBytes;
    const data = newParameters(services.protection);
    const active = this.#active = new ActiveSession(this, { username: this.username, login, data });
    const latest = services.journal.last;
    // Who comes back is given what it missed in any case.
    const overview = wanted === undefined
      ? undefined
      : overviewFor(this.username, last === undefined ? wanted : 0, services);
    this.send({
      type: "welcome",
      id,
      username: this.username,
      data,
      latest,
      token,
      overview,
      servers: services.referrals.next(),
    });
    services.referrals.watch(active);
    if (services.trouble !== undefined) this.send({ type: "notice", message: services.trouble });
    if (wanted !== undefined) services.hub.presence.watch(active);
    services.counts.logins[last === undefined ? "new" : "returned"]++;
    const came = last === undefined ? "joined" : "came back";
    services.log(`${this.username} ${came} from ${this.remote}`);
    active.join(last ?? latest, began ?? latest);
  }

  /**
   * Logs the client out as soon as it has acknowledged all that was sent to it: what it has seen must
   * not wait for it at the next login.
   */
  logOut(id: number): void {
    const leave = () => this.end("logged-out", "logged out", { id });
    const active = this.#active;
    if (active === undefined) return leave();
    this.#state = "leaving";
    this.#answers.atMost(0).then(() => {
      const limit = this.services.clock.after(LEAVE_LIMIT_MS, leave);
      active.settled().then(() => {
        limit[Symbol.dispose]();
        leave();
      });
    });
  }

  /**
   * Does work that takes its time, while the client's own time limits stand still: it could be
   * waiting in a long queue.
   *
   * @param job is given a signal that is aborted when the session is over
   */
  async work<T>(job: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#limit?.pause();
    this.#liveness.pause();
    try {
      this.#working ??= new AbortController();
      if (this.#gone) this.#working.abort();
      return await job(this.#working.signal);
    } finally {
      this.#working = undefined;
      if (this.#state !== "ended") this.#limit?.resume();
      this.#liveness.resume();
    }
  }

  /**
   * Ends the session: what is still to be delivered goes out, then the farewell.
   *
   * @param options `id` where it answers a request; `final` where the client must not come back by
   *   itself, which is the default; `servers` where it is to go
   */
  end(
    code: FarewellCode,
    message: string,
    { id, final = true, servers }: {
      id?: number;
      final?: boolean;
      servers?: NamedServer[] | undefined;
    } = {},
  ): void {
    if (this.#state === "ended") return;
    this.#ending = message;
    this.#leave({
      // Who has come back gets it there, and so does who has to come back because too much waits.
      drain: code !== "resumed" && code !== "too-slow",
      forGood: FOR_GOOD.has(code),
    });
    this.send({ type: "farewell", id, code, message, final, servers });
    // The end is seen by whoever reads the connection's lines.
    void this.connection.close();
  }

  /**
   * Ends the session because the server stops; fulfilled when the client has taken the farewell.
   *
   * @param servers where the client is to go at once; undefined where that is nowhere
   */
  async stop(final: boolean, servers?: NamedServer[]): Promise<void> {
    const why = servers === undefined ? "the server was shut down" : "another server takes over";
    this.end("server-closing", why, { final, servers });
    await this.connection.close();
  }

  /** What a commit or another session has to finish is not waited for. */
  serve(record: ClientRecord): void | Promise<void> {
    if (this.#state === "ended") return;
    if (this.#active === undefined && ++this.#earlyRecords > MAX_EARLY_RECORDS) {
      return this.#endEarly();
    }
    const pause = dispatch(this, record);
    if (this.#answers.length < MAX_UNANSWERED) return pause;
    const fewer = () => this.work(() => this.#answers.atMost(MAX_UNANSWERED / 2));
    return pause === undefined ? fewer() : pause.then(fewer);
  }

  /** An acknowledgement waits for no request: nobody would get on if all of them waited for those who are behind. */
  serveEarly(record: ClientRecord): boolean {
    if (record.type !== "ack" || this.#active === undefined) return false;
    // By itself, since what waits for the client's next request would wait once more for each of these.
    if (this.#state !== "ended") dispatch(this, record);
    return true;
  }

  async failed(error: unknown): Promise<void> {
    // What came before is answered first.
    await this.#answers.atMost(0);
    this.#fail(error);
  }

  sendAnswer(id: number, make: () => ServerRecord): void {
    if (this.#state === "ended") return;
    try {
      this.send(make());
    } catch (error) {
      if (!(error instanceof ProtocolError)) return this.#fail(error);
      const { code, message } = error;
      this.send({ type: "error", id, code, message, attempts: undefined });
    }
  }

  /** Before the login there is little to say. */
  #endEarly(): void {
    this.report("refused: too many records before the login");
    this.end("protocol-error", "there were too many records before the login");
  }

  /**
   * Who commands too fast is not served for a while; nothing is lost.
   *
   * @param commands so many count at once
   * @returns undefined where there is nothing to wait for
   */
  keepRate(username: string, commands = 1): Promise<void> | undefined {
    const { clock, hub } = this.services;
    const wait = hub.rates.take(foldUsername(username), commands);
    return wait > 0 ? this.work((signal) => sleep(clock, wait, signal)) : undefined;
  }

  /** What can't be answered to a request ends the session. */
  #fail(error: unknown): void {
    const known = error instanceof ProtocolError;
    // What a client that has gone did wrong is told all the same: it may have closed its side right after it.
    if (this.#state === "ended" || this.#gone && !known) return;
    if (!known) this.services.log(`unforeseen, from ${this.remote}: ${error}`);
    const code: ErrorCode = known ? error.code : "internal";
    const message = known ? error.message : "the server failed at this";
    if (known) this.report(`refused: ${message}`);
    this.send({ type: "error", id: undefined, code, message, attempts: undefined });
    this.end("protocol-error", message);
  }

  /** Nobody waits for what is being done. */
  #abandon(): void {
    this.#gone = true;
    this.#working?.abort();
  }

  #timeLimit(seconds: number): Countdown {
    return new Countdown(this.services.clock, seconds * 1_000, () => {
      this.report("the login took too long");
      this.end("timeout", "the login took too long");
    });
  }

  /**
   * Undoes what the session holds. Doing it twice is fine.
   *
   * @param options those of {@linkcode ActiveSession.leave}
   */
  #leave({ drain = false, forGood = false }: { drain?: boolean; forGood?: boolean } = {}): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#abandon();
    this.#liveness[Symbol.dispose]();
    this.#limit?.[Symbol.dispose]();
    this.#place[Symbol.dispose]();
    if (this.#active === undefined) return;
    this.#active.leave({ drain, forGood });
    const why = this.connection.cutOff ? "it let too much wait" : this.#ending;
    this.services.log(`${this.username} left: ${why}`);
  }
}
