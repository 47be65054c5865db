/**
 * Password hashes in the PHC string format, made with scrypt (RFC 7914):
 * `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, salt and hash in base64 without padding.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** What a hash costs: 2^ln rounds on blocks of 128 * r bytes, p times. */
export interface ScryptCost {
  ln: number;
  r: number;
  p: number;
}

/**
 * One of the settings that OWASP's Password Storage Cheat Sheet recommends, the one that takes the
 * least memory (16 MiB a hash): a whole class logs in at once.
 */
export const DEFAULT_COST: ScryptCost = { ln: 14, r: 8, p: 5 };

/** The most memory that a hash from the file may ask for, in bytes. */
const MAX_MEMORY_BYTES = 256 * 1_024 * 1_024;
const MAX_PARALLELIZATION = 16;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

const PHC =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,64})\$([A-Za-z0-9+/]{43})$/;

/** A password's hash and all that is needed to check a password against it. */
export interface PasswordHash {
  cost: ScryptCost;
  salt: Uint8Array;
  hash: Uint8Array;
}

/** Reads a PHC string; undefined where it is none, or asks for too much. */
export function parsePhc(phc: string): PasswordHash | undefined {
  const match = PHC.exec(phc);
  if (match === null) return undefined;
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  const memory = 128 * r * 2 ** ln;
  if (ln < 1 || r < 1 || p < 1 || p > MAX_PARALLELIZATION || memory > MAX_MEMORY_BYTES) {
    return undefined;
  }
  return {
    cost: { ln, r, p },
    salt: Buffer.from(match[4]!, "base64"),
    hash: Buffer.from(match[5]!, "base64"),
  };
}

/** The PHC string of a hash. */
export function formatPhc({ cost: { ln, r, p }, salt, hash }: PasswordHash): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(hash)}`;
}

/**
 * Hashes a password, off the event loop.
 *
 * @param salt of an account that had another password before; by default a new one
 */
export async function hashPassword(
  password: string,
  cost: ScryptCost,
  salt: Uint8Array = randomBytes(SALT_BYTES),
): Promise<PasswordHash> {
  return { cost, salt, hash: await derive(password, salt, cost) };
}

/** Whether a password is the one that was hashed. Off the event loop, in constant time. */
export async function verifyPassword(password: string, stored: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, stored.salt, stored.cost), stored.hash);
}

function derive(password: string, salt: Uint8Array, { ln, r, p }: ScryptCost): Promise<Uint8Array> {
  const options = { N: 2 ** ln, r, p, maxmem: 2 * MAX_MEMORY_BYTES };
  return new Promise((resolve, reject) => {
    scrypt(
      password,
      salt,
      HASH_BYTES,
      options,
      (error, key) => error ? reject(error) : resolve(key),
    );
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
