import { abortable } from "@std/async/abortable";
import { ExitCode, ExitError } from "../exit.ts";
import type { Certificate } from "../net/certificate.ts";
import { type Connection, type Endpoint, formatEndpoint } from "../net/connection.ts";
import { type ByteStream, StreamConnection } from "../net/stream.ts";
import { type DatagramSocket, UdpSocket } from "../net/udp.ts";
import { MAX_LOGIN_LINE_BYTES } from "../protocol/limits.ts";
import { LineDecoder } from "../protocol/lines.ts";
import { parseServerRecord } from "../protocol/records.ts";
import { explainDialError } from "./dial_error.ts";
import { decideTrust, dialTrusted, type Trust } from "./trust.ts";

/** How long a server may take to show that it is a plain one, in milliseconds. */
const PLAIN_PROBE_MS = 2_000;

/** How long a plain connection may take, in milliseconds; a TLS one has its own limit. */
const CONNECT_LIMIT_MS = 10_000;

/**
 * How to reach a server. The first connection finds out whom to trust, and so for good; it may take
 * files for that, the later ones need none.
 *
 * @param trust whom to trust; undefined for no encryption
 * @returns what opens a connection. It throws an {@linkcode ExitError}: `unreachable`, where nobody
 *   answers; `identity`, where the server is not who it should be
 */
export function dialer(server: Endpoint, trust: Trust | undefined): () => Promise<Connection> {
  let trusted: Certificate | undefined;
  const dial = async (): Promise<ByteStream> => {
    if (trust === undefined) return await dialPlain(server);
    trusted ??= await decideTrust(server, trust);
    return await dialTrusted(server, trusted, trust);
  };
  return async () => {
    try {
      return new StreamConnection(await dial());
    } catch (cause) {
      if (cause instanceof ExitError) throw cause;
      if (trust !== undefined && await isPlain(server)) throw plainServer(server, cause);
      throw new ExitError(ExitCode.unreachable, explainDialError(server, cause), { cause });
    }
  };
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

async function dialPlain(server: Endpoint): Promise<Deno.TcpConn> {
  const connecting = Deno.connect(server);
  try {
    const conn = await abortable(connecting, AbortSignal.timeout(CONNECT_LIMIT_MS));
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
