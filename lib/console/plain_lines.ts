import type { Readable } from "node:stream";
import { ExitCode, ExitError } from "../exit.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { LineDecoder } from "../protocol/lines.ts";
import { MAX_TEXT_BYTES } from "../protocol/limits.ts";
import type { LineSource } from "./console.ts";

/** For a command and a username before the longest text. */
const MAX_INPUT_LINE_BYTES = MAX_TEXT_BYTES + 1_024;

/** Lines from a pipe or a file. */
export class PlainLines implements LineSource {
  readonly #input: Readable;
  readonly #lines: AsyncGenerator<string>;

  constructor(input: Readable) {
    this.#input = input;
    this.#lines = readLines(input);
  }

  /** @throws {ExitError} `usage`, where the input can't be read as lines of text */
  async read(): Promise<string | undefined> {
    try {
      const { value, done } = await this.#lines.next();
      return done ? undefined : value;
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause;
      throw new ExitError(ExitCode.usage, `the input can't be read: ${cause.message}`, { cause });
    }
  }

  interrupt(write: () => void): void {
    write();
  }

  [Symbol.dispose](): void {
    this.#input.destroy();
  }
}

async function* readLines(input: Readable): AsyncGenerator<string> {
  const decoder = new LineDecoder(MAX_INPUT_LINE_BYTES);
  let first = true;
  /** Without what Windows adds: a byte order mark before the first line, a CR after each. */
  function bare(line: string): string {
    const begun = first && line.startsWith("\ufeff") ? line.slice(1) : line;
    first = false;
    return begun.endsWith("\r") ? begun.slice(0, -1) : begun;
  }
  for await (const chunk of input) {
    for (const line of decoder.decode(chunk)) yield bare(line);
  }
  const last = decoder.end();
  if (last !== undefined) yield bare(last);
}
