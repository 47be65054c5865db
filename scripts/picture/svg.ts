import { spansOf } from "./spans.ts";

/** A terminal in a picture. */
export interface TerminalWindow {
  title: string;
  columns: number;
  /** What it shows, a line a row, with escape sequences for colours and bold. */
  text: string;
}

const COLUMN = 7.25;
const ROW = 16;
const PADDING = 12;
const BAR = 26;
const GAP = 16;

/**
 * Columns of terminals, as SVG. It has no script, no font of its own and no other file in it. The last
 * terminal of each column is as high as fits.
 */
export function drawTerminals(columns: readonly (readonly TerminalWindow[])[]): string {
  const heights = columns.map((windows) =>
    windows.reduce((sum, it) => sum + heightOf(it) + GAP, -GAP)
  );
  const height = Math.max(...heights);
  let left = 0;
  const drawn = columns.map((windows) => {
    let top = 0;
    const groups = windows.map((window, index) => {
      const isLast = index === windows.length - 1;
      const size = { width: widthOf(window), height: isLast ? height - top : heightOf(window) };
      const group = `<g transform="translate(${left} ${top})">\n${drawWindow(window, size)}\n</g>`;
      top += size.height + GAP;
      return group;
    });
    left += Math.max(...windows.map(widthOf)) + GAP;
    return groups.join("\n");
  });
  const width = left - GAP;
  const titles = columns.flat().map(({ title }) => title).join(", ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" role="img" aria-label="${escaped(titles)}" ` +
    `font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12">
${drawn.join("\n")}
</svg>
`;
}

function widthOf({ columns }: TerminalWindow): number {
  return Math.ceil(columns * COLUMN + 2 * PADDING);
}

function heightOf({ text }: TerminalWindow): number {
  return BAR + text.split("\n").length * ROW + 2 * PADDING;
}

function drawWindow(
  { title, text }: TerminalWindow,
  { width, height }: { width: number; height: number },
): string {
  const lines = text.split("\n").map((line, row) => drawLine(line, BAR + PADDING + row * ROW + 12));
  return [
    `<rect width="${width}" height="${height}" rx="8" fill="#1e2127"/>`,
    `<text x="${width / 2}" y="18" fill="#8b919c" text-anchor="middle">${escaped(title)}</text>`,
    ...lines.filter((line) => line !== ""),
  ].join("\n");
}

function drawLine(line: string, y: number): string {
  const spans = spansOf(line);
  const length = spans.reduce((sum, { text }) => sum + text.length, 0);
  if (length === 0) return "";
  const drawn = spans.map(({ text, color, bold }) => {
    const fill = color === undefined ? "" : ` fill="${color}"`;
    const weight = bold ? ' font-weight="bold"' : "";
    return fill + weight === "" ? escaped(text) : `<tspan${fill}${weight}>${escaped(text)}</tspan>`;
  });
  // What a person has typed at the shell stands out.
  const fill = line.startsWith("$ ") ? "#ffd866" : "#d7dae0";
  // Whatever the font is, the columns stay columns.
  return `<text x="${PADDING}" y="${y}" fill="${fill}" xml:space="preserve" ` +
    `textLength="${length * COLUMN}" lengthAdjust="spacingAndGlyphs">${drawn.join("")}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
