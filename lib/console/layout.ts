import { eastAsianWidth } from "get-east-asian-width";
import type { Page } from "./page.ts";

/** So far what others wrote stands back from both edges; in right-to-left text the right one is the first. */
const MARGIN = 2;

/** Below this a wide character does not fit between the edge and what stands back from it. */
const MIN_ROOM = 2;

/**
 * Every line of what others wrote, standing back and wrapped, so that none looks like the program's
 * own. No line is wider than the page, if that has 4 columns or more.
 */
export function block(text: string, page: Page): string {
  return text.split("\n").flatMap((line) => [...wrap(line, page)]).map(standBack).join("\n");
}

/** A line of the program's with what others wrote in it; where it is wrapped, it stands back further. */
export function hanging(text: string, page: Page): string {
  const bare = text.trimStart();
  const most = Math.max(page.columns - 2 * MARGIN - MIN_ROOM, 0);
  const indentation = Math.min(text.length - bare.length, most);
  const [first = "", ...rest] = wrap(bare, { ...page, columns: page.columns - indentation });
  return [first, ...rest.map(standBack)].map((line) => " ".repeat(indentation) + line).join("\n");
}

/** The most columns that what is wrapped under its beginning stands back, of so many. */
const DEEPEST = 1 / 3;

/**
 * What others wrote after the beginning of a line, such as a time and a name, and wrapped under itself;
 * where the beginning is long it stands back less.
 */
export function under(beginning: string, text: string, page: Page): string {
  const [first = "", ...rest] = text.split("\n");
  const depth = widthOf(beginning, page) + 1;
  if (depth > Math.max(page.columns * DEEPEST, MARGIN)) {
    const others = rest.length === 0 ? [] : [block(rest.join("\n"), page)];
    return [hanging(`${beginning} ${first}`, page), ...others].join("\n");
  }
  const narrow = { ...page, columns: page.columns - depth + MARGIN };
  const lines = text.split("\n").flatMap((line) => [...wrap(line, narrow)]);
  return lines.map((line, at) => at === 0 ? `${beginning} ${line}` : " ".repeat(depth) + line)
    .join("\n");
}

function standBack(line: string): string {
  return " ".repeat(MARGIN) + line;
}

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

/** The lines that a line is wrapped into: between words where they fit, otherwise within. */
function* wrap(line: string, page: Page): Generator<string> {
  const room = Math.max(page.columns - 2 * MARGIN, MIN_ROOM);
  let begun = "";
  let used = 0;
  for (const spaced of line.match(/ *[^ ]+/g) ?? [""]) {
    const width = widthOf(spaced, page);
    if (used + width <= room) {
      begun += spaced;
      used += width;
      continue;
    }
    if (begun !== "") yield begun;
    const parts = cut(spaced.trimStart(), room, page);
    begun = parts.pop()!;
    yield* parts;
    used = widthOf(begun, page);
  }
  yield begun;
}

/** A word in parts that fit: between graphemes where they fit, otherwise within. */
function cut(word: string, room: number, page: Page): string[] {
  const parts = [""];
  let used = 0;
  const append = (piece: string, width: number) => {
    if (used > 0 && used + width > room) {
      parts.push("");
      used = 0;
    }
    parts[parts.length - 1] += piece;
    used += width;
  };
  for (const { segment } of graphemes.segment(word)) {
    const width = widthOf(segment, page);
    if (width <= room) append(segment, width);
    else for (const character of segment) append(character, widthOf(character, page));
  }
  return parts;
}

const PICTURE = /[\p{Extended_Pictographic}\p{Regional_Indicator}]/u;

/**
 * The most columns that terminals give a text, of which each has its own opinion: code point by code
 * point, marks and joiners too. Whoever is wrong wraps too early then, never too late.
 */
export function widthOf(text: string, { wideAmbiguous }: Page): number {
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    width += code < 0x7f
      ? 1
      : PICTURE.test(character)
      ? 2
      : eastAsianWidth(code, { ambiguousAsWide: wideAmbiguous });
  }
  return width;
}
