import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { type Certificate, encodePem } from "./certificate.ts";
import type { Endpoint } from "./connection.ts";
import { IDENTITY_NAME } from "./identity.ts";
import { NodeStream } from "./node_stream.ts";
import type { ByteStream } from "./stream.ts";

/** How long a TLS handshake may take, in milliseconds. */
const HANDSHAKE_LIMIT_MS = 10_000;

/** The server showed another certificate than the one that is trusted. */
export class IdentityError extends Error {
  override name = "IdentityError";
  /** What it showed. */
  readonly shown: Certificate;

  constructor(shown: Certificate) {
    super("the server shows another certificate than the one that is trusted");
    this.shown = shown;
  }
}

/** The server did not prove that it has the key of the trusted certificate. */
export class ProofError extends Error {
  override name = "ProofError";
}

/** The codes with which TLS refuses a certificate, or the signature that goes with it. */
const REFUSED = /^(UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|CERT_|ERR_TLS_CERT)/;

/**
 * Reads the certificate that a server shows, believing nothing, and closes.
 *
 * @throws what the system says where there is no TLS server
 */
export async function readCertificate(
  server: Endpoint,
  { limitMs }: { limitMs?: number | undefined } = {},
): Promise<Certificate> {
  const socket = await handshake(server, { rejectUnauthorized: false }, limitMs);
  const shown = certificateOf(socket);
  socket.destroy();
  return shown;
}

/**
 * Connects to the server that has the key of the trusted certificate. Nothing is sent before that is
 * sure.
 *
 * @param options `limitMs` for the handshake, in milliseconds, 10,000 by default
 * @throws {IdentityError} where it shows another certificate
 * @throws {ProofError} where it does not prove that it has the key of the one it shows
 * @throws what the system says where there is no TLS server
 */
export async function dialTls(
  server: Endpoint,
  trusted: Certificate,
  { limitMs }: { limitMs?: number | undefined } = {},
): Promise<ByteStream> {
  const ca = [encodePem("CERTIFICATE", trusted)];
  const socket = await handshake(server, { ca }, limitMs).catch(
    (cause) => {
      const refused = REFUSED.test(cause.code) || cause instanceof ProofError;
      throw refused ? new ProofError(cause.message, { cause }) : cause;
    },
  );
  // `ca` only adds to the roots of the system: a certificate that one of those vouches for has
  // passed until here.
  const shown = certificateOf(socket);
  if (Buffer.compare(shown, trusted) !== 0) {
    socket.destroy();
    throw new IdentityError(shown);
  }
  const { localAddress = "", localPort = 0 } = socket;
  const { remoteAddress = server.hostname, remotePort = server.port } = socket;
  return new NodeStream(socket, {
    local: { hostname: localAddress, port: localPort },
    remote: { hostname: remoteAddress, port: remotePort },
  });
}

async function handshake(
  { hostname, port }: Endpoint,
  options: ConnectionOptions,
  limitMs = HANDSHAKE_LIMIT_MS,
): Promise<TLSSocket> {
  const socket = connectTls({
    host: hostname,
    port,
    servername: IDENTITY_NAME,
    minVersion: "TLSv1.3",
    ...options,
  });
  // Later errors are seen by whoever reads or writes.
  let failure = new Error("the connection ended in the middle of the TLS handshake");
  socket.on("error", (error) => failure = error);
  const signal = AbortSignal.timeout(limitMs);
  try {
    await once(socket, "secureConnect", { signal });
    if (socket.getPeerCertificate(true)?.raw) return socket;
    // Deno 2.7 also says so when the handshake has failed; then there is no certificate.
    if (!socket.closed) await once(socket, "close", { signal }).catch(() => {});
    throw /certificate/.test(failure.message)
      ? new ProofError(failure.message, { cause: failure })
      : failure;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function certificateOf(socket: TLSSocket): Certificate {
  return new Uint8Array(socket.getPeerCertificate(true).raw);
}
