import { MAX_TEXT_BYTES, MAX_TOPIC_LENGTH, MAX_WHY_LENGTH } from "./limits.ts";
import { ProtocolError } from "./errors.ts";

const utf8 = new TextEncoder();

// Every control character but tab and newline.
// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

/** How long a text may be. */
export interface TextLimits {
  /** In bytes of UTF-8. @default {@linkcode MAX_TEXT_BYTES} */
  textBytes?: number;
  /** In extended grapheme clusters (Unicode Standard Annex #29). @default no other limit */
  textGraphemes?: number;
}

/**
 * A message's text as it is delivered: what was sent, if the rules allow it.
 *
 * @throws {ProtocolError} `bad-text`, with the rule that the text breaks
 */
export function parseText(
  raw: string,
  { textBytes = MAX_TEXT_BYTES, textGraphemes = MAX_TEXT_BYTES }: TextLimits = {},
): string {
  if (raw.trim() === "") throw new ProtocolError("bad-text", "the message is empty");
  if (!raw.isWellFormed()) {
    throw new ProtocolError("bad-text", "the message is not valid Unicode");
  }
  if (CONTROL.test(raw)) {
    throw new ProtocolError(
      "bad-text",
      "the message holds a control character; only newline and tab are allowed",
    );
  }
  // A UTF-16 code unit takes three bytes at most: most texts need not be measured.
  if (3 * raw.length <= Math.min(textBytes, textGraphemes)) return raw;
  const bytes = utf8.encode(raw).length;
  if (bytes > textBytes) {
    throw new ProtocolError(
      "bad-text",
      `the message has ${bytes} bytes; at most ${textBytes} are allowed`,
    );
  }
  // Counting takes its time, and there are no more characters than bytes.
  if (bytes > textGraphemes && count(graphemes.segment(raw)) > textGraphemes) {
    throw new ProtocolError(
      "bad-text",
      `the message is too long: at most ${textGraphemes} characters are allowed`,
    );
  }
  return raw;
}

/**
 * A room's topic as it is kept: one line.
 *
 * @throws {ProtocolError} `bad-text`, with the rule that the topic breaks
 */
export function parseTopic(raw: string): string {
  return parseLine(raw, { what: "a topic", length: MAX_TOPIC_LENGTH });
}

/** Why an operator does something, under the same rules. */
export function parseWhy(raw: string): string {
  return parseLine(raw, { what: "a reason", length: MAX_WHY_LENGTH });
}

function parseLine(raw: string, { what, length }: { what: string; length: number }): string {
  const line = raw.trim();
  if (line.length > length) {
    throw new ProtocolError("bad-text", `${what} has at most ${length} characters`);
  }
  if (!line.isWellFormed() || /\p{Cc}/u.test(line)) {
    throw new ProtocolError("bad-text", `${what} is one line, without control characters`);
  }
  return line;
}

function count(items: Iterable<unknown>): number {
  let number = 0;
  for (const _ of items) number++;
  return number;
}
