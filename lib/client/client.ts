import { abortable } from "@std/async/abortable";
import { type Clock, sleep } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { type Endpoint, formatEndpoint } from "../net/connection.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { MAX_OUTSTANDING } from "../protocol/limits.ts";
import { RecentMap } from "../protocol/recent_map.ts";
import { RecentSet } from "../protocol/recent_set.ts";
import type {
  ClientRecord,
  Message,
  Overview,
  PresenceChange,
  ServerRecords,
} from "../protocol/records.ts";
import { Backoff } from "./backoff.ts";
import { ChatRequests, type Unnumbered } from "./requests.ts";
import {
  type AnswerType,
  ClientSession,
  type ClientSessionOptions,
  FarewellError,
  LostError,
  type Request,
  RequestError,
} from "./session.ts";
import type { Server, ServerChoice } from "./servers.ts";

/** For so long a client tries to come back, in milliseconds: then its token has ended. */
const RETURN_LIMIT_MS = 24 * 3_600_000;
/** A session that lasted for so long was a good one, in milliseconds. */
const STABLE_MS = 30_000;
/** One that lasted for so long may be followed by another one at once, where the server says so. In milliseconds. */
const SETTLED_MS = 5_000;
/** How long the server may take to answer the logout, in milliseconds. */
const LEAVE_LIMIT_MS = 3_000;
/** What may be better at the next attempt to come back. */
const TEMPORARY: ReadonlySet<ErrorCode> = new Set([
  "internal",
  "not-readable",
  "too-many-sessions",
]);
/** What ends the client when some servers say it in so many rounds, and the others are not there. */
const REFUSED_ROUNDS = 5;
/** So many messages to one or in rooms are known to have been shown: more than may be unacknowledged. */
const SHOWN = 4 * MAX_OUTSTANDING;
/** So many messages are known to have been deleted. */
const DELETED = 1_000;

/** Options of {@linkcode ChatClient.open}. */
export interface ChatClientOptions {
  clock: Clock;
  /** Numbers from 0 to 1. */
  random: () => number;
  /** Where to connect to. */
  servers: ServerChoice;
  openSocket: ClientSessionOptions["openSocket"];
  /**
   * Takes a message: each once. It is `late` where the client was away when it was sent, too.
   *
   * @default none is taken, and none acknowledged: direct ones wait for another session of the user
   */
  onMessage?: (message: Message) => void;
  /** The connection was lost, and the client tries to come back. */
  onLost: (reason: LostError) => void;
  /** The client has come back, or another server has taken over. */
  onBack: (returned: Return) => void;
  /** So many messages are asked for in an overview at each login. @default no overview, no `onPresence` */
  overview?: () => number | undefined;
  /** Something was done in a room of the user's, or to the user. @default nobody is told */
  onRoom?: (news: ServerRecords["room"]) => void;
  /** The text of a message was deleted; one that comes later has none. @default nobody is told */
  onDeleted?: (deletion: ServerRecords["deleted"]) => void;
  /** Somebody has come, or gone. @default nobody is told */
  onPresence?: (presence: PresenceChange) => void;
  /** The server has something to say to its users. @default nobody is told */
  onNotice?: (message: string) => void;
}

/** How a client has come back. */
export interface Return {
  /** Where one was asked for. */
  overview?: Overview | undefined;
  /** The server, where it is another one than before. */
  server?: Endpoint | undefined;
  /** Whether the server before it has sent the client there: then nothing was said of a loss. */
  sent: boolean;
}

/** No server takes the client. */
class NobodyError extends ExitError {
  override name = "NobodyError";
  /** Why each does not. */
  readonly errors: readonly unknown[];

  constructor(errors: readonly unknown[]) {
    const why = errors.map((error) => (error as Error).message).join("; ");
    super(ExitCode.unreachable, `none of the ${errors.length} servers can be joined: ${why}`);
    this.errors = errors;
  }
}

/**
 * A user's presence in a chat, through any number of connections: it comes back by itself, shows each
 * message once, and sends again what was not answered.
 */
export class ChatClient extends ChatRequests {
  readonly #options: ChatClientOptions;
  readonly #end = new AbortController();
  /** The session that is there, or the next one; rejected when there is none any more. */
  #session: Promise<ClientSession>;
  /** The one that was there last. */
  #current: ClientSession | undefined;
  #lastId = 0;
  #username = "";
  #token: string | undefined;
  /** The highest id that was shown of messages that were not late. */
  #last = 0;
  /** Up to here messages were sent while the client was away. */
  #missedUpTo = 0;
  #backoff: Backoff;
  /** Which server the client is connected to, or was. */
  #server: Endpoint | undefined;
  /** Where the welcome came from that was the last. */
  #welcomedBy: Endpoint | undefined;
  /** Whether a server has sent the client to another one. */
  #sent = false;
  /** When the session of the moment began. */
  #attachedAt = 0;
  readonly #shown = new RecentSet<number>(SHOWN);
  /** Who has deleted messages that may be on their way still, by their ids. */
  readonly #deleted = new RecentMap<number, string>(DELETED);
  #leaving = false;
  readonly #closed = Promise.withResolvers<void>();

