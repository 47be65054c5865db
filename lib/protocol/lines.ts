import { ProtocolError } from "./errors.ts";

const LF = 0x0a;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Cuts a stream of bytes into lines of UTF-8, however the bytes are split into chunks. Memory stays
 * under the cap: a line that is too long is refused at the byte that breaks the cap, not at its end.
 */
export class LineDecoder {
  /** The most bytes that a line may have, without its LF. May change between chunks. */
  maxBytes: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** The bytes of the line that has begun and has no LF yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Yields each line that `chunk` completes, without its LF. Lazy, so that a caller may change
   * `maxBytes` between two lines of one chunk; it has to be run to its end.
   *
   * @throws {ProtocolError} `bad-record`, where a line is too long or no UTF-8. The decoder is of no
   *   use after that.
   */
  *decode(chunk: Uint8Array): Generator<string> {
    let start = 0;
    const last = chunk.lastIndexOf(LF);
    let together = true;
    while (start < chunk.length) {
      // Lines that have come together are decoded together, unless one of them may be refused.
      if (together && this.#pendingBytes === 0 && start < last && last - start <= this.maxBytes) {
        const lines = tryDecode(chunk.subarray(start, last))?.split("\n");
        if (lines !== undefined) {
          yield* lines;
          start = last + 1;
          continue;
        }
        together = false;
      }
      const end = chunk.indexOf(LF, start);
      const part = chunk.subarray(start, end < 0 ? chunk.length : end);
      this.#pendingBytes += part.length;
      if (this.#pendingBytes > this.maxBytes) {
        throw new ProtocolError("bad-record", `a line is longer than ${this.maxBytes} bytes`);
      }
      if (end < 0) {
        // A copy: whoever read the chunk may use its memory again.
        this.#pending.push(part.slice());
        return;
      }
      yield this.#complete(part);
      start = end + 1;
    }
  }

  /** What stands after the last LF, or undefined where that is nothing. */
  end(): string | undefined {
    return this.#pendingBytes > 0 ? this.#complete(new Uint8Array()) : undefined;
  }

  #complete(last: Uint8Array): string {
    const line = this.#pending.length === 0 ? last : concat([...this.#pending, last]);
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      return utf8.decode(line);
    } catch (cause) {
      throw new ProtocolError("bad-record", "a line is not valid UTF-8", { cause });
    }
  }
}

/** Undefined where the bytes are no UTF-8. */
function tryDecode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** One array with the bytes of all `parts`, in order. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
