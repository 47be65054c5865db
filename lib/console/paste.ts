/** Asks a terminal to mark what is pasted, and to stop doing so (xterm's bracketed paste mode). */
export const MARK_PASTES = "\x1b[?2004h";
export const UNMARK_PASTES = "\x1b[?2004l";

const BEGIN = "\x1b[200~";
const END = "\x1b[201~";

/** A piece of what a terminal sends: keys, or the whole of a paste. */
export type Piece = { keys: string } | { paste: string };

/** Tells what is pasted from what is typed, by the marks around pastes. */
export class PasteDecoder {
  #pasting = false;
  /** A paste so far, or what may be the beginning of a mark. */
  #held = "";

  /** The pieces that are complete by now, however the terminal's input was cut. */
  decode(input: string): Piece[] {
    const pieces: Piece[] = [];
    let rest = this.#held + input;
    for (;;) {
      const mark = this.#pasting ? END : BEGIN;
      const at = rest.indexOf(mark);
      if (at < 0) break;
      const before = rest.slice(0, at);
      if (this.#pasting) pieces.push({ paste: pastedText(before) });
      else if (before !== "") pieces.push({ keys: before });
      this.#pasting = !this.#pasting;
      rest = rest.slice(at + mark.length);
    }
    const kept = this.#pasting ? rest.length : begunMark(rest);
    this.#held = rest.slice(rest.length - kept);
    const keys = rest.slice(0, rest.length - kept);
    if (keys !== "") pieces.push({ keys });
    return pieces;
  }
}

/** Text and line endings, and no key that acts. */
// deno-lint-ignore no-control-regex
const TEXT = /^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$/;

/** Whether keys come faster than anybody types: a paste by a terminal that does not mark it begins. */
export function beginsPaste(keys: string): boolean {
  return TEXT.test(keys) && /[\r\n][^\r\n]/.test(keys);
}

/** Whether they go on with one. */
export function continuesPaste(keys: string): boolean {
  return TEXT.test(keys);
}

/** What was pasted, with LF for newlines; one at the very end is left out, since Enter sends it. */
export function pastedText(text: string): string {
  return text.replaceAll(/\r\n|\r/g, "\n").replace(/\n$/, "");
}

/** How many characters at the end may be the beginning of a mark; an escape alone is a key. */
function begunMark(input: string): number {
  let length = Math.min(BEGIN.length - 1, input.length);
  while (!input.endsWith(BEGIN.slice(0, length))) length--;
  return length === 1 ? 0 : length;
}
