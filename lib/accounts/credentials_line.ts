import { createHash } from "node:crypto";
import { parseUsername } from "../protocol/names.ts";
import { formatPhc, parsePhc, type PasswordHash } from "./phc.ts";

const PHC_PREFIX = "$scrypt$";

/** What a line of `credentials.txt` says. */
export interface CredentialsLine {
  username: string;
  /** The hash, or the password itself in a line of the older program. */
  secret: { hash: PasswordHash } | { password: string };
  /** When the account was made, to the second; earlier versions did not write it down. */
  created?: Date;
  /** What it is on the server. @default "user" */
  role?: "operator";
}

/** One whose password is hashed. */
export type HashedLine = CredentialsLine & { secret: { hash: PasswordHash } };

/** The identity of an account whose password is stored as it is. */
export const PLAIN_IDENTITY = "plain";

const OPERATOR = "operator";

/** What may stand behind a hash: a time, then a role, or what a crash left of them. */
const BEHIND = /^(\S+)(?: ([0-9T:Z-]*))?(?: ([a-z]*))?$/;

/**
 * Reads one line: `name:`, a PHC string, and behind spaces when the account was made (RFC 3339, UTC) and
 * `operator` if it is one; or a name and a password as the older program wrote them,
 * cut at the first space, colon or comma. What begins like a hash is never taken for a password, nor
 * is the mere beginning of a hash: such a line was cut short by a crash.
 *
 * @returns undefined where the line can't be read
 */
export function parseCredentialsLine(line: string): CredentialsLine | undefined {
  const match = /^([^ :,]+)[ :,](.+)$/s.exec(line.replace(/\r$/, ""));
  if (match === null) return undefined;
  const secret = match[2]!;
  if (PHC_PREFIX.startsWith(secret)) return undefined;
  let username: string;
  try {
    username = parseUsername(match[1]!);
  } catch {
    return undefined;
  }
  if (!secret.startsWith(PHC_PREFIX)) return { username, secret: { password: secret } };
  const [, phc = "", time = "", role = ""] = BEHIND.exec(secret) ?? [];
  const hash = parsePhc(phc);
  if (hash === undefined || !OPERATOR.startsWith(role)) return undefined;
  const created = /^.{10}T.{8}Z$/.test(time) ? new Date(time) : new Date(NaN);
  return {
    username,
    secret: { hash },
    ...!isNaN(created.getTime()) && { created },
    ...role === OPERATOR && { role },
  };
}

/** The line for an account whose password is hashed. */
export function formatCredentialsLine(
  { username, secret, created, role }: CredentialsLine & { secret: { hash: PasswordHash } },
): string {
  const time = created === undefined ? "" : ` ${formatTime(created)}`;
  return `${username}:${formatPhc(secret.hash)}${time}${role === undefined ? "" : ` ${role}`}`;
}

/** A time to the second (RFC 3339, UTC). */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+/, "");
}

/** What tells the account from others of its name: the salt, which it keeps when its password is changed. */
export function identityOf(account: CredentialsLine): string {
  return saltOf(account)?.toHex() ?? PLAIN_IDENTITY;
}

/** What stands for the account's password: SHA-256 as hexadecimal digits, which tell nothing about it. */
export function credentialOf(account: CredentialsLine): string {
  return createHash("sha256").update(secretOf(account)).digest("hex");
}

/** Undefined where the password is stored as it is. */
export function saltOf({ secret }: CredentialsLine): Uint8Array | undefined {
  return "hash" in secret ? secret.hash.salt : undefined;
}

/** The hash, or the password, as it stands in the file. */
export function secretOf({ secret }: CredentialsLine): string {
  return "hash" in secret ? formatPhc(secret.hash) : secret.password;
}
