import { parseUsername } from "../protocol/names.ts";
import { parsePhc, type PasswordHash } from "./phc.ts";

const PHC_PREFIX = "$scrypt$";

/** What a line of `credentials.txt` says. */
export interface CredentialsLine {
  username: string;
  /** The hash, or the password itself in a line of the older program. */
  secret: { hash: PasswordHash } | { password: string };
}

/**
 * Reads one line: `name:` and a PHC string, or a name and a password as the older program wrote them,
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
  const hash = parsePhc(secret);
  return hash && { username, secret: { hash } };
}