  private constructor(options: ChatClientOptions) {
    super();
    this.#options = options;
    this.#backoff = new Backoff(options.random);
    this.#session = this.#connect().then((session) => this.#attach(session));
    this.#session.catch(() => {});
  }

  /**
   * Connects to a server and greets it.
   *
   * @throws {ExitError} `unreachable`, where nobody or something else answers; `identity`, where the
   *   server is not who it should be; `refused`, where it speaks another version of the protocol
   */
  static async open(options: ChatClientOptions): Promise<ChatClient> {
    const client = new ChatClient(options);
    await client.#session;
    return client;
  }

  /** Aborted when it is all over; its reason is the {@linkcode ExitError} that says why. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Whether there is a connection at present. */
  get connected(): boolean {
    return this.#current !== undefined && !this.#current.signal.aborted;
  }

  /** Whether messages come by UDP. */
  get bound(): boolean {
    return this.#current?.bound ?? false;
  }

  /** Fulfilled when it is all over and the last connection is closed. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /**
   * Logs out. When it is fulfilled, every pending message has been given to `onMessage`.
   *
   * @throws {ExitError} `unreachable`, where the server does not answer in time
   */
  async logout(): Promise<void> {
    this.#leaving = true;
    const tooLate = new ExitError(ExitCode.unreachable, "the server did not answer the logout");
    using _limit = this.#options.clock.after(LEAVE_LIMIT_MS, () => this.#finish(tooLate));
    try {
      await abortable(this.request({ type: "logout" }, "farewell"), this.signal);
    } catch (error) {
      if (!isDone(this.signal.reason)) throw error;
    }
    await this.closed;
  }

  /** Ends the connection without a word. */
  abort(): void {
    this.#finish(new ExitError(ExitCode.done, "the connection was ended"));
  }

  protected get overviewWanted(): number | undefined {
    return this.#options.overview?.();
  }

