import { MAX_PASSWORD_BYTES, MAX_USERNAME_LENGTH } from "./limits.ts";
import { ProtocolError } from "./errors.ts";

const utf8 = new TextEncoder();

const USERNAME = /^[\p{L}\p{Nd}._-][\p{L}\p{M}\p{Nd}._-]*$/u;
const USERNAME_RULE = `a username has 1 to ${MAX_USERNAME_LENGTH} letters, digits, ".", "_" or "-"`;

/**
 * The normal form (Unicode NFC) of a username, as it is shown and stored.
 *
 * @throws {ProtocolError} `bad-username`, with the rule that the name breaks
 */
export function parseUsername(raw: string): string {
  const name = raw.isWellFormed() ? raw.normalize("NFC") : raw;
  const length = [...name].length;
  if (length === 0 || length > MAX_USERNAME_LENGTH || !USERNAME.test(name)) {
    throw new ProtocolError("bad-username", USERNAME_RULE);
  }
  return name;
}

/**
 * What two spellings of one username have in common: the key under which accounts are kept. Upper
 * case first, so that letters whose lower case differs by position or is several letters (final
 * sigma, sharp s) fold alike, as full case folding has it (Unicode, section 3.13).
 */
export function foldUsername(name: string): string {
  return name.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/**
 * The normal form (Unicode NFC, as RFC 8265, section 4.2 has it) of a password.
 *
 * @throws {ProtocolError} `bad-password`, with the rule that the password breaks
 */
export function parsePassword(raw: string): string {
  if (raw === "") throw new ProtocolError("bad-password", "a password can't be empty");
  const password = raw.isWellFormed() ? raw.normalize("NFC") : raw;
  if (!password.isWellFormed() || /\p{Cc}/u.test(password)) {
    throw new ProtocolError("bad-password", "a password has no control characters");
  }
  if (utf8.encode(password).length > MAX_PASSWORD_BYTES) {
    throw new ProtocolError(
      "bad-password",
      `a password has at most ${MAX_PASSWORD_BYTES} bytes`,
    );
  }
  return password;
}
