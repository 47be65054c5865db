import { systemClock } from "../../lib/clock.ts";
import { openSocket } from "../../lib/client/connect.ts";
import { ClientSession, type ClientSessionOptions } from "../../lib/client/session.ts";
import type { Endpoint } from "../../lib/net/connection.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import { dialTls } from "../../lib/net/tls_client.ts";
import { type ByteStream, StreamConnection } from "../../lib/net/stream.ts";
import type { DatagramSocket } from "../../lib/net/udp.ts";
import type { Message } from "../../lib/protocol/records.ts";
import { ChatServer } from "../../lib/server/server.ts";
import type { Limits } from "../../lib/server/limits.ts";
import { TempFolder } from "./temp_folder.ts";

/** A server on the loopback interface, in this process, whose password hashes are cheap. */
export class RunningServer implements AsyncDisposable {
  readonly server: ChatServer;
  readonly folder: TempFolder;
  readonly log: string[];
  readonly #clients: RunningClient[] = [];

  private constructor(server: ChatServer, folder: TempFolder, log: string[]) {
    this.server = server;
    this.folder = folder;
    this.log = log;
  }

  static async start(
    limits: Partial<Limits> = {},
    { plain = true }: { plain?: boolean } = {},
  ): Promise<RunningServer> {
    const folder = await TempFolder.create();
    const log: string[] = [];
    const server = await ChatServer.start({
      port: 0,
      hostname: "127.0.0.1",
      folder: folder.path,
      plain,
      // The tests themselves are fast.
      limits: { commandBurst: 100_000, ...limits },
      cost: { ln: 1, r: 8, p: 1 },
      clock: systemClock,
      log: (event) => log.push(event),
    });
    return new RunningServer(server, folder, log);
  }

  get endpoint(): Endpoint {
    return { hostname: "127.0.0.1", port: this.server.port };
  }

  /** A user who is new or has the same password as the name. */
  async join(
    username: string,
    openSocket: ClientSessionOptions["openSocket"] = openUdp,
  ): Promise<RunningClient> {
    const stream = this.server.fingerprint === undefined
      ? await Deno.connect(this.endpoint)
      : await dialTls(this.endpoint, (await loadIdentity(this.folder.path)).certificate);
    const client = await RunningClient.join(stream, username, openSocket);
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close({ final: true });
    await Promise.all(this.#clients.map(({ session }) => session.closed));
    await this.folder[Symbol.asyncDispose]();
  }
}

/** A client in this process. */
export class RunningClient {
  readonly session: ClientSession;
  readonly username: string;
  /** The messages that came and were not taken yet. */
  readonly messages: Message[];
  readonly #arrivals: { notify: () => void };

  private constructor(
    session: ClientSession,
    username: string,
    messages: Message[],
    arrivals: { notify: () => void },
  ) {
    this.session = session;
    this.username = username;
    this.messages = messages;
    this.#arrivals = arrivals;
  }

  static async join(
    stream: ByteStream,
    username: string,
    openSocket: ClientSessionOptions["openSocket"],
  ): Promise<RunningClient> {
    const messages: Message[] = [];
    const arrivals = { notify: () => {} };
    const session = await ClientSession.open(new StreamConnection(stream), {
      clock: systemClock,
      openSocket,
      onMessage: (message) => {
        messages.push(message);
        arrivals.notify();
      },
    });
    const { exists } = await session.identify(username);
    if (exists) await session.authenticate(username);
    else await session.register(username);
    return new RunningClient(session, username, messages, arrivals);
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
