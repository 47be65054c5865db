import type { Clock } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { type Endpoint, formatEndpoint } from "../net/connection.ts";
import { type ByteStream, StreamConnection } from "../net/stream.ts";
import { type DatagramSocket, UdpSocket } from "../net/udp.ts";
import { MAX_LOGIN_LINE_BYTES } from "../protocol/limits.ts";
import { LineDecoder } from "../protocol/lines.ts";
import { type Message, parseServerRecord } from "../protocol/records.ts";
import { ClientSession } from "./session.ts";
import { dialTrusted, type Trust } from "./trust.ts";

/** How long a server may take to show that it is a plain one, in milliseconds. */
const PLAIN_PROBE_MS = 2_000;

/** Options of {@linkcode connect}. */
export interface ConnectOptions {
  clock: Clock;
  onMessage: (message: Message) => void;
  /** Whom to trust; undefined for no encryption. */
  trust: Trust | undefined;
}

/**
 * Connects to a server and greets it.
 *
 * @throws {ExitError} `unreachable`, where nobody or something else answers; `identity`, where the
 *   server is not who it should be; `refused`, where it speaks another version of the protocol
 */
export async function connect(server: Endpoint, options: ConnectOptions): Promise<ClientSession> {
  const stream = await dial(server, options.trust);
  return await ClientSession.open(new StreamConnection(stream), { ...options, openSocket });
}

async function dial(server: Endpoint, trust: Trust | undefined): Promise<ByteStream> {
  try {
    return trust === undefined ? await dialPlain(server) : await dialTrusted(server, trust);
  } catch (cause) {
    if (cause instanceof ExitError) throw cause;
    if (trust !== undefined && await isPlain(server)) {
      throw new ExitError(
        ExitCode.identity,
        `the server at ${
          formatEndpoint(server)
        } is plain: nothing shows who it is, and anybody on ` +
          "the network can read along. If that is all right, join it with --plain",
        { cause },
      );
    }
    throw new ExitError(ExitCode.unreachable, whyNot(server, cause), { cause });
  }
}

async function dialPlain(server: Endpoint): Promise<Deno.TcpConn> {
  const conn = await Deno.connect(server);
  conn.setNoDelay(true);
  return conn;
}

/** Whether a server that does not speak TLS is a plain chat server: one says hello at once. */
async function isPlain(server: Endpoint): Promise<boolean> {
  try {
    using conn = await Deno.connect(server);
    const limit = setTimeout(() => conn.close(), PLAIN_PROBE_MS);
    const decoder = new LineDecoder(MAX_LOGIN_LINE_BYTES);
    for await (const chunk of conn.readable) {
      clearTimeout(limit);
      for (const line of decoder.decode(chunk)) return parseServerRecord(line).type === "hello";
    }
  } catch {
    // Whatever it is, it is no plain chat server.
  }
  return false;
}

function whyNot(server: Endpoint, error: unknown): string {
  const where = formatEndpoint(server);
  const code = (error as { code?: string }).code;
  if (code === "ECONNREFUSED") {
    return `nobody listens at ${where}: is the server running, is the port right?`;
  }
  const reason = error instanceof Error ? error.message : String(error);
  // The platform has no class of its own for a name that can't be resolved.
  if (/lookup|resolve|ENOTFOUND/.test(reason)) {
    return `there is no host ${JSON.stringify(server.hostname)}`;
  }
  if (/tls|socket disconnected|InvalidContentType|corrupt|aborted/i.test(reason)) {
    return `${where} is no chat server: it does not speak TLS (${reason})`;
  }
  return `${where} can't be reached: ${reason}`;
}

/** On the port of the TCP connection's end where that is free, otherwise on any. */
export function openSocket({ hostname, port }: Endpoint): DatagramSocket | undefined {
  for (const candidate of [port, 0]) {
    try {
      return new UdpSocket({ hostname, port: candidate });
    } catch {
      // Taken, or there is no UDP at all.
    }
  }
  return undefined;
}
