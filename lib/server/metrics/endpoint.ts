import { ExitCode, ExitError } from "../../exit.ts";
import { type Incoming, listen, type Listener } from "../../net/listener.ts";
import { isInUse, whyNoPort } from "../../net/ports.ts";
import { StreamConnection } from "../../net/stream.ts";
import type { ServerStatus } from "../status.ts";
import { Exposition } from "./exposition.ts";
import { encodeResponse, readRequest, type Request, type Response } from "./http.ts";
import type { Metrics, MetricsOptions } from "./metrics.ts";

/** So many may ask at once: every connection costs a file descriptor that clients need, too. */
const MAX_CONNECTIONS = 16;
/** How long somebody may take to ask, and to take the answer, in milliseconds. */
const ASK_LIMIT_MS = 5_000;
/** How often to look for a number that is free at both addresses. */
const TRIES = 100;

/** Serves `GET /metrics` on the loopback interface. */
class Endpoint implements Metrics {
  readonly port: number;
  readonly #listeners: readonly Listener[];
  readonly #options: MetricsOptions;
  readonly #open = new Set<Incoming>();
  #exposition: Exposition | undefined;

  private constructor(options: MetricsOptions, listeners: readonly Listener[]) {
    this.port = listeners[0]!.port;
    this.#listeners = listeners;
    this.#options = options;
  }

  static async open(options: MetricsOptions): Promise<Endpoint> {
    const { port, log } = options;
    // Nobody comes in before the turn of the loop is over in which the ports are bound.
    const onIncoming = (incoming: Incoming) =>
      void endpoint.#serve(incoming).catch((error) => log(`unforeseen, in metrics: ${error}`));
    const endpoint = new Endpoint(options, await listenLocally(port, onIncoming));
    return endpoint;
  }

  serve(describe: () => ServerStatus): void {
    this.#exposition = new Exposition({ ...this.#options, describe });
  }

  noteCommit(ms: number): void {
    this.#exposition?.noteCommit(ms);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#exposition?.[Symbol.dispose]();
    for (const listener of this.#listeners) listener.close();
    for (const incoming of this.#open) incoming.close();
    return Promise.resolve();
  }

  async #serve(incoming: Incoming): Promise<void> {
    if (this.#open.size >= MAX_CONNECTIONS) return incoming.close();
    this.#open.add(incoming);
    using _limit = this.#options.clock.after(ASK_LIMIT_MS, () => incoming.close());
    try {
      const connection = new StreamConnection(await incoming.secure());
      const request = await readRequest(connection);
      if (request === undefined) return;
      connection.send(...encodeResponse(request, await this.#answer(request)));
      await connection.close();
    } finally {
      incoming.close();
      this.#open.delete(incoming);
    }
  }

  async #answer({ method, path }: Request): Promise<Response> {
    if (path !== "/metrics") {
      return { status: "404 Not Found", text: "there is only /metrics here\n" };
    }
    if (method !== "GET" && method !== "HEAD") {
      return { status: "405 Method Not Allowed", text: "/metrics can only be read: GET\n" };
    }
    const exposition = this.#exposition;
    if (exposition === undefined) {
      return { status: "503 Service Unavailable", text: "the server is not ready yet\n" };
    }
    return { status: "200 OK", type: exposition.contentType, text: await exposition.text() };
  }
}

/** @throws {ExitError} `refused`, where the port can't be had */
export async function open(options: MetricsOptions): Promise<Metrics> {
  try {
    return await Endpoint.open(options);
  } catch (cause) {
    const problem = `--metrics: ${whyNoPort(options.port, cause)}`;
    throw new ExitError(ExitCode.refused, problem, { cause });
  }
}

/** At both addresses of the loopback interface, where it has both. */
async function listenLocally(
  port: number,
  onIncoming: (incoming: Incoming) => void,
): Promise<Listener[]> {
  const at = (hostname: string, port: number) =>
    listen({
      hostname,
      port,
      identity: undefined,
      connections: MAX_CONNECTIONS,
      onIncoming,
      // The chat's own listener says so.
      onShortage: () => {},
    });
  for (let tries = 1;; tries++) {
    const first = await at("127.0.0.1", port);
    try {
      return [first, await at("::1", first.port)];
    } catch (error) {
      // There is no IPv6 here.
      if (!isInUse(error)) return [first];
      first.close();
      if (port !== 0 || tries >= TRIES) throw error;
    }
  }
}
