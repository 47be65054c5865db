import type { TLSSocket } from "node:tls";
import type { Endpoint } from "./connection.ts";
import { passOnBackpressure } from "./node_tls.ts";
import type { ByteStream } from "./stream.ts";

/** Options of {@linkcode NodeStream}. */
export interface NodeStreamOptions {
  /** Its ends: a socket that was reset does not know them any more. */
  local: Endpoint;
  remote: Endpoint;
  /** Ends what is below the socket, at once. @default nothing: the socket does it */
  cut?: () => void;
}

/** A TLS socket of node's as a stream of bytes. */
export class NodeStream implements ByteStream {
  readonly localAddr: Deno.NetAddr;
  readonly remoteAddr: Deno.NetAddr;
  readonly #socket: TLSSocket;
  readonly #cut: () => void;
  #rest: Uint8Array = new Uint8Array();
  #ended = false;
  #error: Error | undefined;
  /** Those who wait until something can be read: more than one, where the end is waited for. */
  #readers = Promise.withResolvers<void>();

  constructor(socket: TLSSocket, { local, remote, cut = () => {} }: NodeStreamOptions) {
    this.localAddr = { transport: "tcp", hostname: local.hostname, port: local.port };
    this.remoteAddr = { transport: "tcp", hostname: remote.hostname, port: remote.port };
    this.#socket = socket;
    this.#cut = cut;
    passOnBackpressure(socket);
    socket.on("error", (error) => this.#error = error);
    socket.on("readable", () => this.#wake());
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#rest.length === 0) {
      const chunk = this.#socket.read();
      if (chunk !== null) this.#rest = chunk;
      else if (this.#error !== undefined) throw this.#error;
      else if (this.#ended) return null;
      else await this.#readers.promise;
    }
    const part = this.#rest.subarray(0, buffer.length);
    this.#rest = this.#rest.subarray(part.length);
    buffer.set(part);
    return part.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    // Node never says that nothing was written.
    if (bytes.length === 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  close(): void {
    this.#socket.destroy();
    this.#cut();
  }

  #wake(): void {
    this.#readers.resolve();
    this.#readers = Promise.withResolvers();
  }
}
