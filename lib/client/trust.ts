import { Buffer } from "node:buffer";
import { ExitCode, ExitError } from "../exit.ts";
import { type Certificate, fingerprintOf } from "../net/certificate.ts";
import { type Endpoint, formatEndpoint } from "../net/connection.ts";
import { describeFingerprint, fingerprintWords } from "../net/fingerprint_words.ts";
import type { KnownServers } from "../net/known_servers.ts";
import type { ByteStream } from "../net/stream.ts";
import { dialTls, IdentityError, ProofError, readCertificate } from "../net/tls_client.ts";

/** What a client knows about the servers it may trust. */
export interface Trust {
  /** The servers met before; undefined where there is no place to keep them. */
  knownServers: KnownServers | undefined;
  /** The fingerprint that the user demands. @default whatever is known, or else shown first */
  fingerprint?: string | undefined;
  /** Tells the user something, in one line or more. */
  say: (line: string) => void;
  /** The time of day, in milliseconds since 1970. */
  now: () => number;
}

/** Why a certificate is trusted: the client has met the server itself, or others have named it. */
export interface Trusted {
  certificate: Certificate;
  met: boolean;
}

/**
 * Whose certificate to trust: that of a server met before, or that of a new one, which is remembered.
 *
 * @param limitMs how long it may take to show it, in milliseconds
 * @throws {ExitError} `identity`, where the server is not who it should be
 * @throws what the system says where there is no TLS server
 */
export async function decideTrust(
  server: Endpoint,
  trust: Trust,
  limitMs?: number,
): Promise<Certificate> {
  return findKnown(server, trust) ?? await meet(server, trust, limitMs);
}

/**
 * Connects to the server that has a trusted certificate, over TLS.
 *
 * @param options `limitMs` for the handshake, in milliseconds
 * @throws {ExitError} `identity`, where another one answers
 * @throws what the system says where there is no TLS server
 */
export async function dialTrusted(
  server: Endpoint,
  { certificate: trusted, met }: Trusted,
  { trust, limitMs }: { trust: Trust; limitMs?: number | undefined },
): Promise<ByteStream> {
  try {
    return await dialTls(server, trusted, { limitMs });
  } catch (error) {
    const refused = error instanceof IdentityError || error instanceof ProofError;
    if (!refused) throw error;
    const shown = error instanceof IdentityError ? error.shown : await whatItShows(server);
    if (shown !== undefined && Buffer.compare(shown, trusted) !== 0) {
      throw met ? await changed(server, { trusted, shown }, trust) : stranger(server);
    }
    throw new ExitError(
      ExitCode.identity,
      `the server at ${formatEndpoint(server)} shows the right certificate but does not have its ` +
        "key: somebody else answers in its place",
      { cause: error },
    );
  }
}

/** The certificate to trust without a first contact. */
function findKnown(server: Endpoint, trust: Trust): Certificate | undefined {
  const demanded = trust.fingerprint;
  if (demanded === undefined) return trust.knownServers?.find(server);
  try {
    const known = trust.knownServers?.find(server);
    return known !== undefined && fingerprintOf(known) === demanded ? known : undefined;
  } catch {
    // What is remembered is damaged, and the user says whom to trust.
    return undefined;
  }
}

/** The first contact, or the one to which the user gave the fingerprint. */
async function meet(server: Endpoint, trust: Trust, limitMs?: number): Promise<Certificate> {
  const shown = await readCertificate(server, { limitMs });
  const fingerprint = fingerprintOf(shown);
  const where = formatEndpoint(server);
  if (trust.fingerprint !== undefined && trust.fingerprint !== fingerprint) {
    throw new ExitError(
      ExitCode.identity,
      `the server at ${where} has the fingerprint ${fingerprint}, not the one that was demanded: ` +
        "it is another server, or somebody else answers in its place",
    );
  }
  await trust.knownServers?.remember(server, shown);
  const voucher = trust.fingerprint === undefined
    ? trust.knownServers?.voucherOf(shown, trust.now())
    : undefined;
  if (voucher !== undefined) {
    trust.say(
      `first contact with ${where}: of the cluster of ${formatEndpoint(voucher)}, remembered`,
    );
    return shown;
  }
  const remembered = trust.knownServers === undefined ? "not remembered" : "remembered";
  trust.say(
    `first contact with ${where}: ${remembered}\n${await describeFingerprint(fingerprint)}`,
  );
  return shown;
}

/** The certificate that a server shows now, or undefined where there is none to be had. */
async function whatItShows(server: Endpoint): Promise<Certificate | undefined> {
  try {
    return await readCertificate(server);
  } catch {
    return undefined;
  }
}

/** Another one than the server that the cluster has named. */
export function stranger(server: Endpoint): ExitError {
  return new ExitError(
    ExitCode.identity,
    `the server at ${
      formatEndpoint(server)
    } is a stranger, and none of those that your chat's servers ` +
      "have named: nothing was sent to it",
  );
}

async function changed(
  server: Endpoint,
  { trusted, shown }: { trusted: Certificate; shown: Certificate },
  { knownServers }: Trust,
): Promise<ExitError> {
  const [before, now] = [trusted, shown].map(fingerprintOf) as [string, string];
  return new ExitError(
    ExitCode.identity,
    `the server at ${formatEndpoint(server)} is not the one that was met before ` +
      `(${before} in ${knownServers?.path}): it has been set up anew, or somebody ` +
      "else answers in its place. Nothing was sent to it. Ask its operator for the fingerprint; " +
      `only if it is the one shown now (in words: ${await fingerprintWords(now)}), ` +
      `accept it with --fingerprint ${now}`,
  );
}
