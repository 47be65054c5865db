import { visible } from "../protocol/visible.ts";

/** The longest run of blanks that stays one, in columns: what it moves is not taken for the program's. */
const MAX_BLANKS = 3;
/** A longer run is shown as so many dots at most. */
const MAX_DOTS = 32;
const DOT = "·";
/** The columns of blanks that have more than one. */
const WIDER: Readonly<Record<string, number>> = { "\t": 4, "\u115f": 2, "\u3000": 2, "\u3164": 2 };
/** So many empty lines may follow each other. */
const MAX_EMPTY_LINES = 2;

// What takes up room and looks like nothing: white space, Hangul and Khmer fillers, an empty braille
// pattern, a note without a head, Egyptian blanks. Then what takes up none on most terminals.
const BLANK = String
  .raw`(?!\n)\p{White_Space}|[\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u{13441}\u{13442}\u{1d159}]`;
const UNSEEN = String.raw`(?!${BLANK})\p{Default_Ignorable_Code_Point}|\u{16fe4}`;

const ONE_BLANK = new RegExp(BLANK, "u");
const RUN = new RegExp(`(?:${BLANK}|${UNSEEN})+`, "gu");
/** The joiners and variation selectors of one emoji, or a joiner between two letters. */
const MAX_UNSEEN = 2;

/** What no font has to have, and no two terminals give the same width: unassigned, private. */
const UNKNOWN = /[\p{Cn}\p{Co}\p{Cs}]/gu;
/** More marks on one letter than any language needs: they would reach into other lines. */
const PILED_MARK = /(?<=\p{M}{4})\p{M}/gu;

/**
 * What others wrote, for people to read: nothing in it acts on the terminal, is invisible, or moves
 * what follows it by more than a few columns without being seen. Its lines stay lines.
 */
export function legible(text: string): string {
  return visible(text)
    .replaceAll(UNKNOWN, codePoint)
    .replaceAll(PILED_MARK, codePoint)
    .replaceAll(RUN, legibleRun)
    .replaceAll(/\n{2,}/g, (newlines) => newlines.slice(0, MAX_EMPTY_LINES + 1));
}

/** The same in one line: newlines are made visible too. */
export function legibleLine(text: string): string {
  return legible(text.replaceAll("\n", "<U+000A>"));
}

function legibleRun(run: string, at: number, text: string): string {
  const characters = [...run];
  const blanks = characters.filter((character) => ONE_BLANK.test(character));
  if (blanks.length === 0) {
    const rest = characters.slice(MAX_UNSEEN).map(codePoint);
    return [...characters.slice(0, MAX_UNSEEN), ...rest].join("");
  }
  if ((text[at + run.length] ?? "\n") === "\n") return "";
  const columns = blanks.reduce((sum, blank) => sum + (WIDER[blank] ?? 1), 0);
  return columns <= MAX_BLANKS ? " ".repeat(columns) : DOT.repeat(Math.min(columns, MAX_DOTS));
}

function codePoint(character: string): string {
  return `<U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}>`;
}
