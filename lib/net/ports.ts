import { networkInterfaces } from "node:os";
import { UdpSocket } from "./udp.ts";

/** A TCP and a UDP socket of one port number. */
export interface Ports {
  tcp: Deno.TcpListener;
  udp: UdpSocket;
  port: number;
}

/** How often to look for a number that is free for TCP and UDP. */
const TRIES = 100;

/**
 * Binds `port` for TCP and UDP. With port 0 the system chooses.
 *
 * @param hostname the address to listen on; by default every address, IPv6 and IPv4
 * @throws what `Deno.listen` and `Deno.listenDatagram` throw
 */
export function bindPorts(port: number, hostname?: string): Ports {
  if (hostname !== undefined) return bindSame(port, hostname);
  // Windows keeps IPv4 out of an IPv6 socket.
  if (Deno.build.os === "windows") return bindSame(port, "0.0.0.0");
  try {
    return bindSame(port, "::");
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw error;
    if (error instanceof Deno.errors.PermissionDenied) throw error;
    return bindSame(port, "0.0.0.0");
  }
}

function bindSame(port: number, hostname: string): Ports {
  for (let tries = 1;; tries++) {
    const tcp = Deno.listen({ port, hostname });
    try {
      const udp = new UdpSocket({ port: tcp.addr.port, hostname });
      return { tcp, udp, port: tcp.addr.port };
    } catch (error) {
      tcp.close();
      const again = port === 0 && error instanceof Deno.errors.AddrInUse && tries < TRIES;
      if (!again) throw error;
    }
  }
}

/** The addresses under which others reach this machine: IPv4, or IPv6 where there is no IPv4. */
export function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  const v4 = outside.filter(({ family }) => family === "IPv4");
  const own = (v4.length > 0 ? v4 : outside).map(({ address }) => address);
  return own.length > 0 ? [...new Set(own)] : ["127.0.0.1"];
}
