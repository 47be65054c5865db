import { once } from "node:events";
import { createServer, type TLSSocket } from "node:tls";
import { encodeCertificate } from "../../lib/net/certificate.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import type { NamedServer } from "../../lib/protocol/records.ts";
import type { Endpoint } from "../../lib/net/connection.ts";
import type { TempFolder } from "./temp_folder.ts";

/** A TLS server on loopback that shows a certificate, and says nothing. */
export class ShownServer implements AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly certificate: Uint8Array;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets: Set<TLSSocket>;
  /** How many bytes it was sent after handshakes. */
  heard = 0;

  private constructor(
    server: ReturnType<typeof createServer>,
    certificate: Uint8Array,
    sockets: Set<TLSSocket>,
  ) {
    this.#server = server;
    this.#sockets = sockets;
    this.certificate = certificate;
    this.endpoint = { hostname: "127.0.0.1", port: (server.address() as { port: number }).port };
    server.on("secureConnection", (socket) => {
      socket.on("data", (data: Uint8Array) => this.heard += data.length);
    });
  }

  /**
   * @param name of its identity, which is made the first time
   * @param port 0 lets the system choose
   */
  static async start(folder: TempFolder, name: string, port = 0): Promise<ShownServer> {
    await Deno.mkdir(folder.file(name), { recursive: true });
    const { key, certificatePem, certificate } = await loadIdentity(folder.file(name));
    const sockets = new Set<TLSSocket>();
    const server = createServer({ key, cert: certificatePem, minVersion: "TLSv1.3" });
    server.on("secureConnection", (socket) => {
      socket.on("error", () => {});
      sockets.add(socket);
    });
    server.on("tlsClientError", () => {});
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return new ShownServer(server, certificate, sockets);
  }

  /** As another server names it. */
  get named(): NamedServer {
    return {
      address: this.endpoint.hostname,
      port: this.endpoint.port,
      certificate: encodeCertificate(this.certificate),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}
