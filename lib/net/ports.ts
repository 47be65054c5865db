import { networkInterfaces } from "node:os";
import { ExitCode, ExitError } from "../exit.ts";
import type { Identity } from "./identity.ts";
import { type Incoming, listen, type Listener } from "./listener.ts";
import { UdpSocket } from "./udp.ts";
import { reasonOf } from "../reasons.ts";

/** A TCP listener and a UDP socket of one port number. */
export interface Ports {
  tcp: Listener;
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
  /** The connections for which there are file descriptors. @default no limit */
  connections?: number | undefined;
  onIncoming: (incoming: Incoming) => void;
  /** There is no file descriptor for another connection. */
  onShortage: () => void;
}

/**
 * Binds `port` for TCP and UDP. With port 0 the system chooses.
 *
 * @throws {ExitError} `refused`, where the port or the address can't be had
 */
export async function bindPorts(port: number, options: PortsOptions): Promise<Ports> {
  try {
    return await bindSomewhere(port, options);
  } catch (cause) {
    throw new ExitError(ExitCode.refused, whyNoPort(port, cause, options.hostname), { cause });
  }
}

/** Why a port can't be had, for people. */
export function whyNoPort(port: number, error: unknown, hostname?: string): string {
  if (isInUse(error)) return `port ${port} is in use by another program: choose another one`;
  if (isNotPermitted(error)) return `port ${port} is not permitted: choose one above 1023`;
  return `port ${port}${hostname === undefined ? "" : ` at ${hostname}`} can't be had: ${
    reasonOf(error)
  }`;
}

/** Whether another program has the port. */
export function isInUse(error: unknown): boolean {
  return (error as { code?: string }).code === "EADDRINUSE";
}

function isNotPermitted(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    (error as { code?: string }).code === "EACCES";
}

async function bindSomewhere(
  port: number,
  { hostname, ...options }: PortsOptions,
): Promise<Ports> {
  if (hostname !== undefined) return await bindBoth(port, hostname, options);
  // Windows keeps IPv4 out of an IPv6 socket.
  if (Deno.build.os === "windows") return await bindBoth(port, "0.0.0.0", options);
  try {
    return await bindBoth(port, "::", options);
  } catch (error) {
    if (isInUse(error) || isNotPermitted(error)) throw error;
    return await bindBoth(port, "0.0.0.0", options);
  }
}

async function bindBoth(
  port: number,
  hostname: string,
  { identity, connections = Infinity, ...handlers }: Omit<PortsOptions, "hostname">,
): Promise<Ports> {
  for (let tries = 1;; tries++) {
    const tcp = await listen({ port, hostname, identity, connections, ...handlers });
    try {
      const udp = new UdpSocket({ port: tcp.port, hostname });
      return { tcp, udp, port: tcp.port };
    } catch (error) {
      tcp.close();
      if (port !== 0 || !isInUse(error) || tries >= TRIES) throw error;
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
