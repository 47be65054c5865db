import { join } from "node:path";
import { ProtocolError } from "../protocol/errors.ts";
import { LineDecoder } from "../protocol/lines.ts";
import { MAX_HISTORY, MAX_LINE_BYTES } from "../protocol/limits.ts";
import { OPERATION_NAMES } from "../protocol/roles.ts";
import {
  integer,
  isObject,
  oneOf,
  optional,
  readShape,
  type Shaped,
  string,
} from "../protocol/shape.ts";
import { acceptAll } from "../net/listener.ts";
import { reasonOf } from "../reasons.ts";
import { carryOut, describeUser, operationsOf, restrictionsOf } from "./operations.ts";
import type { Services } from "./services.ts";
import { describeSessions, describeStatus } from "./status.ts";

/** What can be asked for besides {@linkcode OPERATION_NAMES}. */
export const CONTROL_LISTS = [
  "status",
  "sessions",
  "messages",
  "operations",
  "restrictions",
  "whois",
] as const;

/** One line of JSON, which one line answers: `{"done":...}` or `{"error":"..."}`. */
export const controlShape = {
  command: oneOf(...OPERATION_NAMES, ...CONTROL_LISTS),
  user: optional(string()),
  address: optional(string()),
  message: optional(integer(1)),
  seconds: optional(integer(1)),
  text: optional(string()),
  count: optional(integer(1)),
};
export type ControlRequest = Shaped<typeof controlShape>;

/** How long somebody may take to ask, in milliseconds. */
const ASK_LIMIT_MS = 5_000;

/** So many bytes the path of the socket may have on every system: one less than a socket's, since it is made beside. */
const MAX_PATH_BYTES = 102;

/** Where the socket of a data folder is. @throws {Error} where a socket can't have such a path */
export function controlPath(folder: string): string {
  const path = join(folder, "control.sock");
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= MAX_PATH_BYTES) return path;
  throw new RangeError(
    `the path of its control.sock has ${bytes} bytes, and a socket's at most ${MAX_PATH_BYTES}: go into ` +
      "the data folder, and name it as --data .",
  );
}

/** What a running server does for who runs it: asked on a socket in the data folder, which only its owner may use. */
export class ControlSocket implements AsyncDisposable {
  readonly #listener: Deno.UnixListener;
  readonly #services: Services;
  readonly #path: string;
  readonly #serving = new Set<Promise<void>>();
  /** Those who have connected and asked nothing yet. */
  readonly #silent = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;

  private constructor(listener: Deno.UnixListener, path: string, services: Services) {
    this.#listener = listener;
    this.#path = path;
    this.#services = services;
    // Who asks while there is no file descriptor waits until there is one: the chat's listener logs that.
    this.#accepting = acceptAll(listener, (connection) => this.#accept(connection), () => {});
  }

  /**
   * Listens. A socket that a crash has left is replaced: the data folder is this server's.
   *
   * @returns undefined where there can be none, which the log says
   */
  static async open(folder: string, services: Services): Promise<ControlSocket | undefined> {
    if (Deno.build.os === "windows") return undefined;
    // In a folder of its own nobody else can connect before the mode is set.
    const made = join(folder, "control.new");
    try {
      const path = controlPath(folder);
      await Deno.remove(made, { recursive: true }).catch(() => {});
      await Deno.mkdir(made, { mode: 0o700 });
      const listener = Deno.listen({ transport: "unix", path: join(made, "s") });
      await Deno.chmod(join(made, "s"), 0o600);
      await Deno.rename(join(made, "s"), path);
      return new ControlSocket(listener, path, services);
    } catch (error) {
      services.log(`"chatserver control" can't reach this server: ${reasonOf(error)}`);
      return undefined;
    } finally {
      await Deno.remove(made, { recursive: true }).catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    // The end of the server does not wait for who says nothing.
    for (const connection of this.#silent) connection.close();
    await Promise.all(this.#serving);
    await Deno.remove(this.#path).catch(() => {});
  }

  #accept(connection: Deno.Conn): void {
    const serving: Promise<void> = this.#serve(connection)
      // Whoever asked has gone.
      .catch(() => {})
      .finally(() => this.#serving.delete(serving));
    this.#serving.add(serving);
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    using _connection = connection;
    using _limit = this.#services.clock.after(ASK_LIMIT_MS, () => connection.close());
    this.#silent.add(connection);
    const line = await readLine(connection.readable).finally(() => this.#silent.delete(connection));
    const answer = `${JSON.stringify(await answerControl(this.#services, line ?? ""))}\n`;
    const writer = connection.writable.getWriter();
    await writer.write(new TextEncoder().encode(answer));
    await writer.close();
  }
}

/** The first line of what comes; undefined where that ends before. */
export async function readLine(
  input: AsyncIterable<Uint8Array>,
  maxBytes = MAX_LINE_BYTES,
): Promise<string | undefined> {
  const decoder = new LineDecoder(maxBytes);
  const reader = input[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await reader.next();
    if (done) return undefined;
    const [line] = decoder.decode(value);
    if (line !== undefined) return line;
  }
}

/** What one line asks for, done; or why it can't be. */
export async function answerControl(
  services: Services,
  line: string,
): Promise<{ done: unknown } | { error: string }> {
  try {
    return { done: await run(services, parse(line)) };
  } catch (error) {
    if (error instanceof ProtocolError) return { error: error.message };
    services.log(`unforeseen, in control: ${error}`);
    return { error: "the server failed at this" };
  }
}

function run(services: Services, { command, count = 20, ...order }: ControlRequest): unknown {
  switch (command) {
    case "status":
      return describeStatus(services);
    case "sessions":
      return describeSessions(services);
    case "messages":
      return services.messages.history.ofLobby(Math.min(count, MAX_HISTORY));
    case "operations":
      return operationsOf(services, count);
    case "restrictions":
      return restrictionsOf(services);
    case "whois":
      return describeUser(services, order.user ?? "");
    default:
      return carryOut(services, { what: command, ...order });
  }
}

function parse(line: string): ControlRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // It is said below.
  }
  if (!isObject(value)) throw new ProtocolError("bad-record", "a request is a JSON object");
  return readShape(value, controlShape);
}
