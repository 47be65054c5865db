import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ExitCode, ExitError } from "../../exit.ts";
import { isInUse, whyNoPort } from "../../net/ports.ts";
import type { ServerStatus } from "../status.ts";
import { Exposition } from "./exposition.ts";
import type { Metrics, MetricsOptions } from "./metrics.ts";

/** So many may ask at once at each address: every connection costs a file descriptor that clients need, too. */
const MAX_CONNECTIONS = 8;
/** How long somebody may take to ask, and to take the answer, in milliseconds. */
const ASK_LIMIT_MS = 5_000;
const CHECK_MS = 1_000;
/** How often to look for a number that is free at both addresses. */
const TRIES = 100;

/** Serves `GET /metrics` on the loopback interface. */
class Endpoint implements Metrics {
  readonly port: number;
  readonly #servers: readonly Server[];
  readonly #options: MetricsOptions;
  #exposition: Exposition | undefined;

  constructor(servers: readonly Server[], options: MetricsOptions) {
    this.port = portOf(servers[0]!);
    this.#servers = servers;
    this.#options = options;
    for (const server of servers) {
      server.on("request", (request, response) => void this.#answer(request, response));
    }
  }

  serve(describe: () => ServerStatus): void {
    this.#exposition = new Exposition({ ...this.#options, describe });
  }

  noteCommit(ms: number): void {
    this.#exposition?.noteCommit(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#exposition?.[Symbol.dispose]();
    await Promise.all(this.#servers.map(close));
  }

  async #answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("Connection", "close");
    const refuse = (status: number, why: string) =>
      response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${why}\n`);
    const [path] = (url ?? "").split("?");
    if (path !== "/metrics") return void refuse(404, "there is only /metrics here");
    if (method !== "GET" && method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      return void refuse(405, "/metrics can only be read: GET");
    }
    if (this.#exposition === undefined) return void refuse(503, "the server is not ready yet");
    try {
      const text = await this.#exposition.text();
      response.writeHead(200, { "Content-Type": this.#exposition.contentType }).end(text);
    } catch (error) {
      this.#options.log(`unforeseen, in metrics: ${error}`);
      refuse(500, "the server failed at this");
    }
  }
}

/** @throws {ExitError} `refused`, where the port can't be had */
export async function open(options: MetricsOptions): Promise<Metrics> {
  try {
    return new Endpoint(await listenLocally(options.port), options);
  } catch (cause) {
    throw new ExitError(ExitCode.refused, `--metrics: ${whyNoPort(options.port, cause)}`, {
      cause,
    });
  }
}

/** At both addresses of the loopback interface, where it has both. */
async function listenLocally(port: number): Promise<Server[]> {
  for (let tries = 1;; tries++) {
    const server = await listen(port, "127.0.0.1");
    try {
      return [server, await listen(portOf(server), "::1")];
    } catch (error) {
      // There is no IPv6 here.
      if (!isInUse(error)) return [server];
      await close(server);
      if (port !== 0 || tries >= TRIES) throw error;
    }
  }
}

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer({
    headersTimeout: ASK_LIMIT_MS,
    requestTimeout: ASK_LIMIT_MS,
    connectionsCheckingInterval: CHECK_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(ASK_LIMIT_MS, (socket) => socket.destroy());
  server.listen(port, host);
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  server.closeAllConnections();
  await closed.promise;
}
