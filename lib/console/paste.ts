import { Transform } from "node:stream";

/** Asks a terminal to mark what is pasted, and to stop doing so (xterm's bracketed paste mode). */
export const MARK_PASTES = "\x1b[?2004h";
export const UNMARK_PASTES = "\x1b[?2004l";

const BEGIN = "\x1b[200~";
const END = "\x1b[201~";

/** What a newline in a paste is shown as while the line that it is in can still be edited. */
export const NEWLINE_SIGN = "␤";

/**
 * Takes the marks of pastes out of what a terminal sends, and makes each newline inside a paste a
 * {@linkcode NEWLINE_SIGN}: a paste is one line to the line editor, not as many commands as it has
 * lines. A newline at its very end is left out, since Enter sends it.
 */
export class PasteDecoder {
  #pasting = false;
  /** What may be the beginning of a mark, or a newline at the end of a paste. */
  #held = "";

  /** What the line editor gets for a piece of the terminal's input, however it was cut. */
  decode(piece: string): string {
    let input = this.#held + piece;
    let output = "";
    for (;;) {
      const mark = this.#pasting ? END : BEGIN;
      const at = input.indexOf(mark);
      if (at < 0) break;
      output += this.#pasting ? inPaste(input.slice(0, at)).replace(/␤$/, "") : input.slice(0, at);
      this.#pasting = !this.#pasting;
      input = input.slice(at + mark.length);
    }
    const kept = this.#pasting ? heldBack(input, END, /[\r\n]+$/) : heldBack(input, BEGIN, /$/);
    this.#held = input.slice(input.length - kept);
    const rest = input.slice(0, input.length - kept);
    return output + (this.#pasting ? inPaste(rest) : rest);
  }
}

function inPaste(text: string): string {
  return text.replaceAll(/\r\n|\r|\n/g, NEWLINE_SIGN);
}

/** How many characters at the end of the input can't be decided on yet. */
function heldBack(input: string, mark: string, before: RegExp): number {
  let length = Math.min(mark.length - 1, input.length);
  while (!input.endsWith(mark.slice(0, length))) length--;
  const newlines = before.exec(input.slice(0, input.length - length))?.[0].length ?? 0;
  return length + newlines;
}

/** A terminal's input without the marks of pastes; raw mode goes to the terminal itself. */
export class PasteFilter extends Transform {
  readonly isTTY = true;
  readonly #decoder = new PasteDecoder();
  readonly #utf8 = new TextDecoder();
  readonly #setRawMode: (raw: boolean) => void;

  constructor(setRawMode: (raw: boolean) => void) {
    super();
    this.#setRawMode = setRawMode;
  }

  setRawMode(raw: boolean): this {
    this.#setRawMode(raw);
    return this;
  }

  override _transform(
    chunk: Uint8Array,
    _encoding: string,
    done: (error: null, output: string) => void,
  ): void {
    done(null, this.#decoder.decode(this.#utf8.decode(chunk, { stream: true })));
  }
}
