import { networkInterfaces } from "node:os";
import { ExitCode, ExitError } from "../exit.ts";
import type { Identity } from "./identity.ts";
import { UdpSocket } from "./udp.ts";

/** A TCP and a UDP socket of one port number. */
export interface Ports {
  tcp: Deno.TcpListener | Deno.TlsListener;
  udp: UdpSocket;
  port: number;
}

/** How often to look for a number that is free for TCP and UDP. */
const TRIES = 100;

/** Options of {@linkcode bindPorts}. */
export interface PortsOptions {
  /** The address to listen on. @default every address, IPv6 and IPv4 */
  hostname?: string | undefined;
  /** What to speak TLS with. @default no TLS */
  identity?: Identity | undefined;
}

/**
 * Binds `port` for TCP and UDP. With port 0 the system chooses.
 *
 * @throws {ExitError} `refused`, where the port or the address can't be had
 */
export function bindPorts(port: number, options: PortsOptions = {}): Ports {
  try {
    return bindSomewhere(port, options);
  } catch (cause) {
    throw new ExitError(ExitCode.refused, whyNot(port, options.hostname, cause), { cause });
  }
}

function whyNot(port: number, hostname: string | undefined, error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return `port ${port} is in use by another program: choose another one`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `port ${port} is not permitted: choose one above 1023`;
  }
  const reason = error instanceof Error ? error.message : String(error);
  return `port ${port}${hostname === undefined ? "" : ` at ${hostname}`} can't be had: ${reason}`;
}

function bindSomewhere(port: number, { hostname, identity }: PortsOptions): Ports {
  const bindSame = (hostname: string) => bindBoth(port, hostname, identity);
  if (hostname !== undefined) return bindSame(hostname);
  // Windows keeps IPv4 out of an IPv6 socket.
  if (Deno.build.os === "windows") return bindSame("0.0.0.0");
  try {
    return bindSame("::");
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) throw error;
    if (error instanceof Deno.errors.PermissionDenied) throw error;
    return bindSame("0.0.0.0");
  }
}

function bindBoth(port: number, hostname: string, identity: Identity | undefined): Ports {
  for (let tries = 1;; tries++) {
    const tcp = identity === undefined
      ? Deno.listen({ port, hostname })
      : Deno.listenTls({ port, hostname, cert: identity.certificatePem, key: identity.key });
    try {
      const udp = new UdpSocket({ port: (tcp.addr as Deno.NetAddr).port, hostname });
      return { tcp, udp, port: udp.port };
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
