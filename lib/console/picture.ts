import { visibleLine } from "../protocol/visible.ts";
import { widthOf } from "./layout.ts";
import type { Page } from "./page.ts";
import type { Picture } from "./painter.ts";

/** What a newline and a tab are shown as in a line that is being typed. */
const SIGNS: Readonly<Record<string, string>> = { "\n": "␤", "\t": "␉" };

/** What is to be shown of a line. */
export interface Line {
  prompt: string;
  text: string;
  /** In UTF-16 code units of the text. */
  cursor: number;
  /** What a character is shown as, if not as itself. */
  standsFor: (character: string) => string | undefined;
}

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
const ASCII = /^[\x20-\x7e]*$/;

/**
 * A line in rows that end before the edge, so that no terminal wraps them by itself: a character counts as the
 * most columns that any terminal gives it.
 */
export function pictureOf({ prompt, text, cursor, standsFor }: Line, page: Page): Picture {
  const columns = Math.max(page.columns - 1, 2);
  const rows = [""];
  let used = 0;
  const append = (shown: string, width: number) => {
    if (used > 0 && used + width > columns) {
      rows.push("");
      used = 0;
    }
    rows[rows.length - 1] += shown;
    used += width;
  };
  const add = (part: string) => {
    if (ASCII.test(part)) return addAscii(part);
    for (const { segment } of graphemes.segment(part)) {
      const sign = SIGNS[segment] ?? standsFor(segment);
      if (sign !== undefined) addAscii(sign);
      else append(visibleLine(segment), widthOf(visibleLine(segment), page));
    }
  };
  const addAscii = (part: string) => {
    for (let rest = part; rest !== "";) {
      if (used >= columns) {
        rows.push("");
        used = 0;
      }
      const piece = rest.slice(0, columns - used);
      rows[rows.length - 1] += piece;
      used += piece.length;
      rest = rest.slice(piece.length);
    }
  };
  add(prompt);
  add(text.slice(0, cursor));
  const row = rows.length - 1;
  const before = rows[row]!;
  add(text.slice(cursor));
  return { rows, row, before };
}
