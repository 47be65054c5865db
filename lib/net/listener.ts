/**
 * Where connections come in: plain TCP, or TLS by one of two ways.
 *
 * @module
 */
import { once } from "node:events";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { Carrier } from "./carrier.ts";
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
export function listen(options: ListenOptions): Listener {
  const { identity } = options;
  if (identity === undefined) return listenTcp(options, (conn) => new PlainIncoming(conn));
  if (!NODE_TLS_SERVES) return listenDenoTls(options, identity);
  const { certificatePem: cert, key } = identity;
  const context = createSecureContext({ cert, key, minVersion: "TLSv1.3" });
  return listenTcp(options, (conn) => new TlsIncoming(conn, context));
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

function listenTcp(
  { hostname, port, onIncoming }: ListenOptions,
  wrap: (conn: Deno.TcpConn) => Incoming,
): Listener {
  const listener = Deno.listen({ hostname, port });
  void acceptAll(listener, (conn) => {
    conn.setNoDelay(true);
    onIncoming(wrap(conn));
  });
  return { port: listener.addr.port, close: () => listener.close() };
}

function listenDenoTls(
  { hostname, port, onIncoming }: ListenOptions,
  identity: Identity,
): Listener {
  const { certificatePem: cert, key } = identity;
  const listener = Deno.listenTls({ hostname, port, cert, key });
  void acceptAll(listener, (conn) => onIncoming(new DenoTlsIncoming(conn)));
  return { port: (listener.addr as Deno.NetAddr).port, close: () => listener.close() };
}

/** Accepts until the listener is closed. */
async function acceptAll<C extends Deno.Conn>(
  listener: { accept(): Promise<C> },
  take: (conn: C) => void,
): Promise<void> {
  for (;;) {
    let conn: C;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      // The system may have run out of file descriptors.
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      continue;
    }
    try {
      take(conn);
    } catch {
      // A client that has gone already keeps nobody else waiting.
      conn.close();
    }
  }
}

class PlainIncoming implements Incoming {
  readonly remote: Endpoint;
  protected readonly conn: Deno.Conn;

  constructor(conn: Deno.Conn) {
    this.remote = conn.remoteAddr as Deno.NetAddr;
    this.conn = conn;
  }

  secure(): Promise<ByteStream> {
    return Promise.resolve(this.conn);
  }

  close(): void {
    try {
      this.conn.close();
    } catch {
      // It is closed.
    }
  }
}

class DenoTlsIncoming extends PlainIncoming {
  override async secure(): Promise<ByteStream> {
    await (this.conn as Deno.TlsConn).handshake();
    return this.conn;
  }
}

class TlsIncoming extends PlainIncoming {
  readonly #context: SecureContext;

  constructor(conn: Deno.Conn, context: SecureContext) {
    super(conn);
    this.#context = context;
  }

  override async secure(): Promise<ByteStream> {
    const carrier = new Carrier(this.conn);
    const socket = new TLSSocket(carrier, { isServer: true, secureContext: this.#context });
    // Later errors are seen by whoever reads or writes.
    for (const stream of [carrier, socket]) stream.on("error", () => {});
    const closed = new AbortController();
    for (const event of ["end", "close"]) {
      carrier.once(event, () => closed.abort(new Error("the connection was closed")));
    }
    try {
      await once(socket, "secure", { signal: closed.signal });
    } catch (error) {
      // The alert that says what is wrong goes out before the carrier closes.
      carrier.destroy();
      if (!closed.signal.aborted) await once(carrier, "close");
      throw error;
    }
    return new NodeStream(socket, {
      local: this.conn.localAddr as Deno.NetAddr,
      remote: this.remote,
      cut: () => carrier.cut(),
    });
  }
}
