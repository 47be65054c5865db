/**
 * Where connections come in: plain TCP, or TLS by one of two ways.
 *
 * @module
 */
import type { Endpoint } from "./connection.ts";
import type { Identity } from "./identity.ts";
import type { ByteStream } from "./stream.ts";
import { NODE_TLS_SERVES } from "./node_tls.ts";
import { listenTls } from "./tls_listener.ts";
import { TlsRelay } from "./tls_relay.ts";

/** How long to wait when the system can take no other connection, in milliseconds. */
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
  /**
   * Fulfilled when the system has let go of it after it was closed; undefined where that is now.
   * Before Deno 2.9 a connection stays open while a write is pending that the client does not take.
   */
  readonly lingering: Promise<void> | undefined;
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
  /** The connections for which there are file descriptors. */
  connections: number;
  onIncoming: (incoming: Incoming) => void;
  /** There is no file descriptor for another connection. */
  onShortage: () => void;
}

/**
 * Listens for connections.
 *
 * @throws what the system says where the port or the address can't be had
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { identity } = options;
  if (identity === undefined) return listenTcp(options, (conn) => new PlainIncoming(conn));
  if (NODE_TLS_SERVES) return await listenTls(options, identity);
  return listenTcp(options, (conn) => new RelayedIncoming(conn, identity));
}

/** The most file descriptors that a connection needs: a {@linkcode TlsRelay} begins with four. */
export const DESCRIPTORS_PER_CONNECTION = NODE_TLS_SERVES ? 1 : 4;

function listenTcp(
  { hostname, port, onIncoming, onShortage }: ListenOptions,
  wrap: (conn: Deno.TcpConn) => Incoming,
): Listener {
  const listener = Deno.listen({ hostname, port });
  const take = (conn: Deno.TcpConn) => {
    conn.setNoDelay(true);
    onIncoming(wrap(conn));
  };
  void acceptAll(listener, take, onShortage);
  return { port: listener.addr.port, close: () => listener.close() };
}

/** Whether the system has no file descriptor left, for this process or at all. */
export function isShortage(error: unknown): boolean {
  return ["EMFILE", "ENFILE"].includes((error as { code?: string }).code ?? "");
}

/** Accepts until the listener is closed. @param onShortage is told where there is no file descriptor for another one */
export async function acceptAll<C extends Deno.Conn>(
  listener: { accept(): Promise<C> },
  take: (conn: C) => void,
  onShortage: () => void,
): Promise<void> {
  for (;;) {
    let conn: C;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      if (isShortage(error)) onShortage();
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

class PlainIncoming implements Incoming, ByteStream {
  readonly remoteAddr: Deno.NetAddr;
  readonly localAddr: Deno.NetAddr;
  readonly #conn: Deno.Conn;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(conn: Deno.Conn) {
    this.remoteAddr = conn.remoteAddr as Deno.NetAddr;
    this.localAddr = conn.localAddr as Deno.NetAddr;
    this.#conn = conn;
  }

  get remote(): Endpoint {
    return this.remoteAddr;
  }

  get lingering(): Promise<void> | undefined {
    return this.#writing;
  }

  secure(): Promise<ByteStream> {
    return Promise.resolve(this);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    const writing = this.#conn.write(bytes);
    this.#writing = writing.then(() => {}, () => {}).then(() => this.#writing = undefined);
    return writing;
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }
}

class RelayedIncoming extends PlainIncoming {
  readonly #relay: TlsRelay;

  constructor(conn: Deno.Conn, identity: Identity) {
    super(conn);
    this.#relay = new TlsRelay(this, identity);
  }

  override secure(): Promise<ByteStream> {
    return this.#relay.open();
  }
}
