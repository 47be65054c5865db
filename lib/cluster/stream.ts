import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type NatsConnection,
  nkeyAuthenticator,
  type StreamInfo,
} from "./nats.ts";
import { type Clock, sleep } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { Search } from "./search.ts";
import { FORMAT } from "./wire.ts";

/** Options of {@linkcode ClusterStream.open}. */
export interface StreamOptions {
  /** NATS servers, as `host:port`. */
  servers: string[];
  clock: Clock;
  /** The stream's name. @default "chat" */
  name?: string;
  /** The text of a NATS credentials file, or the seed of a user's nkey. @default none */
  credentials?: string | undefined;
  /** The certificates, in PEM, that NATS' own are checked with. @default NATS speaks no TLS */
  ca?: string | undefined;
  /** On how many NATS servers a stream that is made now is kept. @default 3 in a cluster of NATS, otherwise 1 */
  replicas?: number;
  /** Is told when NATS goes away, and when it is back. @default nobody */
  log?: (event: string) => void;
  /** The same for programs. @default nobody */
  onConnected?: (connected: boolean) => void;
}

/** JetStream's code for a stream that is not there, and for one that is there already. */
const NOT_FOUND = 10_059;
const NAME_IN_USE = 10_058;

/** What a cluster of NATS says that has no leader yet, or not enough servers. */
const TEMPORARY: ReadonlySet<number> = new Set([10_005, 10_008, 10_023, 10_074]);
const NOT_ENABLED = /NotEnabled|NoResponders|not enabled|no responders/i;

/** JetStream answers in milliseconds, or not at all: then it has no leader, for seconds. */
const ANSWER_MS = 2_000;
/** It is waited for that long when this server starts, in milliseconds. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 250;
/** How long a connection may take, in milliseconds. */
const DIAL_MS = 3_000;
/** NATS is asked that often whether it is there, in milliseconds, and has gone when so many questions have no answer. */
const PING_MS = 1_500;
const MOST_PINGS = 2;

/** The stream that a cluster's events are in, and the connection to it. */
export class ClusterStream implements AsyncDisposable {
  readonly name: string;
  /** What tells it from every other stream, also from a later one of its name. */
  readonly id: string;
  /** On how many NATS servers it is kept. */
  readonly replicas: number;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
  readonly connection: NatsConnection;
  /** An answer from JetStream is waited for so long, in milliseconds. */
  readonly answerMs = ANSWER_MS;
  readonly #options: StreamOptions;
  readonly #search: Search;