  /** However many sessions it takes. */
  protected async request<T extends AnswerType>(
    request: Unnumbered<ClientRecord>,
    answer: T,
  ): Promise<ServerRecords[T]> {
    const numbered = { ...request, id: ++this.#lastId } as Request;
    for (;;) {
      const session = await this.#session;
      try {
        return await session.request(numbered, answer);
      } catch (error) {
        // With the next session it goes out again, and the server knows it by its id.
        if (!(error instanceof LostError) || this.signal.aborted) throw error;
      }
    }
  }

  /**
   * Connects to the first server that takes the client.
   *
   * @param enter what else it has to do
   */
  async #connect(
    enter = (session: ClientSession) => Promise.resolve(session),
  ): Promise<ClientSession> {
    const errors: unknown[] = [];
    for (const server of this.#options.servers.round()) {
      try {
        return await enter(await this.#greet(server));
      } catch (error) {
        this.signal.throwIfAborted();
        // Before anything is known of a chat, an alarm is not passed over.
        if (this.#token === undefined && isAlarm(error)) throw error;
        errors.push(error);
      }
    }
    throw errors.length === 1 ? errors[0] : new NobodyError(errors);
  }

  async #greet(server: Server): Promise<ClientSession> {
    const { clock, openSocket, servers, onMessage } = this.#options;
    const session = await ClientSession.open(await server.dial(), {
      clock,
      openSocket,
      onWelcome: (welcome) => this.#welcome(welcome),
      onMessage: onMessage && ((message) => this.#receive(message, onMessage)),
      onRoom: (news) => this.#options.onRoom?.(news),
      onDeleted: (deletion) => {
        this.#deleted.set(deletion.message, deletion.by);
        this.#options.onDeleted?.(deletion);
      },
      onPresence: (presence) => this.#options.onPresence?.(presence),
      onServers: (named) => void servers.learn(named, { welcome: false }),
      onNotice: (message) => this.#options.onNotice?.(message),
    });
    if (this.signal.aborted) session.abort();
    servers.joined(server);
    this.#server = server.endpoint;
    return session;
  }

  /** From now on this session is the one that is there. */
  #attach(session: ClientSession): ClientSession {
    const { signal } = session;
    this.#current = session;
    this.#attachedAt = this.#options.clock.now();
    const ended = () => this.#lose(signal.reason);
    if (signal.aborted) ended();
    else signal.addEventListener("abort", ended, { once: true });
    return session;
  }

  #welcome({ username, token, latest, overview, servers = [] }: ServerRecords["welcome"]): void {
    void this.#options.servers.learn(servers, { welcome: true });
    const [before, now] = [this.#welcomedBy, this.#server!];
    this.#welcomedBy = now;
    if (this.#token !== undefined) {
      this.#missedUpTo = latest;
      const same = formatEndpoint(before!) === formatEndpoint(now);
      return this.#options.onBack({ overview, server: same ? undefined : now, sent: this.#sent });
    }
    this.#username = username;
    this.#token = token;
    this.#last = latest;
  }

  /** What may have been shown before is late, or has no higher id than all before. */
  #receive(message: Message, onMessage: (message: Message) => void): void {
    const { id, to, room, late } = message;
    const known = this.#shown.has(id) || !late && id <= this.#last;
    if (!late) this.#last = Math.max(this.#last, id);
    if (known) return;
    if (to !== undefined || room !== undefined) this.#shown.add(id);
    const deleted = this.#deleted.get(id);
    const allowed = deleted === undefined ? message : { ...message, text: "", deleted };
    onMessage(id <= this.#missedUpTo ? { ...allowed, late: true } : allowed);
  }

  /** The session has ended. */
  #lose(reason: ExitError): void {
    if (this.signal.aborted) return;
    if (!(reason instanceof LostError) || this.#token === undefined) return this.#finish(reason);
    const { clock, random, servers, onLost } = this.#options;
    // A server that lets the client in and then sends it away must not have it back at once for ever.
    const lasted = clock.now() - this.#attachedAt;
    const refused = reason.told && lasted < STABLE_MS;
    if (!refused) this.#backoff = new Backoff(random);
    if (reason.servers !== undefined) void servers.learn(reason.servers, { welcome: false });
    this.#sent = reason.servers !== undefined && lasted >= SETTLED_MS;
    if (!this.#sent) onLost(reason);
    this.#session = this.#comeBack(this.#token, reason);
    this.#session.catch((error) => this.#finish(error));
  }

  async #comeBack(token: string, reason: LostError): Promise<ClientSession> {
    const { clock, onLost } = this.#options;
    const giveUpAt = clock.now() + RETURN_LIMIT_MS;
    for (let refusals = 0;;) {
      if (!this.#sent) await sleep(clock, this.#backoff.next(), this.signal);
      try {
        return this.#attach(await this.#connect((session) => this.#resume(session, token)));
      } catch (error) {
        this.signal.throwIfAborted();
        const errors = error instanceof NobodyError ? error.errors : [error];
        const refusal = errors.find((error) => !isTemporary(error) && !isAlarm(error));
        refusals = refusal === undefined ? 0 : refusals + 1;
        const all = !errors.some(isTemporary);
        if (all) throw this.#endOf(refusal ?? errors[0]);
        if (refusals >= REFUSED_ROUNDS) throw this.#endOf(refusal);
        if (clock.now() > giveUpAt) throw error;
        if (this.#sent) onLost(reason);
        this.#sent = false;
      }
    }
  }

  async #resume(session: ClientSession, token: string): Promise<ClientSession> {
    const [id, username, last] = [++this.#lastId, this.#username, this.#last];
    try {
      const overview = this.overviewWanted;
      await session.request({ type: "resume", id, username, token, last, overview }, "welcome");
      return session;
    } catch (error) {
      session.abort();
      throw error;
    }
  }

  /** What it means for the user that there is no way back. */
  #endOf(error: unknown): unknown {
    if (!(error instanceof RequestError)) return error;
    // The server knows of the logout, and the client does not.
    if (this.#leaving && error.code === "bad-token") {
      return new ExitError(ExitCode.done, "logged out");
    }
    if (error.code === "banned") {
      return new ExitError(ExitCode.refused, error.message, { cause: error });
    }
    return new ExitError(
      ExitCode.refused,
      `the server does not let you back in without your password: ${error.message}`,
      { cause: error },
    );
  }

  /** It is all over. Only the first reason counts. */
  #finish(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#end.abort(reason);
    this.#session = Promise.reject(reason);
    this.#session.catch(() => {});
    this.#current?.abort();
    this.#closed.resolve(this.#current?.closed);
  }
}

function isDone(reason: unknown): boolean {
  return reason instanceof ExitError && reason.exitCode === ExitCode.done;
}

/** Whether a server is not who it should be. */
function isAlarm(error: unknown): boolean {
  return error instanceof ExitError && error.exitCode === ExitCode.identity;
}

/** Whether another attempt may go better. */
function isTemporary(error: unknown): boolean {
  if (error instanceof RequestError) return TEMPORARY.has(error.code);
  if (error instanceof FarewellError) return false;
  return error instanceof ExitError && error.exitCode === ExitCode.unreachable;
}
