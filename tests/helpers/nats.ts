import { TempFolder } from "./temp_folder.ts";

/** How a NATS server is started. */
export interface NatsOptions {
  /** Whether it has JetStream. @default true */
  jetStream?: boolean;
  /** More of a configuration file. */
  config?: string;
  /** @default 127.0.0.1 */
  host?: string;
  /** What it is started by, such as `ip netns exec NAME`. @default nothing */
  launcher?: readonly string[];
}

/** Real `nats-server` processes on loopback, each with a folder of its own. */
export class NatsServer implements AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Where the others of its cluster reach it. */
  readonly routePort: number | undefined;
  readonly #folder: TempFolder;
  readonly #command: readonly string[];
  #process: Deno.ChildProcess;

  private constructor(
    folder: TempFolder,
    { host, port, routePort, command }: {
      host: string;
      port: number;
      routePort: number | undefined;
      command: readonly string[];
    },
  ) {
    this.#folder = folder;
    this.host = host;
    this.port = port;
    this.routePort = routePort;
    this.#command = command;
    this.#process = spawn(command);
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Starts one, and waits until it takes connections. */
  static async start(options: NatsOptions = {}): Promise<NatsServer> {
    const [port] = freePorts(1);
    const server = await NatsServer.#create(port!, options);
    await server.#ready();
    return server;
  }

  /** Starts servers that are one cluster, and waits until they take connections. */
  static async startCluster(
    count: number,
    { hosts = [], launchers = [] }: {
      hosts?: readonly string[];
      launchers?: readonly (readonly string[])[];
    } = {},
  ): Promise<NatsServer[]> {
    const ports = freePorts(2 * count);
    const hostOf = (i: number) => hosts[i] ?? "127.0.0.1";
    const routes = ports.slice(count).map((port, i) => `${hostOf(i)}:${port}`);
    const servers = await Promise.all(
      routes.map((route, i) =>
        NatsServer.#create(ports[i]!, {
          host: hostOf(i),
          launcher: launchers[i] ?? [],
          routePort: ports[count + i]!,
          config: `server_name: n${i}
cluster { name: test, listen: "${route}", routes: [${
            routes.map((route) => `"nats://${route}"`).join(", ")
          }] }`,
        })
      ),
    );
    await Promise.all(servers.map((server) => server.#ready()));
    return servers;
  }

  static async #create(
    port: number,
    { jetStream = true, config = "", host = "127.0.0.1", launcher = [], routePort }:
      & NatsOptions
      & { routePort?: number },
  ) {
    const folder = await TempFolder.create();
    const path = folder.file("nats.conf");
    await Deno.writeTextFile(
      path,
      `listen: "${host}:${port}"
${jetStream ? `jetstream { store_dir: ${JSON.stringify(folder.file("jetstream"))} }` : ""}
${config}
`,
    );
    return new NatsServer(folder, {
      host,
      port,
      routePort,
      command: [...launcher, "nats-server", "-c", path],
    });
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }

  /** Starts it again, with what it has on its disk. */
  async restart(): Promise<void> {
    this.#process = spawn(this.#command);
    await this.#ready();
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      try {
        using connection = await Deno.connect({ hostname: this.host, port: this.port });
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

function spawn([program, ...args]: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(program!, { args, stdout: "null", stderr: "null" }).spawn();
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
