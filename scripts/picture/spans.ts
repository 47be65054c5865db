/** A piece of a line in one style. */
export interface Span {
  text: string;
  /** As SVG has it; undefined for the terminal's own. */
  color: string | undefined;
  bold: boolean;
}

/** A line of a terminal in pieces; of its styles the 256 colours of text and bold are known. */
export function spansOf(line: string): Span[] {
  const spans: Span[] = [];
  let style: Omit<Span, "text"> = { color: undefined, bold: false };
  // deno-lint-ignore no-control-regex -- that is what terminals are sent
  for (const [, codes, text = ""] of line.matchAll(/(?:\x1b\[([\d;]*)m)|([^\x1b]+)/g)) {
    if (codes === undefined) spans.push({ text, ...style });
    else style = styled(style, codes.split(";").map(Number));
  }
  return spans;
}

function styled(style: Omit<Span, "text">, [code, , index]: number[]): Omit<Span, "text"> {
  switch (code) {
    case 1:
      return { ...style, bold: true };
    case 22:
      return { ...style, bold: false };
    case 38:
      return { ...style, color: colorOf(index!) };
    case 39:
      return { ...style, color: undefined };
    case 0:
      return { color: undefined, bold: false };
    default:
      return style;
  }
}

/** A colour of the cube of 6 x 6 x 6 that begins at 16. */
function colorOf(index: number): string {
  const at = index - 16;
  const levels = [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6];
  const bytes = levels.map((level) => level === 0 ? 0 : 55 + 40 * level);
  return `#${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
