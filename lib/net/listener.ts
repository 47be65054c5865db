/**
 * Where connections come in: plain TCP, or TLS by one of two ways.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import type { Endpoint } from "./connection.ts";
import type { Identity } from "./identity.ts";
import { NodeStream } from "./node_stream.ts";
import type { ByteStream } from "./stream.ts";

/** How long to wait when the system has no room for another connection, in milliseconds. */
const ACCEPT_PAUSE_MS = 100;

/** A connection that has just come in. */
export interface Incoming {
  readonly remote: Endpoint;
  /**
   * What carries bytes, when the handshake of TLS is done; at once without TLS.
   *
   * @throws where the handshake fails, or the connection is closed meanwhile
   */
  secure(): Promise<ByteStream>;
  /** Closes it, in the middle of the handshake too. Closing twice is fine. */
  close(): void;
}

/** Something that listens. */
export interface Listener {
  readonly port: number;
  /** Lets no more connections in. */
  close(): void;
}

/** Options of {@linkcode listen}. */
export interface ListenOptions {
  hostname: string;
  /** 0 lets the system choose. */
  port: number;
  /** What to speak TLS 1.3 with; undefined for plain TCP. */
  identity: Identity | undefined;
  onIncoming: (incoming: Incoming) => void;
}

/**
 * Listens for connections.
 *
 * @throws what the system says where the port or the address can't be had
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { identity } = options;
  if (identity === undefined) return listenPlain(options);
  return NODE_TLS_SERVES ? await listenNode(options, identity) : listenDeno(options, identity);
}

/**
 * Whether `node:tls` can be a server. Before Deno 2.9 it can't; `Deno.listenTls` always can, but speaks
 * TLS 1.2 too, and a connection whose handshake never ends stays open until its client closes it.
 */
const NODE_TLS_SERVES = atLeast(Deno.version.deno, [2, 9]);

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ours = 0, its = 0] = version.split(".").map(Number);
  return ours > major || (ours === major && its >= minor);
}

function listenPlain({ hostname, port, onIncoming }: ListenOptions): Listener {
  const listener = Deno.listen({ hostname, port });
  void acceptAll(listener, (conn) => {
    conn.setNoDelay(true);
    onIncoming(new DenoIncoming(conn, () => Promise.resolve()));
  });
  return { port: listener.addr.port, close: () => listener.close() };
}

function listenDeno({ hostname, port, onIncoming }: ListenOptions, identity: Identity): Listener {
  const { certificatePem: cert, key } = identity;
  const listener = Deno.listenTls({ hostname, port, cert, key });
  void acceptAll(listener, (conn) => {
    onIncoming(new DenoIncoming(conn, async () => void await conn.handshake()));
  });
  return { port: (listener.addr as Deno.NetAddr).port, close: () => listener.close() };
}

/** Accepts until the listener is closed. */
async function acceptAll<C extends Deno.Conn>(
  listener: { accept(): Promise<C> },
  take: (conn: C) => void,
): Promise<void> {
  for (;;) {
    try {
      take(await listener.accept());
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      // The system may have run out of file descriptors, or a client have gone already.
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
    }
  }
}

class DenoIncoming implements Incoming {
  readonly remote: Endpoint;
  readonly #conn: Deno.Conn;
  readonly #handshake: () => Promise<void>;

  constructor(conn: Deno.Conn, handshake: () => Promise<void>) {
    this.remote = conn.remoteAddr as Deno.NetAddr;
    this.#conn = conn;
    this.#handshake = handshake;
  }

  async secure(): Promise<ByteStream> {
    await this.#handshake();
    return this.#conn;
  }

  close(): void {
    try {
      this.#conn.close();
    } catch {
      // It is closed.
    }
  }
}

async function listenNode(
  { hostname, port: wanted, onIncoming }: ListenOptions,
  { certificatePem: cert, key }: Identity,
): Promise<Listener> {
  const context = createSecureContext({ cert, key, minVersion: "TLSv1.3" });
  let closed = false;
  async function open(port: number): Promise<Server> {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => {});
      // A client that has gone already has no address any more.
      if (socket.remoteAddress !== undefined) onIncoming(new NodeIncoming(socket, context));
    });
    server.listen({ host: hostname, port });
    await once(server, "listening");
    // The system may have run out of file descriptors; after that this one accepts nothing more.
    server.on("error", () => void reopen());
    return server;
  }
  async function reopen(): Promise<void> {
    server.close();
    while (!closed) {
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      try {
        if (!closed) server = await open(port);
        return;
      } catch {
        // Not yet.
      }
    }
  }
  let server = await open(wanted);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () => {
      closed = true;
      server.close();
    },
  };
}

class NodeIncoming implements Incoming {
  readonly remote: Endpoint;
  readonly #socket: Socket;
  readonly #context: ReturnType<typeof createSecureContext>;

  constructor(socket: Socket, context: ReturnType<typeof createSecureContext>) {
    this.remote = { hostname: socket.remoteAddress!, port: socket.remotePort! };
    this.#socket = socket;
    this.#context = context;
  }

  async secure(): Promise<ByteStream> {
    const tls = new TLSSocket(this.#socket, { isServer: true, secureContext: this.#context });
    const closed = Promise.withResolvers<never>();
    const close = () => closed.reject(new Error("the connection was closed in the handshake"));
    this.#socket.once("close", close);
    try {
      await Promise.race([once(tls, "secure"), closed.promise]);
    } finally {
      this.#socket.off("close", close);
    }
    return new NodeStream(tls, this.remote);
  }

  close(): void {
    this.#socket.destroy();
  }
}
