/** A terminal in a picture. */
export interface TerminalWindow {
  title: string;
  columns: number;
  rows: number;
  /** What it shows, a line a row. */
  text: string;
}

const COLUMN = 7.25;
const ROW = 16;
const PADDING = 12;
const BAR = 26;
const GAP = 16;

/** Terminals beside each other, as SVG. It has no script, no font of its own and no other file in it. */
export function drawTerminals(windows: readonly TerminalWindow[]): string {
  let left = 0;
  const drawn = windows.map((window) => {
    const { width } = sizeOf(window);
    const group = `<g transform="translate(${left} 0)">\n${drawWindow(window)}\n</g>`;
    left += width + GAP;
    return group;
  });
  const width = left - GAP;
  const height = Math.max(...windows.map((window) => sizeOf(window).height));
  const titles = windows.map(({ title }) => title).join(", ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" role="img" aria-label="${escaped(titles)}" ` +
    `font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12">
${drawn.join("\n")}
</svg>
`;
}

function sizeOf({ columns, rows }: TerminalWindow): { width: number; height: number } {
  return {
    width: Math.ceil(columns * COLUMN + 2 * PADDING),
    height: BAR + rows * ROW + 2 * PADDING,
  };
}

function drawWindow(window: TerminalWindow): string {
  const { width, height } = sizeOf(window);
  const lines = window.text.split("\n").slice(-window.rows).map((line, row) => {
    if (line === "") return "";
    const y = BAR + PADDING + row * ROW + 12;
    // What a person has typed stands out.
    const colour = line.startsWith("$ ") ? "#ffd866" : "#d7dae0";
    // Whatever the font is, the columns stay columns.
    return `<text x="${PADDING}" y="${y}" fill="${colour}" xml:space="preserve" ` +
      `textLength="${line.length * COLUMN}" lengthAdjust="spacingAndGlyphs">${
        escaped(line)
      }</text>`;
  });
  return [
    `<rect width="${width}" height="${height}" rx="8" fill="#1e2127"/>`,
    `<text x="${width / 2}" y="18" fill="#8b919c" text-anchor="middle">${
      escaped(window.title)
    }</text>`,
    ...lines.filter((line) => line !== ""),
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
