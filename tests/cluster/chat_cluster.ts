import { connect, jetstreamManager } from "../../lib/cluster/nats.ts";
import type { Endpoint } from "../../lib/net/connection.ts";
import { NatsServer } from "../helpers/nats.ts";
import { makeAccounts, Program } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { Crowd } from "./crowd.ts";
import { SupervisedServer } from "./supervised_server.ts";

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

/** Three chat servers and three NATS servers, each a process, and clients that are spread over them. */
export class ChatCluster implements AsyncDisposable {
  readonly nats: readonly NatsServer[];
  readonly crowd: Crowd;
  readonly #servers: readonly SupervisedServer[];
  readonly #folders: readonly TempFolder[];
  readonly #site: Site;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    { nats, servers, folders, crowd, site, resources }: {
      nats: readonly NatsServer[];
      servers: readonly SupervisedServer[];
      folders: readonly TempFolder[];
      crowd: Crowd;
      site: Site;
      resources: AsyncDisposableStack;
    },
  ) {
    this.nats = nats;
    this.#servers = servers;
    this.#folders = folders;
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
    const servers: SupervisedServer[] = [];
    for (const [i, { path }] of folders.entries()) {
      const launch = (port: number) => launchServer({ nats, site, i, folder: path, port });
      servers.push(opened.use(await SupervisedServer.start(launch)));
    }
    const endpoints = servers.map(({ port }, i) => ({ hostname: site.hosts[i]!, port }));
    for (const folder of folders) await fileHas(folder, clients);
    const crowd = opened.use(await Crowd.join(names, endpoints));
    return new ChatCluster({ nats, servers, folders, crowd, site, resources: opened.move() });
  }

  get endpoints(): Endpoint[] {
    return this.#servers.map(({ port }, i) => ({ hostname: this.#site.hosts[i]!, port }));
  }

  /** `kill -9` of a chat server. */
  async kill(i: number): Promise<void> {
    await this.#servers[i]!.kill();
  }

  /** Starts a chat server again, on its old port. */
  async restart(i: number): Promise<void> {
    await this.#servers[i]!.restart();
  }

  /** Waits until all chat servers take clients. */
  async ready(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.ready()));
  }

  folder(i: number): TempFolder {
    return this.#folders[i]!;
  }

  log(i: number): string {
    return this.#servers[i]!.log;
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

function launchServer(
  { nats, site, i, folder, port }: {
    nats: readonly NatsServer[];
    site: Site;
    i: number;
    folder: string;
    port: number;
  },
): Program {
  // The one beside it comes first.
  const addresses = [nats[i]!, ...nats].map(({ address }) => `nats://${address}`);
  return Program.start("server", [
    ...[`${port}`, "--plain", "--hidden", "--host", site.hosts[i]!, "--data", folder],
    ...["--cluster", addresses.join()],
    ...["--command-burst", "10000", "--commands-per-second", "1000"],
  ], { launcher: site.launchers[i]! });
}

async function fileHas(folder: TempFolder, count: number): Promise<void> {
  for (;;) {
    const text = await Deno.readTextFile(folder.file("credentials.txt")).catch(() => "");
    if (text.split("\n").length > count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
