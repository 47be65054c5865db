/**
 * Characters that do something to a terminal, or to the order of what stands around them, instead of
 * being seen: controls (Cc) but newline and tab, formatting characters (Cf), among them the
 * bidirectional ones of Unicode Standard Annex #9, section 2, and line and paragraph separators. Some
 * scripts and emoji need the two joiners, and Arabic and Syriac have Cf characters that are seen.
 */
const INVISIBLE =
  /(?![\n\t\u200c\u200d\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with its invisible characters made visible, as `<U+202E>`. Safe to show on a terminal. */
export function visible(text: string): string {
  return text.replaceAll(INVISIBLE, (character) => {
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    return `<U+${code}>`;
  });
}

/** The same in one line: newlines and tabs are made visible too. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll("\n", "<U+000A>").replaceAll("\t", "<U+0009>");
}
