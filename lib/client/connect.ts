import { abortable } from "@std/async/abortable";
import { ExitCode, ExitError } from "../exit.ts";
import { type Connection, type Endpoint, formatEndpoint } from "../net/connection.ts";
import { type ByteStream, StreamConnection } from "../net/stream.ts";
import { type DatagramSocket, UdpSocket } from "../net/udp.ts";
import { MAX_LOGIN_LINE_BYTES } from "../protocol/limits.ts";
import { LineDecoder } from "../protocol/lines.ts";
import { parseServerRecord } from "../protocol/records.ts";
import { explainDialError } from "./dial_error.ts";

/** How long a server may take to show that it is a plain one, in milliseconds. */
const PLAIN_PROBE_MS = 2_000;

/** How long a plain connection may take, in milliseconds; a TLS one has its own limit. */
const CONNECT_LIMIT_MS = 10_000;

/**
 * Connects to a server.
 *
 * @param dialTls opens a TLS connection to it; undefined for no encryption
 * @throws {ExitError} `unreachable`, where nobody answers; `identity`, where the server is not who it should be
 */
export async function connect(
  server: Endpoint,
  dialTls: (() => Promise<ByteStream>) | undefined,
  { limitMs = CONNECT_LIMIT_MS }: { limitMs?: number | undefined } = {},
): Promise<Connection> {
  try {
    return new StreamConnection(await (dialTls?.() ?? dialPlain(server, limitMs)));
  } catch (cause) {
    if (cause instanceof ExitError) throw cause;
    if (dialTls !== undefined && await isPlain(server)) throw plainServer(server, cause);
    throw new ExitError(ExitCode.unreachable, explainDialError(server, cause), { cause });
  }
}

/** The server speaks no TLS, and nobody said that this is all right. */
export class PlainServerError extends ExitError {
  override name = "PlainServerError";
}

function plainServer(server: Endpoint, cause: unknown): PlainServerError {
  return new PlainServerError(
    ExitCode.identity,
    `the server at ${formatEndpoint(server)} is plain: nothing shows who it is, and anybody on ` +
      "the network can read along. If that is all right, join it with --plain",
    { cause },
  );
}

async function dialPlain(server: Endpoint, limitMs: number): Promise<Deno.TcpConn> {
  const connecting = Deno.connect(server);
  try {
    const conn = await abortable(connecting, AbortSignal.timeout(limitMs));
    conn.setNoDelay(true);
    return conn;
  } catch (error) {
    connecting.then((conn) => conn.close(), () => {});
    throw error;
  }
}

/** Whether a server that does not speak TLS is a plain chat server: one says hello at once. */
async function isPlain(server: Endpoint): Promise<boolean> {
  try {
    using conn = await Deno.connect(server);
    const limit = setTimeout(() => conn.close(), PLAIN_PROBE_MS);
    try {
      const decoder = new LineDecoder(MAX_LOGIN_LINE_BYTES);
      for await (const chunk of conn.readable) {
        for (const line of decoder.decode(chunk)) return parseServerRecord(line)?.type === "hello";
      }
    } finally {
      clearTimeout(limit);
    }
  } catch {
    // Whatever it is, it is no plain chat server.
  }
  return false;
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
