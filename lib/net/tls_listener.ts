/**
 * TLS 1.3 by `node:tls`, which can serve since Deno 2.9.
 *
 * Over a socket of `node:net` what is encrypted goes to the system without passing through
 * JavaScript; over any other stream a write costs twice as much.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { Endpoint } from "./connection.ts";
import type { Identity } from "./identity.ts";
import type { Incoming, Listener, ListenOptions } from "./listener.ts";
import { NodeStream } from "./node_stream.ts";
import type { ByteStream } from "./stream.ts";

/** So many connections may wait to be accepted. */
const ACCEPT_QUEUE = 1_024;
/** How long to accept nothing where the system can take no other connection, in milliseconds. */
const PAUSE_MS = 100;

/**
 * Listens for connections that speak TLS.
 *
 * While as many are open as there may be it does not listen at all, so others are refused by the
 * system: a server of `node:net` that once ran out of file descriptors never accepts again (Deno 2.9).
 *
 * @throws what the system says where the port or the address can't be had
 */
export async function listenTls(options: ListenOptions, identity: Identity): Promise<Listener> {
  const { hostname: host, connections, onIncoming, onShortage } = options;
  const { certificatePem: cert, key } = identity;
  const context = createSecureContext({ cert, key, minVersion: "TLSv1.3" });
  const open = new Set<Socket>();
  let pause: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    // Later errors are seen by whoever reads or writes.
    socket.on("error", () => {});
    if (open.size >= connections && server.listening) {
      server.close();
      onShortage();
      pause = setTimeout(resume, PAUSE_MS);
    }
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    // A client that has gone already has no address.
    if (remoteAddress === undefined || localAddress === undefined) {
      socket.destroy();
      return;
    }
    const remote = { hostname: remoteAddress, port: remotePort! };
    const local = { hostname: localAddress, port: localPort! };
    onIncoming(new TlsIncoming(socket, { context, remote, local }));
  });

  async function bind(port: number): Promise<number> {
    server.listen({ port, host, backlog: ACCEPT_QUEUE });
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  }

  function resume(): void {
    const later = () => {
      if (!closed) pause = setTimeout(resume, PAUSE_MS);
    };
    if (open.size >= connections) later();
    else bind(port).catch(later);
  }

  const port = await bind(options.port);
  server.on("error", () => {});
  return {
    port,
    close: () => {
      closed = true;
      clearTimeout(pause);
      server.close();
    },
  };
}

interface TlsIncomingOptions {
  context: SecureContext;
  remote: Endpoint;
  local: Endpoint;
}

class TlsIncoming implements Incoming {
  readonly remote: Endpoint;
  readonly lingering = undefined;
  readonly #socket: Socket;
  readonly #context: SecureContext;
  readonly #local: Endpoint;

  constructor(socket: Socket, { context, remote, local }: TlsIncomingOptions) {
    this.remote = remote;
    this.#socket = socket;
    this.#context = context;
    this.#local = local;
  }

  async secure(): Promise<ByteStream> {
    const below = this.#socket;
    const socket = new TLSSocket(below, { isServer: true, secureContext: this.#context });
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.once("secure", resolve);
      below.once("close", () => reject(new Error("the connection was closed")));
    });
    return new NodeStream(socket, {
      local: this.#local,
      remote: this.remote,
      cut: () => this.close(),
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
