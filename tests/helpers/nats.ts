import { TempFolder } from "./temp_folder.ts";

/** How a NATS server is started. */
export interface NatsOptions {
  /** Whether it has JetStream. @default true */
  jetStream?: boolean;
  /** More of a configuration file. */
  config?: string;
}

/** Real `nats-server` processes on loopback, each with a folder of its own. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: TempFolder;
  readonly #config: string;
  #process: Deno.ChildProcess;

  private constructor(folder: TempFolder, port: number, config: string) {
    this.#folder = folder;
    this.port = port;
    this.#config = config;
    this.#process = spawn(config);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts one, and waits until it takes connections. */
  static async start(options: NatsOptions = {}): Promise<NatsServer> {
    const [port] = freePorts(1);
    const server = await NatsServer.#create(port!, options);
    await server.#ready();
    return server;
  }

  /** Starts servers that are one cluster, and waits until they take connections. */
  static async startCluster(count: number): Promise<NatsServer[]> {
    const ports = freePorts(2 * count);
    const routes = ports.slice(count);
    const servers = await Promise.all(
      routes.map((route, i) =>
        NatsServer.#create(ports[i]!, {
          config: `server_name: n${i}
cluster { name: test, listen: "127.0.0.1:${route}", routes: [${
            routes.map((port) => `"nats://127.0.0.1:${port}"`).join(", ")
          }] }`,
        })
      ),
    );
    await Promise.all(servers.map((server) => server.#ready()));
    return servers;
  }

  static async #create(port: number, { jetStream = true, config = "" }: NatsOptions) {
    const folder = await TempFolder.create();
    const path = folder.file("nats.conf");
    await Deno.writeTextFile(
      path,
      `listen: "127.0.0.1:${port}"
${jetStream ? `jetstream { store_dir: ${JSON.stringify(folder.file("jetstream"))} }` : ""}
${config}
`,
    );
    return new NatsServer(folder, port, path);
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  /** Starts it again, with what it has on its disk. */
  async restart(): Promise<void> {
    this.#process = spawn(this.#config);
    await this.#ready();
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      try {
        using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
        if (await connection.read(new Uint8Array(4)) !== null) return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.kill();
    } catch {
      // It was killed before.
    }
    await this.#folder[Symbol.asyncDispose]();
  }
}

function spawn(config: string): Deno.ChildProcess {
  const args = ["-c", config];
  return new Deno.Command("nats-server", { args, stdout: "null", stderr: "null" }).spawn();
}

/** Ports that nobody uses now, all different. */
function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  for (const listener of listeners) listener.close();
  return listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
}
