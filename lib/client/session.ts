import type { Clock } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { type Connection, type Endpoint, formatEndpoint } from "../net/connection.ts";
import { legibleLine } from "../console/foreign.ts";
import { Liveness } from "../net/liveness.ts";
import { TlsError } from "../net/stream.ts";
import type { DatagramSocket } from "../net/udp.ts";
import { type ErrorCode, ProtocolError } from "../protocol/errors.ts";
import { HELLO_LIMIT_MS, MAX_SERVER_LINE_BYTES, PROTOCOL_VERSION } from "../protocol/limits.ts";
import {
  type ClientRecord,
  encodeRecord,
  type Message,
  type NamedServer,
  parseServerRecord,
  type PresenceChange,
  type ServerRecord,
  type ServerRecords,
} from "../protocol/records.ts";
import { reasonOf } from "../reasons.ts";
import { VERSION } from "../version.ts";
import { Inbox } from "./inbox.ts";

/** The server refused a request. */
export class RequestError extends Error {
  override name = "RequestError";
  readonly code: ErrorCode;
  /** How many passwords may still be tried, where that is what was refused. */
  readonly attempts: number | undefined;

  constructor({ code, message, attempts }: ServerRecords["error"]) {
    super(legibleLine(message));
    this.code = code;
    this.attempts = attempts;
  }
}

/** The session ended, but the client may come back by itself. */
export class LostError extends ExitError {
  override name = "LostError";

  /** Whether the server said so. */
  readonly told: boolean;
  /** Why; undefined where nobody knows more than that. */
  readonly why: string | undefined;
  /** Where it has sent the client. */
  readonly servers: readonly NamedServer[] | undefined;

  constructor(
    why: string | undefined,
    { told = false, servers }: { told?: boolean; servers?: readonly NamedServer[] | undefined } =
      {},
  ) {
    super(ExitCode.unreachable, why ?? "the connection to the server was lost");
    this.why = why;
    this.told = told;
    this.servers = servers;
  }
}

/** The server has ended the session, and the client must stay away. */
export class FarewellError extends ExitError {
  override name = "FarewellError";
}

/** Options of {@linkcode ClientSession.open}. */
export interface ClientSessionOptions {
  clock: Clock;
  /**
   * Opens the UDP socket, when the login is done.
   *
   * @returns undefined where there can be none: everything then goes over TCP
   */
  openSocket: (local: Endpoint) => DatagramSocket | undefined;
  /** The login is done, or the client has come back; before the first message. */
  onWelcome: (welcome: ServerRecords["welcome"]) => void;
  /** Something was done in a room. @default nobody is told */
  onRoom?: (news: ServerRecords["room"]) => void;
  /** The text of a message was deleted. */
  onDeleted?: (deletion: ServerRecords["deleted"]) => void;
  /** Somebody has come, or gone. @default nobody is told */
  onPresence?: (presence: PresenceChange) => void;
  /** The server names others than in its welcome. @default nobody is told */
  onServers?: (servers: readonly NamedServer[]) => void;
  /** The server has something to say to its users. @default nobody is told */
  onNotice?: (message: string) => void;
  /**
   * Takes a message: each once, in order.
   *
   * @default none is taken, and none acknowledged: direct ones wait for another session of the user
   */
  onMessage?: ((message: Message) => void) | undefined;
}

/** What asks the server for something; its answer has the same id. */
export type Request = Extract<ClientRecord, { id: number }>;

/** The types of the records that answer requests. */
export type AnswerType = Exclude<
  Extract<ServerRecord, { id?: number | undefined }>["type"],
  "error"
>;

interface Pending {
  resolve: (record: ServerRecord) => void;
  reject: (error: unknown) => void;
}

