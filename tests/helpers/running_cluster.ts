import { systemClock } from "../../lib/clock.ts";
import type { ClusterOptions } from "../../lib/cluster/cluster.ts";
import { ChatClient } from "../../lib/client/client.ts";
import { StreamConnection } from "../../lib/net/stream.ts";
import type { Limits } from "../../lib/server/limits.ts";
import { ChatServer } from "../../lib/server/server.ts";
import { BreakableStream } from "./breakable_stream.ts";
import { oneServer } from "./one_server.ts";
import { NatsServer } from "./nats.ts";
import { openUdp, RunningClient } from "./running_server.ts";
import { TempFolder } from "./temp_folder.ts";

/** One server of a cluster, in this process. */
export interface RunningNode {
  server: ChatServer;
  folder: TempFolder;
  log: string[];
}

/** A client that comes back to the server that it is told. */
export interface MovingClient extends RunningClient {
  /** Loses the connection, and goes to another server. */
  move(to: number): Promise<void>;
}

/** Servers that are one chat, in this process, with one NATS. */
export class RunningCluster implements AsyncDisposable {
  readonly nats: NatsServer;
  readonly nodes: RunningNode[] = [];
  readonly #clients: RunningClient[] = [];
  readonly #limits: Partial<Limits>;

  private constructor(nats: NatsServer, limits: Partial<Limits>) {
    this.nats = nats;
    this.#limits = limits;
  }

  static async start(count: number, limits: Partial<Limits> = {}): Promise<RunningCluster> {
    const cluster = new RunningCluster(await NatsServer.start(), limits);
    for (let i = 0; i < count; i++) await cluster.add(await TempFolder.create());
    return cluster;
  }

  /** Starts one more server, with a data folder. */
  async add(folder: TempFolder, options: Partial<ClusterOptions> = {}): Promise<RunningNode> {
    const log: string[] = [];
    const server = await ChatServer.start({
      port: 0,
      hostname: "127.0.0.1",
      folder: folder.path,
      plain: true,
      limits: { commandBurst: 100_000, registrationBurst: 100_000, ...this.#limits },
      cost: { ln: 1, r: 8, p: 1 },
      clock: systemClock,
      log: (event) => log.push(event),
      cluster: { servers: [this.nats.address], ...options },
    });
    const node = { server, folder, log };
    this.nodes.push(node);
    return node;
  }

  /** Stops a server, and starts it again. */
  async restart(i: number, meanwhile: (folder: TempFolder) => Promise<void>): Promise<void> {
    const { server, folder } = this.nodes[i]!;
    await server.close({ final: false });
    await meanwhile(folder);
    await this.add(folder);
    this.nodes.splice(i, 1, this.nodes.pop()!);
  }

  /** A user who is new, or has the same password as the name, at a server. */
  async join(i: number, username: string): Promise<MovingClient> {
    let at = i;
    let stream: BreakableStream | undefined;
    const dial = async () => {
      const { port } = this.nodes[at]!.server;
      return stream = new BreakableStream(await Deno.connect({ hostname: "127.0.0.1", port }));
    };
    const client = await RunningClient.join(dial, username, openUdp);
    this.#clients.push(client);
    let times = 0;
    return Object.assign(client, {
      move: async (to: number) => {
        at = to;
        stream!.cut();
        await client.back(++times);
      },
    });
  }

  /** A client that is not logged in, and never comes back. */
  async connect(i: number, onNotice: (message: string) => void = () => {}): Promise<ChatClient> {
    const { port } = this.nodes[i]!.server;
    return await ChatClient.open({
      clock: systemClock,
      random: () => 0,
      servers: oneServer(async () =>
        new StreamConnection(await Deno.connect({ hostname: "127.0.0.1", port }))
      ),
      openSocket: () => undefined,
      onLost: () => {},
      onBack: () => {},
      onNotice,
    });
  }

  /** The lines of a server's `credentials.txt`. */
  async credentials(i: number): Promise<string[]> {
    const text = await Deno.readTextFile(this.nodes[i]!.folder.file("credentials.txt"))
      .catch(() => "");
    return text.split("\n").filter((line) => line !== "").toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { server } of this.nodes) await server.close({ final: true });
    for (const { chat } of this.#clients) chat.abort();
    await Promise.all(this.#clients.map(({ chat }) => chat.closed));
    for (const { folder } of this.nodes) await folder[Symbol.asyncDispose]();
    await this.nats[Symbol.asyncDispose]();
  }
}

/** Waits until something holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
