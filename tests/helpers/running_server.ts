import { type Clock, systemClock } from "../../lib/clock.ts";
import { ChatClient, type ChatClientOptions } from "../../lib/client/client.ts";
import { openSocket } from "../../lib/client/connect.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import type { Endpoint } from "../../lib/net/connection.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import { dialTls } from "../../lib/net/tls_client.ts";
import { type ByteStream, StreamConnection } from "../../lib/net/stream.ts";
import type { DatagramSocket } from "../../lib/net/udp.ts";
import type { Message } from "../../lib/protocol/records.ts";
import { ChatServer } from "../../lib/server/server.ts";
import type { Limits } from "../../lib/server/limits.ts";
import { BreakableStream } from "./breakable_stream.ts";
import { oneServer } from "./one_server.ts";
import { TempFolder } from "./temp_folder.ts";

type StartServer = (port: number) => Promise<ChatServer>;

/** Options of {@linkcode RunningServer.start}. */
export interface RunningServerOptions {
  /** @default true */
  plain?: boolean;
  /** @default the system's */
  clock?: Clock;
  /** Is called with each line of the log. */
  onEvent?: (event: string) => void;
}

/** A server on the loopback interface, in this process, whose password hashes are cheap. */
export class RunningServer implements AsyncDisposable {
  readonly #start: StartServer;
  #server: ChatServer;
  readonly folder: TempFolder;
  readonly log: string[];
  readonly #clients: RunningClient[] = [];

  private constructor(start: StartServer, server: ChatServer, folder: TempFolder, log: string[]) {
    this.#start = start;
    this.#server = server;
    this.folder = folder;
    this.log = log;
  }

  static async start(
    limits: Partial<Limits> = {},
    { plain = true, clock = systemClock, onEvent = () => {} }: RunningServerOptions = {},
  ): Promise<RunningServer> {
    const folder = await TempFolder.create();
    const log: string[] = [];
    const start: StartServer = (port) =>
      ChatServer.start({
        port,
        hostname: "127.0.0.1",
        folder: folder.path,
        plain,
        // The tests themselves are fast.
        limits: { commandBurst: 100_000, ...limits },
        cost: { ln: 1, r: 8, p: 1 },
        clock,
        log: (event) => {
          log.push(event);
          onEvent(event);
        },
      });
    return new RunningServer(start, await start(0), folder, log);
  }

  get server(): ChatServer {
    return this.#server;
  }

  /** Stops the server and starts it again on the same port; `meanwhile` happens in between. */
  async restart(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    const { port } = this.server;
    await this.server.close({ final: false });
    await meanwhile();
    this.#server = await this.#start(port);
  }

  get endpoint(): Endpoint {
    return { hostname: "127.0.0.1", port: this.server.port };
  }

  /**
   * A user who is new or has the same password as the name.
   *
   * @param onDial is given each plain connection that the client opens
   */
  async join(
    username: string,
    openSocket: ChatClientOptions["openSocket"] = openUdp,
    onDial: (stream: BreakableStream) => void = () => {},
  ): Promise<RunningClient> {
    const { certificate } = this.server.fingerprint === undefined
      ? { certificate: undefined }
      : await loadIdentity(this.folder.path);
    const dial = async () => {
      if (certificate !== undefined) return await dialTls(this.endpoint, certificate);
      const stream = new BreakableStream(await Deno.connect(this.endpoint));
      onDial(stream);
      return stream;
    };
    const client = await RunningClient.join(dial, username, openSocket);
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close({ final: true });
    for (const { chat } of this.#clients) chat.abort();
    await Promise.all(this.#clients.map(({ chat }) => chat.closed));
    await this.folder[Symbol.asyncDispose]();
  }
}

/** A client in this process. */
export class RunningClient {
  readonly chat: ChatClient;
  readonly username: string;
  /** The messages that came and were not taken yet. */
  readonly messages: Message[];
  /** What the user was told of the connection. */
  readonly notices: string[];
  /** What the server said to its users. */
  readonly told: string[];
  readonly #arrivals: { notify: () => void };

  private constructor(
    chat: ChatClient,
    username: string,
    { messages, notices, told, arrivals }: Pick<RunningClient, "messages" | "notices" | "told"> & {
      arrivals: { notify: () => void };
    },
  ) {
    this.chat = chat;
    this.username = username;
    this.messages = messages;
    this.notices = notices;
    this.told = told;
    this.#arrivals = arrivals;
  }

  /** @param dial opens a connection; a client that comes back calls it again */
  static async join(
    dial: () => Promise<ByteStream>,
    username: string,
    openSocket: ChatClientOptions["openSocket"],
  ): Promise<RunningClient> {
    const messages: Message[] = [];
    const notices: string[] = [];
    const told: string[] = [];
    const arrivals = { notify: () => {} };
    const chat = await ChatClient.open({
      clock: systemClock,
      random: () => 0,
      servers: oneServer(async () => {
        try {
          return new StreamConnection(await dial());
        } catch (cause) {
          throw new ExitError(ExitCode.unreachable, "nobody is there", { cause });
        }
      }),
      openSocket,
      onMessage: (message) => {
        messages.push(message);
        arrivals.notify();
      },
      onLost: ({ message }) => notices.push(message),
      onNotice: (message) => told.push(message),
      onBack: () => {
        notices.push("back");
        arrivals.notify();
      },
    });
    const { exists } = await chat.identify(username);
    if (exists) await chat.authenticate(username);
    else await chat.register(username);
    return new RunningClient(chat, username, { messages, notices, told, arrivals });
  }

  /** Waits until the client has come back so many times. */
  async back(times: number): Promise<void> {
    while (this.notices.filter((notice) => notice === "back").length < times) {
      await new Promise<void>((resolve) => this.#arrivals.notify = resolve);
    }
  }

  /** Waits until `count` messages have come. */
  async received(count: number): Promise<Message[]> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => this.#arrivals.notify = resolve);
    }
    return this.messages;
  }
}

/** A UDP socket as the client opens it. */
export function openUdp(local: Endpoint): DatagramSocket {
  const socket = openSocket(local);
  if (socket === undefined) throw new Error("There is no UDP to be had");
  return socket;
}
