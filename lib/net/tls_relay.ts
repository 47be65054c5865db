import type { Endpoint } from "./connection.ts";
import type { Identity } from "./identity.ts";
import type { ByteStream } from "./stream.ts";

const READ_BYTES = 65_536;
const LOOPBACK = "127.0.0.1";

/**
 * TLS by `Deno.listenTls`, for a Deno whose `node:tls` can't be a server. What that accepts is closed
 * neither in the middle of a handshake nor while the client takes nothing, so it accepts from the
 * loopback interface only: the client's connection is a plain one, and its bytes are relayed. Once
 * that is closed, the other end of the relay sees the end.
 */
export class TlsRelay {
  readonly #outer: ByteStream;
  readonly #identity: Identity;
  #inner: Deno.Conn | undefined;
  #tls: Deno.TlsConn | undefined;
  #closed = false;

  /** @param outer the client's connection */
  constructor(outer: ByteStream, identity: Identity) {
    this.#outer = outer;
    this.#identity = identity;
  }

  /**
   * What carries bytes when the handshake is done. Until the client's first bytes come, the relay has
   * nothing but the client's connection.
   *
   * @throws where the handshake fails, or the relay is closed meanwhile
   */
  async open(): Promise<ByteStream> {
    const first = new Uint8Array(READ_BYTES);
    const count = await this.#outer.read(first);
    if (count === null) throw new Error("the connection was closed");
    const { inner, tls } = await this.#connect();
    void pump(this.#outer, inner, () => this.close(), first.subarray(0, count));
    const sent = pump(inner, this.#outer, () => this.close());
    try {
      await tls.handshake();
    } catch (error) {
      closeQuietly(tls);
      // The alert that says what is wrong goes out before the relay is closed.
      await sent;
      throw error;
    }
    return {
      localAddr: this.#outer.localAddr,
      remoteAddr: this.#outer.remoteAddr,
      read: (buffer) => tls.read(buffer),
      write: (bytes) => tls.write(bytes),
      closeWrite: async () => {
        await tls.closeWrite();
        await sent;
      },
      close: () => this.close(),
    };
  }

  /** Closes everything at once. Closing twice is fine. */
  close(): void {
    this.#closed = true;
    for (const conn of [this.#outer, this.#inner, this.#tls]) closeQuietly(conn);
  }

  /** Both ends of a connection to ourselves, one of which speaks TLS. */
  async #connect(): Promise<{ inner: Deno.Conn; tls: Deno.TlsConn }> {
    const { certificatePem: cert, key } = this.#identity;
    // A listener for each connection, so that nobody else on this machine gets at it.
    using listener = Deno.listenTls({ hostname: LOOPBACK, port: 0, cert, key });
    const [connected, accepted] = await Promise.allSettled([
      Deno.connect({ hostname: LOOPBACK, port: listener.addr.port }),
      listener.accept(),
    ]);
    if (connected.status === "fulfilled") this.#inner = connected.value;
    if (accepted.status === "fulfilled") this.#tls = accepted.value;
    if (connected.status === "rejected") throw this.#failed(connected.reason);
    if (accepted.status === "rejected") throw this.#failed(accepted.reason);
    const [inner, tls] = [connected.value, accepted.value];
    const ours = portOf(inner.localAddr) === portOf(tls.remoteAddr);
    if (this.#closed || !ours) throw this.#failed(new Error("the connection was closed"));
    inner.setNoDelay(true);
    return { inner, tls };
  }

  #failed(reason: unknown): unknown {
    this.close();
    return reason;
  }
}

/** Carries bytes one way to their end. */
async function pump(
  from: ByteStream,
  to: ByteStream,
  broken: () => void,
  first = new Uint8Array(),
): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  try {
    await writeAll(to, first);
    for (let count; (count = await from.read(buffer)) !== null;) {
      await writeAll(to, buffer.subarray(0, count));
    }
    await to.closeWrite();
  } catch {
    broken();
  }
}

async function writeAll(to: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await to.write(bytes.subarray(written));
  }
}

function closeQuietly(conn: ByteStream | undefined): void {
  try {
    conn?.close();
  } catch {
    // It is closed.
  }
}

function portOf(address: Deno.Addr): number {
  return (address as Deno.NetAddr as Endpoint).port;
}
