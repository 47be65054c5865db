import { MAX_TEXT_BYTES } from "./limits.ts";
import { ProtocolError } from "./errors.ts";

const utf8 = new TextEncoder();

// Every control character but tab and newline.
// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/**
 * A message's text as it is delivered: what was sent, if the rules allow it.
 *
 * @throws {ProtocolError} `bad-text`, with the rule that the text breaks
 */
export function parseText(raw: string): string {
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
  const bytes = utf8.encode(raw).length;
  if (bytes > MAX_TEXT_BYTES) {
    throw new ProtocolError(
      "bad-text",
      `the message has ${bytes} bytes; at most ${MAX_TEXT_BYTES} are allowed`,
    );
  }
  return raw;
}
