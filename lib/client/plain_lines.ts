import type { Readable } from "node:stream";
import { LineDecoder } from "../protocol/lines.ts";
import { MAX_TEXT_BYTES } from "../protocol/limits.ts";
import type { LineSource } from "./console.ts";

/** Room for a command and a username before the longest text. */
const MAX_INPUT_LINE_BYTES = MAX_TEXT_BYTES + 1_024;

/** Lines from a pipe or a file. */
export class PlainLines implements LineSource {
  readonly #input: Readable;
  readonly #lines: AsyncGenerator<string>;

  constructor(input: Readable) {
    this.#input = input;
    this.#lines = readLines(input);
  }

  async read(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : value;
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
  for await (const chunk of input) {
    for (const line of decoder.decode(chunk)) yield withoutCr(line);
  }
  const last = decoder.end();
  if (last !== undefined) yield withoutCr(last);
}

/** Windows ends lines with CR LF. */
function withoutCr(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
