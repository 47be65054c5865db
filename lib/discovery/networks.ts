import createMulticastDns, { type MulticastDns } from "multicast-dns";
import { networkInterfaces } from "node:os";

/** A multicast socket for each network that the machine is connected to. */
export interface NetworksOptions {
  /** Only the network of this address. @default all */
  hostname?: string | undefined;
  /** A socket is there, on the network of an address. */
  onSocket: (socket: MulticastDns, address: string) => void;
  /** There can't be one, or it does not work any more. */
  onError: (error: Error) => void;
}

/** The sockets for multicast DNS (RFC 6762), one a network: each sends and hears on its own. */
export class Networks implements AsyncDisposable {
  readonly #options: NetworksOptions;
  readonly #sockets = new Map<string, MulticastDns>();

  constructor(options: NetworksOptions) {
    this.#options = options;
    this.refresh();
  }

  /** How many there are. */
  get count(): number {
    return this.#sockets.size;
  }

  /** Sees which networks have come and gone. */
  refresh(): void {
    const addresses = new Set(this.#addresses());
    for (const [address, socket] of this.#sockets) {
      if (addresses.has(address)) continue;
      this.#sockets.delete(address);
      socket.destroy();
    }
    for (const address of addresses) {
      if (!this.#sockets.has(address)) this.#open(address);
    }
  }

  #open(address: string): void {
    const { onSocket, onError } = this.#options;
    try {
      // Bound to the address alone, it would not hear what goes to the group.
      const socket = createMulticastDns({ interface: address, bind: "0.0.0.0" });
      this.#sockets.set(address, socket);
      socket.on("error", onError);
      // Such as a packet of somebody else's that is none.
      socket.on("warning", () => {});
      onSocket(socket, address);
    } catch (error) {
      onError(error as Error);
    }
  }

  #addresses(): string[] {
    const { hostname } = this.#options;
    const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
    const outside = all.filter(({ family, internal }) => family === "IPv4" && !internal);
    return outside.map(({ address }) => address)
      .filter((address) => hostname === undefined || address === hostname);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = [...this.#sockets.values()].map((socket) =>
      new Promise<void>((resolve) => socket.destroy(resolve))
    );
    this.#sockets.clear();
    await Promise.all(closing);
  }
}
