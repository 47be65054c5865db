import { LineDecoder } from "../protocol/lines.ts";
import { MAX_TEXT_BYTES } from "../protocol/limits.ts";

/** A command's line, in bytes, without its LF: the longest text still fits if all of it is escaped. */
export const MAX_JSON_LINE_BYTES = 8 * MAX_TEXT_BYTES;

const LF = 0x0a;

/** What is no line of text; the reader goes on with the next one. */
export class BadLine {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** The lines of an input. One that is too long or no UTF-8 is skipped, and so is an empty one. */
export async function* readJsonLines(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<string | BadLine> {
  let decoder = new LineDecoder(MAX_JSON_LINE_BYTES);
  let skipping = false;
  for await (const chunk of input) {
    for (let rest = chunk; rest.length > 0;) {
      const end = rest.indexOf(LF) + 1;
      const part = end === 0 ? rest : rest.subarray(0, end);
      rest = rest.subarray(part.length);
      if (skipping) {
        skipping = end === 0;
        continue;
      }
      try {
        for (const line of decoder.decode(part)) if (line.trim() !== "") yield line;
      } catch (error) {
        skipping = end === 0;
        decoder = new LineDecoder(MAX_JSON_LINE_BYTES);
        yield new BadLine((error as Error).message);
      }
    }
  }
  try {
    const last = decoder.end();
    if (last !== undefined && last.trim() !== "") yield last;
  } catch (error) {
    yield new BadLine((error as Error).message);
  }
}

/** What a terminal could take for a command, or what moves other text: JSON escapes the rest itself. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu;

/** An object as a line, with its LF. Nothing in it can move a cursor. */
export function encodeJsonLine(value: Record<string, unknown>): string {
  const escaped = JSON.stringify(value).replace(UNSAFE, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""));
  return `${escaped}\n`;
}
