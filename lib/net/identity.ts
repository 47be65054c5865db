import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { ExitCode, ExitError } from "../exit.ts";
import { reasonOf } from "../reasons.ts";
import { type Certificate, decodePem, encodePem } from "./certificate.ts";

/**
 * The only name in a server's certificate. A client trusts the very certificate and not a name, so
 * that addresses may change.
 */
export const IDENTITY_NAME = "chatserver";

const KEY_LABEL = "PRIVATE KEY";
const CERTIFICATE_LABEL = "CERTIFICATE";

/** A server's key and the certificate that it shows. */
export interface Identity {
  /** The private key (PKCS #8), PEM. */
  key: string;
  certificate: Certificate;
  /** The same certificate, PEM. */
  certificatePem: string;
}

/**
 * The identity in `identity.pem` in a data folder; made where there is none.
 *
 * @throws {ExitError} `refused`, where the file is there and can't be used, or can't be written
 */
export async function loadIdentity(folder: string): Promise<Identity> {
  const path = join(folder, "identity.pem");
  let pem: string;
  try {
    pem = await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw unusable(path, cause);
    pem = await makeIdentity();
    await writeNew(path, pem).catch((cause) => {
      const problem = `${JSON.stringify(path)} can't be written: ${reasonOf(cause)}`;
      throw new ExitError(ExitCode.refused, problem, { cause });
    });
  }
  const key = decodePem(KEY_LABEL, pem);
  const certificate = decodePem(CERTIFICATE_LABEL, pem);
  if (key === undefined || certificate === undefined) throw unusable(path);
  if (!belongTogether(encodePem(KEY_LABEL, key), certificate)) throw unusable(path);
  // An older copy may be everybody's to read.
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o600);
  return {
    key: encodePem(KEY_LABEL, key),
    certificate,
    certificatePem: encodePem(CERTIFICATE_LABEL, certificate),
  };
}

/** Whether these are a key and a certificate, and the certificate is for the key. */
function belongTogether(key: string, certificate: Certificate): boolean {
  const publicPart = (key: KeyObject) =>
    key.export({ type: "spki", format: "der" }).toString("hex");
  try {
    const certified = new X509Certificate(certificate).publicKey;
    return publicPart(certified) === publicPart(createPublicKey(createPrivateKey(key)));
  } catch {
    return false;
  }
}

function unusable(path: string, cause?: unknown): ExitError {
  const reason = cause === undefined ? "it holds no key with its certificate" : reasonOf(cause);
  return new ExitError(
    ExitCode.refused,
    `${JSON.stringify(path)} can't be used: ${reason}. Put a copy of it back; ` +
      "without one the server gets a new identity, and every client will refuse it at first",
    { cause },
  );
}

/** Written whole or not at all, for the owner's eyes only. */
async function writeNew(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  {
    using file = await Deno.open(temporary, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o600,
    });
    await file.write(new TextEncoder().encode(text));
    await file.sync();
  }
  await Deno.rename(temporary, path);
}

/** A new key (ECDSA, P-256) and a certificate for it, signed by itself, in PEM. */
async function makeIdentity(): Promise<string> {
  // Only a first start needs this library.
  const x509 = await import("@peculiar/x509");
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${IDENTITY_NAME}`,
    // Wrong clocks must not matter.
    notBefore: new Date("2000-01-01T00:00:00Z"),
    notAfter: new Date("9999-12-31T23:59:59Z"),
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: IDENTITY_NAME }]),
    ],
  });
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return encodePem(KEY_LABEL, key) +
    encodePem(CERTIFICATE_LABEL, new Uint8Array(certificate.rawData));
}
