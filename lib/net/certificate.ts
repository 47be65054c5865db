import { Buffer } from "node:buffer";
import { createHash, X509Certificate } from "node:crypto";

/** A certificate as it travels: DER. */
export type Certificate = Uint8Array;

/** The SHA-256 of a certificate, as OpenSSH writes it: `SHA256:` and base64 without padding. */
export function fingerprintOf(certificate: Certificate): string {
  return formatFingerprint(createHash("sha256").update(certificate).digest());
}

/**
 * A fingerprint that somebody typed, as {@linkcode fingerprintOf} writes it. Besides that form it may be
 * 64 hexadecimal digits in any letter case, with or without colons, as openssl writes them. Undefined
 * where it is none.
 */
export function parseFingerprint(text: string): string | undefined {
  const digits = text.replaceAll(":", "");
  if (/^[0-9A-Fa-f]{64}$/.test(digits)) return formatFingerprint(Buffer.from(digits, "hex"));
  const [, base64] = /^SHA256:([A-Za-z0-9+/]{43})=?$/i.exec(text) ?? [];
  if (base64 === undefined) return undefined;
  // 43 letters have two bits too many: where those are set, a letter is wrong.
  const fingerprint = formatFingerprint(Buffer.from(base64, "base64"));
  return fingerprint.endsWith(base64) ? fingerprint : undefined;
}

function formatFingerprint(digest: Buffer): string {
  return `SHA256:${digest.toString("base64").replace(/=$/, "")}`;
}

/** A certificate in base64, as it stands in records and files. */
export function encodeCertificate(certificate: Certificate): string {
  return Buffer.from(certificate).toString("base64");
}

/** The reverse; undefined where it is none. */
export function decodeCertificate(text: string): Certificate | undefined {
  const der = new Uint8Array(Buffer.from(text, "base64"));
  try {
    return new X509Certificate(der).raw.length === der.length ? der : undefined;
  } catch {
    return undefined;
  }
}

/** The PEM form (RFC 7468) of some DER. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** The DER of the first PEM block with this label; undefined where there is none. */
export function decodePem(label: string, pem: string): Uint8Array | undefined {
  const block = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`);
  const match = block.exec(pem);
  return match === null ? undefined : new Uint8Array(Buffer.from(match[1]!, "base64"));
}
