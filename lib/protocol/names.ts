import { MAX_PASSWORD_BYTES, MAX_USERNAME_LENGTH } from "./limits.ts";
import { ProtocolError } from "./errors.ts";

const utf8 = new TextEncoder();

const USERNAME = /^[\p{L}\p{Nd}._-][\p{L}\p{M}\p{Nd}._-]*$/u;
const USERNAME_RULE = `a username has 1 to ${MAX_USERNAME_LENGTH} letters, digits, ".", "_" or "-"`;

/** Characters that are not seen (Unicode Standard, section 5.21). */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;
/** More marks on one letter than any language needs. */
const PILED_MARKS = /\p{M}{5}/u;

/**
 * What the letters of one name may be mixed of: one of the scripts in everyday use (Unicode Standard
 * Annex #31, table 5), or what Japanese, Chinese and Korean mix (Unicode Technical Standard #39,
 * section 5.1).
 */
const SCRIPTS = [
  ...[
    "Latin",
    "Greek",
    "Cyrillic",
    "Armenian",
    "Georgian",
    "Hebrew",
    "Arabic",
    "Thaana",
    "Ethiopic",
  ],
  ...["Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada"],
  ...["Malayalam", "Sinhala", "Thai", "Lao", "Tibetan", "Myanmar", "Khmer"],
  ...["Han Hiragana Katakana", "Han Bopomofo", "Han Hangul"],
].map((scripts) => {
  const letters = scripts.split(" ").map((script) => `\\p{Script_Extensions=${script}}`).join("");
  return new RegExp(`^[0-9._${letters}-]*$`, "u");
});

/**
 * The normal form (Unicode NFC) of a username, as it is shown and stored: RFC 8265, section 3.4 in
 * spirit, with letters of one script. Names of another script that look like one of this are not found
 * out.
 *
 * @throws {ProtocolError} `bad-username`, with the rule that the name breaks
 */
export function parseUsername(raw: string): string {
  const name = raw.isWellFormed() ? raw.normalize("NFC") : raw;
  const length = [...name].length;
  if (length === 0 || length > MAX_USERNAME_LENGTH || !USERNAME.test(name)) {
    throw new ProtocolError("bad-username", USERNAME_RULE);
  }
  if (INVISIBLE.test(name) || PILED_MARKS.test(name)) {
    throw new ProtocolError("bad-username", "a username has letters that can be seen, one by one");
  }
  if (name !== name.normalize("NFKC")) {
    throw new ProtocolError("bad-username", "a username has no letters in another width or style");
  }
  if (!SCRIPTS.some((script) => script.test(name))) {
    throw new ProtocolError("bad-username", "a username has letters of one script only");
  }
  return name;
}

/** What stands before a room's name, for people. */
export const ROOM_SIGN = "#";

/** Who an announcement or a deletion is of that was made on the server's own machine: clients can't register this name. */
export const SERVER_NAME = "server";

/** The room that everybody is in, which no other one is named after. */
const LOBBY = "lobby";

/**
 * The normal form of a room's name, without its `#`: the rules of usernames.
 *
 * @param raw with a `#` or without
 * @throws {ProtocolError} `bad-room-name`, with the rule that the name breaks
 */
export function parseRoomName(raw: string): string {
  try {
    const name = parseUsername(raw.startsWith(ROOM_SIGN) ? raw.slice(1) : raw);
    if (foldUsername(name) !== LOBBY) return name;
  } catch (cause) {
    const rule = (cause as Error).message.replace("a username", "a room's name, after the #,");
    throw new ProtocolError("bad-room-name", rule, { cause });
  }
  throw new ProtocolError(
    "bad-room-name",
    "everybody is in the lobby already: PM reaches it, and no other room has its name",
  );
}

/**
 * The same for the name of an account that is to be made.
 *
 * @param maxLength in letters
 * @throws {ProtocolError} `bad-username`, with the rule that the name breaks
 */
export function parseNewUsername(raw: string, maxLength = MAX_USERNAME_LENGTH): string {
  const name = parseUsername(raw);
  if ([...name].length > maxLength) {
    throw new ProtocolError("bad-username", `a username has at most ${maxLength} letters here`);
  }
  // On a command line it would be a flag.
  if (name.startsWith("-")) {
    throw new ProtocolError("bad-username", 'a username does not begin with "-"');
  }
  return name;
}

const ASCII = /^[\0-\x7f]*$/;
/** The same without capital letters. */
const FOLDED_ASCII = /^[\0-@[-\x7f]*$/;

/**
 * What two spellings of one username have in common: the key under which accounts are kept. Upper
 * case first, so that letters whose lower case differs by position or is several letters (final
 * sigma, sharp s) fold alike, as full case folding has it (Unicode, section 3.13).
 */
export function foldUsername(name: string): string {
  // Most names, at once: each message asks for some, and lower case is another string, even where it is the same.
  if (FOLDED_ASCII.test(name)) return name;
  if (ASCII.test(name)) return name.toLowerCase();
  // Twice, since there is a capital sharp s, whose lower case is the one that the first round unfolds.
  const once = name.normalize("NFC").toUpperCase().toLowerCase();
  return once.toUpperCase().toLowerCase().normalize("NFC");
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