/** One connection to a server, from the hellos to the end: requests, answers and messages. */
export class ClientSession {
  readonly #connection: Connection;
  readonly #options: ClientSessionOptions;
  readonly #liveness: Liveness;
  readonly #pending = new Map<number, Pending>();
  readonly #end = new AbortController();
  readonly #hello = Promise.withResolvers<void>();
  #greeted = false;
  #inbox: Inbox | undefined;
  #socket: DatagramSocket | undefined;
  /** Fulfilled when the connection is closed, for whatever reason. */
  readonly closed: Promise<void>;

  private constructor(connection: Connection, options: ClientSessionOptions) {
    this.#connection = connection;
    connection.maxLineBytes = MAX_SERVER_LINE_BYTES;
    this.#options = options;
    this.#liveness = new Liveness({ clock: options.clock }, {
      ping: () => this.#send({ type: "ping" }),
      dead: () => this.#lose("nothing was heard of the server for too long"),
    });
    this.#hello.promise.catch(() => {});
    this.closed = this.#run();
  }

  /**
   * Greets the server on a new connection.
   *
   * @throws {ExitError} `unreachable`, where it is no chat server; `refused`, where it speaks another
   *   version of the protocol
   */
  static async open(
    connection: Connection,
    options: ClientSessionOptions,
  ): Promise<ClientSession> {
    const session = new ClientSession(connection, options);
    using _limit = options.clock.after(
      HELLO_LIMIT_MS,
      () => session.#finish(session.#notAChatServer("it says nothing")),
    );
    await session.#hello.promise;
    return session;
  }

  /** Aborted when the session is over; its reason is the {@linkcode ExitError} that says why. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Whether messages come by UDP. */
  get bound(): boolean {
    return this.#inbox?.bound ?? false;
  }

  /** Ends the connection without a word. */
  abort(): void {
    this.#finish(new ExitError(ExitCode.done, "the connection was ended"));
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws {RequestError} where the server refuses it
   * @throws {ExitError} where the session ends before the answer
   */
  async request<T extends AnswerType>(request: Request, answer: T): Promise<ServerRecords[T]> {
    this.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<ServerRecord>();
    this.#pending.set(request.id, { resolve, reject });
    this.#send(request);
    const record = await promise;
    if (record.type === "error") throw new RequestError(record);
    if (record.type !== answer) {
      throw new Error(`Cannot use a "${record.type}" as the answer to "${request.type}"`);
    }
    return record as ServerRecords[T];
  }

  async #run(): Promise<void> {
    this.#send({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      software: `chatclient/${VERSION}`,
    });
    try {
      for await (const lines of this.#connection.batches()) {
        this.#liveness.heard();
        for (const line of lines) {
          const record = parseServerRecord(line);
          if (record === undefined && this.#greeted) continue;
          this.#take(record);
          // Whoever waited for the welcome is ready for messages before the first is acknowledged.
          if (record?.type === "welcome") await this.#turn();
        }
      }
      this.#lose();
    } catch (error) {
      this.#fail(error);
    } finally {
      await this.#connection.close();
    }
  }

  /** Fulfilled when this turn of the loop has done its work. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.soon(resolve));
  }

  #take(record: ServerRecord | undefined): void {
    if (!this.#greeted || record === undefined) return this.#greet(record);
    switch (record.type) {
      case "deliver":
        return this.#inbox?.receiveRecord(record.number, record.messages);
      case "ping":
        return this.#send({ type: "pong" });
      case "pong":
        return;
      case "room":
        return this.#options.onRoom?.(record);
      case "deleted":
        return this.#options.onDeleted?.(record);
      case "presence":
        return this.#options.onPresence?.(record);
      case "servers":
        this.#liveness.impatient = record.servers.length > 0;
        return this.#options.onServers?.(record.servers);
      case "notice":
        return this.#options.onNotice?.(record.message);
      case "welcome":
        this.#openInbox(record.data);
        this.#liveness.impatient = (record.servers?.length ?? 0) > 0;
        this.#options.onWelcome(record);
        break;
      case "farewell":
        this.#answer(record);
        return this.#finish(endOf(record));
    }
    this.#answer(record);
  }

  #greet(record: ServerRecord | undefined): void {
    if (record?.type !== "hello") {
      return this.#finish(this.#notAChatServer("it does not say hello"));
    }
    if (record.protocol !== PROTOCOL_VERSION) {
      return this.#finish(
        new ExitError(
          ExitCode.refused,
          `the server (${
            legibleLine(record.software)
          }) speaks protocol version ${record.protocol}, ` +
            `this client version ${PROTOCOL_VERSION}: take the client that belongs to the server`,
        ),
      );
    }
    this.#greeted = true;
    this.#hello.resolve();
  }

  #answer(record: ServerRecord): void {
    if (!("id" in record) || record.id === undefined) return;
    this.#pending.get(record.id)?.resolve(record);
    this.#pending.delete(record.id);
  }

  #openInbox(parameters: ServerRecords["welcome"]["data"]): void {
    const { clock, openSocket, onMessage } = this.#options;
    if (onMessage === undefined) return;
    const socket = this.#socket = openSocket(this.#connection.local);
    const inbox = this.#inbox = new Inbox({
      clock,
      parameters,
      sendAck: (delivered) => this.#send({ type: "ack", delivered }),
      sendDatagram: (datagram) => socket?.send(datagram, this.#connection.remote),
      onMessage,
    });
    if (socket !== undefined) {
      const receive = (datagram: Uint8Array) => inbox.receiveDatagram(datagram);
      socket.receive(receive).catch((error) => this.#fail(error));
    }
  }

  #send(record: ClientRecord): void {
    this.#connection.send(encodeRecord(record));
  }

  #lose(why?: string): void {
    const reason = new LostError(why);
    this.#finish(this.#greeted ? reason : this.#notAChatServer(reason.message));
  }

  #fail(error: unknown): void {
    if (error instanceof TlsError) {
      const server = formatEndpoint(this.#connection.remote);
      this.#finish(
        new ExitError(ExitCode.refused, `the server at ${server} speaks TLS: leave --plain out`),
      );
    } else if (error instanceof ProtocolError) {
      const why = `the server can't be understood: ${legibleLine(error.message)}`;
      this.#finish(
        this.#greeted
          ? new ExitError(ExitCode.unreachable, why)
          : this.#notAChatServer("another program answers there. Is the port right?", {
            cause: error,
          }),
      );
    } else {
      this.#finish(
        error instanceof ExitError
          ? error
          : new ExitError(ExitCode.unforeseen, `unforeseen: ${reasonOf(error)}`, { cause: error }),
      );
    }
  }

  #notAChatServer(why: string, options: ErrorOptions = {}): ExitError {
    const server = formatEndpoint(this.#connection.remote);
    return new ExitError(ExitCode.unreachable, `${server} is no chat server: ${why}`, options);
  }

  /** The session is over. Only the first reason counts. */
  #finish(reason: ExitError): void {
    if (this.signal.aborted) return;
    this.#end.abort(reason);
    this.#liveness[Symbol.dispose]();
    this.#inbox?.[Symbol.dispose]();
    this.#socket?.[Symbol.dispose]();
    this.#hello.reject(reason);
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    void this.#connection.close();
  }
}

/** What a farewell means to the client's user. */
function endOf({ code, message: said, final, servers }: ServerRecords["farewell"]): ExitError {
  const message = legibleLine(said);
  if (!final) return new LostError(message, { told: true, servers });
  switch (code) {
    case "logged-out":
      return new FarewellError(ExitCode.done, message);
    case "account-changed":
    case "banned":
    case "kicked":
    case "too-many-attempts":
      return new FarewellError(ExitCode.refused, message);
    case "protocol-error":
      return new FarewellError(ExitCode.unforeseen, `the server ended the connection: ${message}`);
    default:
      return new FarewellError(ExitCode.unreachable, `the server ended the connection: ${message}`);
  }
}