  private constructor(
    connection: NatsConnection,
    manager: JetStreamManager,
    { info, id, options }: { info: StreamInfo; id: string; options: StreamOptions },
  ) {
    this.#options = options;
    this.connection = connection;
    this.manager = manager;
    this.client = manager.jetstream();
    this.name = info.config.name;
    this.id = id;
    this.replicas = info.config.num_replicas;
    const { clock, log = () => {}, onConnected = () => {} } = options;
    this.#search = new Search({ connection, clock, log });
    void report(this.#search, { connection, log, onConnected });
  }

  /** From now on NATS is asked every few seconds: where it does not answer, another one is looked for. */
  expectAnswers(): void {
    this.#search.begin();
  }

  /** NATS has answered something that only a majority of its servers can answer. */
  answered(): void {
    this.#search.answered();
  }

  /**
   * Connects to NATS, and opens the stream, which is made where there is none.
   *
   * @throws {ExitError} `refused`, where that is not to be had
   */
  static async open(options: StreamOptions): Promise<ClusterStream> {
    const connection = await dial(options);
    try {
      const manager = await patiently(
        options,
        () => jetstreamManager(connection, { timeout: ANSWER_MS }),
      );
      const opened = await patiently(options, () => openStream(connection, manager, options));
      return new ClusterStream(connection, manager, { ...opened, options });
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /**
   * Asks something of JetStream at the start, again while it has no leader.
   *
   * @throws {ExitError} `refused`, where it can't say
   */
  async patiently<T>(work: () => Promise<T>): Promise<T> {
    return await patiently(this.#options, work);
  }

  /** Whether it is still the one that was opened, and no later one of its name. @throws where NATS can't say */
  async isSame(): Promise<boolean> {
    const { config } = await this.manager.streams.info(this.name);
    return config.description?.endsWith(` ${this.id}`) ?? false;
  }

  /** The numbers of the first and the newest event that it has, 0 where there was none. @throws where NATS can't say */
  async ends(): Promise<{ first: number; last: number }> {
    const { state } = await this.manager.streams.info(this.name);
    return { first: state.first_seq, last: state.last_seq };
  }

  /** Whether it has an event. @throws where NATS can't say */
  async has(seq: number): Promise<boolean> {
    return await this.manager.streams.getMessage(this.name, { seq }) !== null;
  }

  /** Takes what has lower numbers out of the subjects that match. @throws where NATS can't */
  async purge(filter: string, before: number): Promise<void> {
    await purgeBefore(this.manager, { name: this.name, filter: `${this.name}.${filter}`, before });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#search[Symbol.dispose]();
    await this.connection.close();
  }
}

/** Takes what has lower numbers out of the subjects of a stream that match. @throws where NATS can't */
export async function purgeBefore(
  { streams }: JetStreamManager,
  { name, filter, before }: { name: string; filter: string; before: number },
): Promise<void> {
  // For JetStream 1 means everything, as 0 does.
  if (before > 1) await streams.purge(name, { filter, seq: before });
}

/** Does what servers that have just started can't do yet, until they can. */
async function patiently<T>(options: StreamOptions, work: () => Promise<T>): Promise<T> {
  const { clock } = options;
  const end = clock.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof ExitError) throw cause;
      const { name, message, code } = cause as Error & { code?: number };
      if (NOT_ENABLED.test(`${name} ${message}`)) {
        throw refused("has no JetStream: start it with -js", options, cause);
      }
      const temporary = name === "TimeoutError" || TEMPORARY.has(code ?? 0);
      if (!temporary || clock.now() >= end) {
        throw refused(`can't open the stream: ${message}`, options, cause);
      }
    }
    await sleep(clock, PAUSE_MS, new AbortController().signal);
  }
}

/**
 * A connection that NATS resets, since it refuses the credentials, throws the error to nobody: the client takes its
 * listeners off the socket before it destroys it (@nats-io/transport-node 3.4, on Deno 2.9). It must not end the
 * server. What resets mean is said by the client's own errors.
 */
function ignoreReset(event: ErrorEvent): void {
  if (event.error?.code === "ECONNRESET" && event.error.syscall === "read") event.preventDefault();
}

/** A credentials file is a token and a seed; a seed may stand alone. */
function authenticatorOf(credentials: string): Authenticator {
  const bytes = new TextEncoder().encode(credentials.trim());
  return credentials.includes("BEGIN NATS USER JWT")
    ? credsAuthenticator(bytes)
    : nkeyAuthenticator(bytes);
}

async function dial(options: StreamOptions): Promise<NatsConnection> {
  const { servers, credentials, ca } = options;
  globalThis.addEventListener("error", ignoreReset);
  try {
    return await connect({
      servers,
      name: "chatserver",
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      timeout: DIAL_MS,
      pingInterval: PING_MS,
      maxPingOut: MOST_PINGS,
      ...credentials !== undefined &&
        { authenticator: authenticatorOf(credentials) },
      ...ca !== undefined && { tls: { ca } },
    });
  } catch (cause) {
    const { name, message } = cause as Error;
    throw refused(whyNot(`${name} ${message}`) ?? `can't be reached: ${message}`, options, cause);
  }
}

function whyNot(error: string): string | undefined {
  if (/authorization|authentication|permission/i.test(error)) {
    return "refuses the credentials (--cluster-credentials)";
  }
  if (/does not support 'tls'/.test(error)) return "speaks no TLS: leave --cluster-ca out";
  if (/certificate/i.test(error)) {
    return "has a certificate that can't be checked: name the one of its authority with --cluster-ca " +
      `(${error})`;
  }
  return undefined;
}

async function openStream(
  connection: NatsConnection,
  manager: JetStreamManager,
  options: StreamOptions,
): Promise<{ info: StreamInfo; id: string }> {
  const { name = "chat", replicas = connection.info?.cluster === undefined ? 1 : 3 } = options;
  let info = await find(manager, name);
  if (info === undefined) {
    const description = `chatserver journal, format ${FORMAT}, ${crypto.randomUUID()}`;
    const made = manager.streams.add({
      name,
      description,
      subjects: [`${name}.>`],
      num_replicas: replicas,
    });
    info = await made.catch((error) => {
      // Another server may have been faster.
      if (error.code === NAME_IN_USE) return find(manager, name);
      throw error;
    });
  }
  const { description = "" } = info?.config ?? {};
  const [, format, id] = /^chatserver journal, format (\d+), (\S+)$/.exec(description) ?? [];
  if (info === undefined || id === undefined) {
    throw refused(`has a stream ${name} that is no chat's`, options);
  }
  if (Number(format) === FORMAT) return { info, id };
  throw refused(
    `has a stream ${name} of another version of chatserver (format ${format}, this one ` +
      `reads ${FORMAT})`,
    options,
  );
}

async function find(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if ((error as { code?: number }).code === NOT_FOUND) return undefined;
    throw error;
  }
}

/** Tells the operator when NATS goes away, once, and when it is back. */
async function report(
  search: Search,
  { connection, log, onConnected }:
    & Required<Pick<StreamOptions, "log" | "onConnected">>
    & { connection: NatsConnection },
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "disconnect") {
      if (!search.isSearching) log(`NATS at ${status.server} is gone: nothing can be stored`);
      onConnected(false);
      search.disconnected();
    }
    if (status.type === "reconnect") {
      if (!search.isSearching) log(`NATS at ${status.server} is there again`);
      onConnected(true);
      search.connected(status.server);
    }
  }
}

function refused(why: string, { servers }: StreamOptions, cause?: unknown): ExitError {
  return new ExitError(ExitCode.refused, `NATS at ${servers.join(", ")} ${why}`, { cause });
}
