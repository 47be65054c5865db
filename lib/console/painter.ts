import { widthOf } from "./layout.ts";
import type { Page } from "./page.ts";

/** What a line is shown as: its rows, and what of one of them stands before the cursor. */
export interface Picture {
  rows: readonly string[];
  row: number;
  before: string;
}

const NOTHING: Picture = { rows: [""], row: 0, before: "" };

/** Erases from the cursor to the end of the screen. */
const ERASE = "\x1b[J";

/**
 * Shows a line that is being typed, and writes only what changes. The cursor's column is never counted: what
 * stands before it is written again, so that it is right however wide the terminal shows a character.
 */
export class Painter {
  readonly #write: (text: string) => void;
  /** Whether the terminal knows no way but on. */
  readonly #dumb: boolean;
  #shown = NOTHING;

  constructor(write: (text: string) => void, dumb: boolean) {
    this.#write = write;
    this.#dumb = dumb;
  }

  paint(next: Picture): void {
    const { rows, row, before } = this.#shown;
    const last = rows.length - 1;
    const changed = rows.findIndex((text, at) => text !== next.rows[at]);
    const from = changed < 0 ? last : changed;
    const grows = row === last && before === rows[last] && from === last &&
      next.rows[last]?.startsWith(rows[last]!);
    const isSame = changed < 0 && next.rows.length === rows.length;
    if (isSame && next.row === row && next.before === before) return;
    let output = "";
    if (grows) {
      output = [next.rows[last]!.slice(before.length), ...next.rows.slice(last + 1)].join("\r\n");
    } else if (this.#dumb) output = `\r\n${next.rows.join("\r\n")}`;
    else if (!isSame) {
      output = vertical(from - row) + "\r" + ERASE + next.rows.slice(from).join("\r\n");
    }
    const end = isSame && !grows ? row : next.rows.length - 1;
    const atEnd = next.row === next.rows.length - 1 && next.before === next.rows.at(-1);
    if (!this.#dumb && !(atEnd && (grows || !isSame))) {
      output += vertical(next.row - end) + "\r" + next.before;
    }
    this.#shown = next;
    if (output !== "") this.#write(output);
  }

  /** Takes away what is shown. */
  clear(): void {
    const { rows, row } = this.#shown;
    if (rows.length > 1 || rows[0] !== "") {
      this.#write(this.#dumb ? "\r\n" : vertical(-row) + "\r" + ERASE);
    }
    this.#shown = NOTHING;
  }

  /** Leaves what is shown where it is, and goes to a new line. */
  leave(): void {
    const { rows, row } = this.#shown;
    this.#write(`${this.#dumb ? "" : vertical(rows.length - 1 - row)}\r\n`);
    this.#shown = NOTHING;
  }

  /** Nothing is shown any more: somebody else has written. */
  forget(): void {
    this.#shown = NOTHING;
  }

  /**
   * Somebody else may have written, and this may have been painted after that: the cursor's row is ours, and
   * nothing above it is.
   */
  restart(): void {
    this.#shown = NOTHING;
    if (!this.#dumb) this.#write("\r" + ERASE);
  }

  /** The terminal has another width, and has wrapped what is shown anew. */
  reflow(page: Page): void {
    const { rows, row, before } = this.#shown;
    const heights = rows.slice(0, row).map((text) => Math.ceil(widthOf(text, page) / page.columns));
    const above = heights.reduce((sum, height) => sum + Math.max(height, 1), 0);
    const place = above + Math.floor(widthOf(before, page) / page.columns);
    this.#shown = { ...this.#shown, row: place };
  }
}

function vertical(rows: number): string {
  return rows === 0 ? "" : rows < 0 ? `\x1b[${-rows}A` : `\x1b[${rows}B`;
}
