import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeCredentials } from "./credentials.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CONFIG = `${ROOT}scripts/cluster/nats.conf`;
/** How long a process may take to start, in milliseconds. */
const START_LIMIT_MS = 60_000;

/** A process that can be ended and started again. */
class Process implements AsyncDisposable {
  readonly #command: readonly [string, ...string[]];
  readonly #env: Record<string, string>;
  /** Where its output goes. */
  readonly log: string;
  #child: Deno.ChildProcess | undefined;

  constructor(
    command: readonly [string, ...string[]],
    { env = {}, log }: { env?: Record<string, string>; log: string },
  ) {
    this.#command = command;
    this.#env = env;
    this.log = log;
  }

  /** 0 where it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  start(): void {
    // Into a file: nobody has to read a pipe.
    const child = this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", 'log=$1; shift; exec "$@" >> "$log" 2>&1', "sh", this.log, ...this.#command],
      cwd: ROOT,
      env: { NO_COLOR: "1", ...this.#env },
      stdin: "null",
    }).spawn();
    child.status.then(() => {
      if (this.#child === child) this.#child = undefined;
    });
  }

  /** Waits until its output matches. @throws where it ends before, with its last line */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (const limit = Date.now() + START_LIMIT_MS;;) {
      const text = await Deno.readTextFile(this.log).catch(() => "");
      const match = pattern.exec(text);
      if (match !== null) return match;
      if (this.#child === undefined || Date.now() > limit) {
        throw new Error(`it does not start: ${text.trim().split("\n").at(-1)} (${this.log})`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it, and waits for that. */
  async end(signal: Deno.Signal): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill(signal);
    await child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}

/** A NATS server of a local cluster. */
export class NatsNode extends Process {
  readonly port: number;
  /** Where it tells its figures, by HTTP. */
  readonly monitor: number;

  constructor(
    command: readonly [string, ...string[]],
    options: { env: Record<string, string>; log: string; port: number; monitor: number },
  ) {
    super(command, options);
    this.port = options.port;
    this.monitor = options.monitor;
  }

  /** Some of its figures: `in_bytes`, `out_bytes`, `in_msgs`, `mem` in bytes, and so on. */
  async figures(): Promise<Record<string, number>> {
    return await (await fetch(`http://127.0.0.1:${this.monitor}/varz`)).json();
  }

  /** How many events a stream has here, and how large it is. */
  async stream(name: string): Promise<{ events: number; bytes: number }> {
    const response = await fetch(`http://127.0.0.1:${this.monitor}/jsz?streams=true`);
    const { account_details: accounts = [] } = await response.json();
    const streams = accounts.flatMap((account: { stream_detail?: unknown[] }) =>
      account.stream_detail ?? []
    );
    const found = streams.find((stream: { name: string }) => stream.name === name);
    return { events: found?.state.last_seq ?? 0, bytes: found?.state.bytes ?? 0 };
  }
}

/** A chat server of a local cluster. */
export class ChatNode extends Process {
  readonly port: number;
  /** Its data folder. */
  readonly folder: string;

  constructor(
    command: readonly [string, ...string[]],
    options: { log: string; port: number; folder: string },
  ) {
    super(command, options);
    this.port = options.port;
    this.folder = options.folder;
  }

  /** Starts it, and waits until it takes clients. */
  async ready(): Promise<void> {
    await Deno.remove(this.log).catch(() => {});
    this.start();
    await this.until(/Server ready to receive connections/);
  }
}

/** Options of {@linkcode LocalCluster.start}. */
export interface LocalClusterOptions {
  /** Where everything is kept; made where it is not there. */
  folder: string;
  /** How many NATS servers; with none a chat server is alone, with one there are no replicas. @default 3 */
  nats?: number;
  /** How many chat servers. @default 3 */
  servers?: number;
  /** The first chat server's port; the others have the next ones. @default any */
  port?: number | undefined;
  /** More flags of the chat servers. */
  flags?: readonly string[];
  /** What goes into each chat server's data folder before it is started. */
  prepare?: (folder: string) => Promise<void>;
}

/** NATS servers and chat servers that are one chat, as processes on the loopback interface. Linux, macOS. */
export class LocalCluster implements AsyncDisposable {
  readonly nats: readonly NatsNode[];
  readonly servers: readonly ChatNode[];

  private constructor(nats: readonly NatsNode[], servers: readonly ChatNode[]) {
    this.nats = nats;
    this.servers = servers;
  }

  /** Starts everything, and waits until it can be joined. */
  static async start(
    { folder, nats = 3, servers = 3, port, flags = [], prepare }: LocalClusterOptions,
  ): Promise<LocalCluster> {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const keys = join(folder, "keys");
    const user = await makeCredentials(keys, ["127.0.0.1"]);
    const own = Array.from(
      { length: servers },
      (_, index) => port === undefined ? 0 : port + index,
    );
    const ports = freePorts(3 * nats + 2 * servers).filter((port) => !own.includes(port));
    const routes = JSON.stringify(
      ports.slice(0, nats).map((port) => `nats://127.0.0.1:${port}`),
    );
    const config = nats === 1 ? join(folder, "nats.conf") : CONFIG;
    if (nats === 1) await Deno.writeTextFile(config, aloneOf(await Deno.readTextFile(CONFIG)));
    const nodes = Array.from({ length: nats }, (_, index) => {
      const [listen, monitor] = [ports[nats + index]!, ports[2 * nats + index]!];
      const env = {
        NODE: `nats-${index + 1}`,
        LISTEN: `"127.0.0.1:${listen}"`,
        MONITOR: `"127.0.0.1:${monitor}"`,
        CLUSTER_LISTEN: `"127.0.0.1:${ports[index]!}"`,
        ROUTES: routes,
        STORE: JSON.stringify(join(folder, `nats-${index + 1}`)),
        CA: JSON.stringify(join(keys, "ca.pem")),
        CERTIFICATE: JSON.stringify(join(keys, "nats.pem")),
        KEY: JSON.stringify(join(keys, "nats-key.pem")),
        CHAT_USER: user,
      };
      const log = join(folder, `nats-${index + 1}.log`);
      const command = ["nats-server", "-c", config] as const;
      return new NatsNode(command, { env, log, port: listen, monitor });
    });
    const cluster = nodes.map((node) => `tls://127.0.0.1:${node.port}`).join(",");
    const chats: ChatNode[] = [];
    for (let index = 0; index < servers; index++) {
      const listen = own[index] || ports[3 * nats + index]!;
      const data = join(folder, `chat-${index + 1}`);
      await Deno.mkdir(data, { recursive: true, mode: 0o700 });
      await prepare?.(data);
      const args = [
        ...[`${listen}`, "--host", "127.0.0.1", "--data", data, "--hidden"],
        ...nats === 0 ? [] : [
          ...["--cluster", cluster, "--cluster-credentials", join(keys, "chat.nkey")],
          ...["--cluster-ca", join(keys, "ca.pem")],
        ],
        ...flags,
      ];
      const log = join(folder, `chat-${index + 1}.log`);
      chats.push(new ChatNode([...serverCommand(), ...args], { log, port: listen, folder: data }));
    }
    const local = new LocalCluster(nodes, chats);
    try {
      for (const node of nodes) node.start();
      await Promise.all(nodes.map((node) => node.until(/Server is ready/)));
      // The first one makes the stream.
      for (const server of chats) await server.ready();
      return local;
    } catch (error) {
      await local[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends all that still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.servers, ...this.nats].map((node) => node[Symbol.asyncDispose]()));
  }
}

/** The configuration of a NATS server without others, which would wait for them. */
function aloneOf(config: string): string {
  return config.replace(/^cluster \{\n.*?^\}\n/ms, "");
}

/** How the server of a cluster is started from source. */
function serverCommand(): [string, ...string[]] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  const [, ...args] = tasks["server:cluster"].command.split(" ");
  return [Deno.execPath(), ...args];
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
