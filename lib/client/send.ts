import { abortable } from "@std/async/abortable";
import type { Clock } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { MAX_TEXT_BYTES } from "../protocol/limits.ts";
import { parseText } from "../protocol/text.ts";
import { legibleLine } from "../console/foreign.ts";
import type { ChatClient } from "./client.ts";
import { logInWith } from "./log_in.ts";
import { RequestError } from "./session.ts";

/** Input that is longer can't become a text, whatever line endings it has. */
const MAX_INPUT_BYTES = 2 * MAX_TEXT_BYTES;

/** One message that a script sends. */
export interface Outgoing {
  /** Whom to; undefined for everybody. */
  to: string | undefined;
  text: string;
}

/** Options of {@linkcode send}. */
export interface SendOptions {
  username: string;
  password: string;
  clock: Clock;
  /** How long it may take in all, in milliseconds. */
  limitMs: number;
  /** Aborted where it shall be given up; its reason is an {@linkcode ExitError}. */
  signal: AbortSignal;
  /** Tells the user something. */
  say: (line: string) => void;
}

/**
 * Logs in, sends one message, and logs out. When it is fulfilled the server has stored the message.
 *
 * @throws {ExitError} `unknown`, where the message was sent and no answer came: it may be stored or not;
 *   any other code means that it was not stored
 */
export async function send(
  open: () => Promise<ChatClient>,
  { to, text }: Outgoing,
  { username, password, clock, limitMs, signal, say }: SendOptions,
): Promise<void> {
  let client: ChatClient | undefined;
  let asked = false;
  const tooLate = new AbortController();
  const why = `there was no answer within ${limitMs / 1_000} s`;
  using _limit = clock.after(
    limitMs,
    () => tooLate.abort(new ExitError(ExitCode.unreachable, why)),
  );
  const work = async () => {
    client = await open();
    const user = await logInWith(client, { username, password });
    if (user.created) say(`new account: ${legibleLine(user.username)}`);
    asked = true;
    return to === undefined ? await client.publish(text) : await client.direct(to, text);
  };
  try {
    const working = work();
    // Nobody looks at it any more when it is too late.
    working.catch(() => {});
    const answer = await abortable(working, AbortSignal.any([signal, tooLate.signal]));
    if (typeof answer === "object" && answer.away) {
      say(`${legibleLine(to!)} is not here: the message is delivered at the next login`);
    }
    // It is stored, however the end goes.
    await client!.logout().catch(() => {});
  } catch (error) {
    client?.abort();
    if (error instanceof RequestError) {
      throw new ExitError(ExitCode.refused, `not sent: ${error.message}`, { cause: error });
    }
    if (!asked || !(error instanceof ExitError)) throw error;
    throw new ExitError(
      ExitCode.unknown,
      `nobody knows whether the message was stored: ${error.message}`,
      { cause: error },
    );
  }
}

/**
 * A text as a script gives it: the argument, or with `-` all of the input, without the newlines at its
 * end.
 *
 * @throws {ExitError} `usage`, where no server would take it
 */
export async function readText(
  argument: string,
  input: AsyncIterable<Uint8Array>,
): Promise<string> {
  try {
    const text = argument === "-" ? await readAll(input) : argument;
    return parseText(text.replaceAll("\r\n", "\n").replace(/\n+$/, ""));
  } catch (cause) {
    if (!(cause instanceof ProtocolError || cause instanceof TypeError)) throw cause;
    throw new ExitError(ExitCode.usage, `not sent: ${cause.message}`, { cause });
  }
}

/** @throws {TypeError} where it is no text */
async function readAll(input: AsyncIterable<Uint8Array>): Promise<string> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of input) {
      bytes += chunk.length;
      if (bytes > MAX_INPUT_BYTES) break;
      text += utf8.decode(chunk, { stream: true });
    }
    if (bytes <= MAX_INPUT_BYTES) return text + utf8.decode();
  } catch (cause) {
    throw new TypeError("the input is not valid UTF-8", { cause });
  }
  throw new TypeError(`a text has at most ${MAX_TEXT_BYTES} bytes`);
}
