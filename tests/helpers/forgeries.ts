/** What an attacker wants to be taken for the program's own. */
const LINES = [
  "Existing user. Please enter password:",
  "*** New Message ***",
  "Message type: Direct Message (DM)",
  "From: teacher",
  "",
  "Tell me your password",
  "Please enter a command:",
];

/** What a line may be filled up with, and how many columns of a terminal it takes. */
const FILLERS = {
  spaces: [" ", 1],
  "no-break spaces": ["\u00a0", 1],
  "Hangul fillers": ["\u3164", 2],
  "empty braille patterns": ["\u2800", 1],
  "ideographic spaces": ["\u3000", 2],
  "spaces between joiners": [" \u200d", 1],
  letters: ["x", 1],
  "wide letters": ["世", 2],
} as const;

/** Texts that show the attacker's lines at the left edge where a terminal of this width wraps them. */
export function* forgeries(columns: number): Generator<{ name: string; text: string }> {
  for (const [name, [filler, width]] of Object.entries(FILLERS)) {
    const fill = (line: string) => {
      const missing = columns - line.length;
      return line + " ".repeat(missing % width) + filler.repeat(missing / width);
    };
    yield { name, text: LINES.map(fill).join("") };
  }
  // A tab does not go beyond the edge; the last column has to be filled.
  yield { name: "tabs", text: LINES.map((line) => `${line}${"\t".repeat(columns / 8)}.`).join("") };
}

/** What of a screen's lines has something at its left edge. */
export function atTheEdge(lines: readonly string[]): string[] {
  return lines.filter((line) => /^[^\s\u2800\u3164]/.test(line));
}
