import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** A certificate as it travels: DER. */
export type Certificate = Uint8Array;

/** The SHA-256 of a certificate, as openssl writes it: upper-case hexadecimal pairs and colons. */
export function fingerprintOf(certificate: Certificate): string {
  const digest = createHash("sha256").update(certificate).digest("hex");
  return digest.toUpperCase().match(/../g)!.join(":");
}

/**
 * A fingerprint that somebody typed, as {@linkcode fingerprintOf} writes it: 64 hexadecimal digits in
 * any letter case, with or without colons. Undefined where it is none.
 */
export function parseFingerprint(text: string): string | undefined {
  const digits = text.replaceAll(":", "").toUpperCase();
  return /^[0-9A-F]{64}$/.test(digits) ? digits.match(/../g)!.join(":") : undefined;
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
