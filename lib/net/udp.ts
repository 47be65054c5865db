import type { Endpoint } from "./connection.ts";

/** How long to wait after an error, in milliseconds. */
const ERROR_PAUSE_MS = 5;

/** A UDP socket: datagrams in, datagrams out. Small, so that a test can fake it. */
export interface DatagramSocket extends Disposable {
  readonly port: number;
  /** Sends a datagram. One that can't be sent is lost, as any may be. */
  send(datagram: Uint8Array, to: Endpoint): void;
  /**
   * Receives until the socket is disposed of. To be called once.
   *
   * @param take is given each datagram; its memory is the next one's too
   */
  receive(take: (datagram: Uint8Array, from: Endpoint) => void): Promise<void>;
}

/** The operating system's UDP. */
export class UdpSocket implements DatagramSocket {
  readonly #socket: Deno.DatagramConn;
  #closed = false;

  /** @throws what `Deno.listenDatagram` throws */
  constructor(options: { hostname: string; port: number }) {
    this.#socket = Deno.listenDatagram({ ...options, transport: "udp" });
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  send(datagram: Uint8Array, { hostname, port }: Endpoint): void {
    if (this.#closed) return;
    this.#socket.send(datagram, { transport: "udp", hostname, port }).catch(() => {});
  }

  async receive(take: (datagram: Uint8Array, from: Endpoint) => void): Promise<void> {
    // Larger than any packet, so that an oversized one is seen to be one.
    const buffer = new Uint8Array(2_048);
    while (!this.#closed) {
      let received;
      try {
        received = await this.#socket.receive(buffer);
      } catch {
        if (this.#closed) return;
        // Windows reports here that an earlier datagram found nobody (error 10054), or that one was
        // too long. Neither ends the socket; should anything else, this must not spin.
        await new Promise((resolve) => setTimeout(resolve, ERROR_PAUSE_MS));
        continue;
      }
      // The runtime's own address is an object that takes six times the memory, and sessions keep theirs.
      const { hostname, port } = received[1] as Deno.NetAddr;
      take(received[0], { hostname, port });
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}
