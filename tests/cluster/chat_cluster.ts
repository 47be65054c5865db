import { connect, jetstreamManager } from "../../lib/cluster/nats.ts";
import type { Endpoint } from "../../lib/net/connection.ts";
import { NatsServer } from "../helpers/nats.ts";
import { makeAccounts, Program } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { Crowd } from "./crowd.ts";

const COUNT = 3;

/** Where the processes of a cluster run: on the loopback interface, or each pair of them in a namespace of its own. */
export interface Site {
  /** The address of a NATS server and the chat server beside it. */
  hosts: readonly string[];
  /** What starts a process there, such as `ip netns exec NAME`. */
  launchers: readonly (readonly string[])[];
}

const LOOPBACK: Site = {
  hosts: Array.from({ length: COUNT }, () => "127.0.0.1"),
  launchers: Array.from({ length: COUNT }, () => []),
};

/** One chat server's process. */
interface Node {
  folder: TempFolder;
  program: Program;
  port: number;
}

/** Three chat servers and three NATS servers, each a process, and clients that are spread over them. */
export class ChatCluster implements AsyncDisposable {
  readonly nats: readonly NatsServer[];
  readonly crowd: Crowd;
  readonly #nodes: Node[];
  readonly #site: Site;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    { nats, nodes, crowd, site, resources }: {
      nats: readonly NatsServer[];
      nodes: Node[];
      crowd: Crowd;
      site: Site;
      resources: AsyncDisposableStack;
    },
  ) {
    this.nats = nats;
    this.#nodes = nodes;
    this.crowd = crowd;
    this.#site = site;
    this.#resources = resources;
  }

  /** Starts all of it, with accounts, and logs everybody in. */
  static async start(clients: number, site = LOOPBACK): Promise<ChatCluster> {
    await using opened = new AsyncDisposableStack();
    const nats = await NatsServer.startCluster(COUNT, site);
    for (const server of nats) opened.use(server);
    const folders: TempFolder[] = [];
    for (let i = 0; i < COUNT; i++) folders.push(opened.use(await TempFolder.create()));
    const names = Array.from({ length: clients }, (_, i) => `user${i}`);
    // The first one brings them to the others.
    await makeAccounts(folders[0]!.path, names);
    const nodes: Node[] = [];
    opened.defer(async () => {
      for (const { program } of nodes) await program[Symbol.asyncDispose]();
    });
    for (const [i, folder] of folders.entries()) {
      nodes.push({ folder, ...await startServer({ nats, site, i, folder, port: 0 }) });
    }
    const endpoints = nodes.map(({ port }, i) => ({ hostname: site.hosts[i]!, port }));
    for (const folder of folders) await fileHas(folder, clients);
    const crowd = opened.use(await Crowd.join(names, endpoints));
    return new ChatCluster({ nats, nodes, crowd, site, resources: opened.move() });
  }

  get endpoints(): Endpoint[] {
    return this.#nodes.map(({ port }, i) => ({ hostname: this.#site.hosts[i]!, port }));
  }

  /** `kill -9` of a chat server. */
  async kill(i: number): Promise<void> {
    const { program } = this.#nodes[i]!;
    program.kill("SIGKILL");
    await program.exitCode();
  }

  /** Starts a chat server again, on its old port. */
  async restart(i: number): Promise<void> {
    const { folder, port } = this.#nodes[i]!;
    const { nats } = this;
    const started = await startServer({ nats, site: this.#site, i, folder, port });
    this.#nodes[i] = { folder, ...started };
  }

  folder(i: number): TempFolder {
    return this.#nodes[i]!.folder;
  }

  log(i: number): string {
    return this.#nodes[i]!.program.stderr;
  }

  /** The place of the NATS server that leads the stream. */
  async leader(): Promise<number> {
    for (const { address } of this.nats) {
      try {
        await using connection = await connect({ servers: address, reconnect: false });
        const { streams } = await jetstreamManager(connection);
        const { cluster } = await streams.info("chat");
        if (cluster?.leader !== undefined) return Number(cluster.leader.slice(1));
      } catch {
        // It does not run, or knows of no leader.
      }
    }
    throw new Error("The stream has no leader");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function startServer(
  { nats, site, i, folder, port }: {
    nats: readonly NatsServer[];
    site: Site;
    i: number;
    folder: TempFolder;
    port: number;
  },
): Promise<Omit<Node, "folder">> {
  // The one beside it comes first.
  const addresses = [nats[i]!, ...nats].map(({ address }) => `nats://${address}`);
  const program = Program.start("server", [
    ...[`${port}`, "--plain", "--hidden", "--host", site.hosts[i]!, "--data", folder.path],
    ...["--cluster", addresses.join()],
    ...["--command-burst", "10000", "--commands-per-second", "1000"],
  ], { launcher: site.launchers[i]! });
  const [, chosen] = await program.match(/on port (\d+)\nServer ready to receive connections\n/);
  return { program, port: Number(chosen) };
}

async function fileHas(folder: TempFolder, count: number): Promise<void> {
  for (;;) {
    const text = await Deno.readTextFile(folder.file("credentials.txt")).catch(() => "");
    if (text.split("\n").length > count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
