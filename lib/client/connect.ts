import type { Clock } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { type Endpoint, formatEndpoint } from "../net/connection.ts";
import { TcpConnection } from "../net/tcp.ts";
import { type DatagramSocket, UdpSocket } from "../net/udp.ts";
import type { Message } from "../protocol/records.ts";
import { ClientSession } from "./session.ts";

/**
 * Connects to a server and greets it.
 *
 * @throws {ExitError} `unreachable`, where nobody or something else answers; `refused`, where the
 *   server speaks another version of the protocol
 */
export async function connect(
  server: Endpoint,
  options: { clock: Clock; onMessage: (message: Message) => void },
): Promise<ClientSession> {
  const connection = new TcpConnection(await dial(server));
  return await ClientSession.open(connection, { ...options, openSocket });
}

async function dial(server: Endpoint): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect(server);
  } catch (cause) {
    throw new ExitError(ExitCode.unreachable, whyNot(server, cause), { cause });
  }
}

function whyNot(server: Endpoint, error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) {
    return `nobody listens at ${formatEndpoint(server)}: is the server running, is the port right?`;
  }
  const reason = error instanceof Error ? error.message : String(error);
  // The platform has no class of its own for a name that can't be resolved.
  if (/lookup|resolve/.test(reason)) return `there is no host ${JSON.stringify(server.hostname)}`;
  return `${formatEndpoint(server)} can't be reached: ${reason}`;
}

/** On the port of the TCP connection's end where that is free, otherwise on any. */
function openSocket({ hostname, port }: Endpoint): DatagramSocket | undefined {
  for (const candidate of [port, 0]) {
    try {
      return new UdpSocket({ hostname, port: candidate });
    } catch {
      // Taken, or there is no UDP at all.
    }
  }
  return undefined;
}
