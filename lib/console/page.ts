/** What text is laid out for. */
export interface Page {
  /** Its width in columns; infinite where nothing is wrapped. */
  columns: number;
  /** Whether it may be bold. */
  styled: boolean;
  /** Whether what is wide in East Asia alone, such as Greek letters and dashes, has two columns. */
  wideAmbiguous: boolean;
}

/** A pipe or a file: nothing is wrapped. */
export const UNWRAPPED: Page = { columns: Infinity, styled: false, wideAmbiguous: false };

/** Some terminals do not tell their width. */
const USUAL_COLUMNS = 80;

/** The languages in which terminals may be set to show more characters as wide ones. */
const EAST_ASIAN = /^(?:ja|ko|zh)\b/;

/** What is written to standard output or standard error is laid out for this, at present. */
export function pageOf(stream: { isTerminal(): boolean }): Page {
  if (!stream.isTerminal()) return UNWRAPPED;
  return {
    columns: Deno.consoleSize().columns || USUAL_COLUMNS,
    styled: Deno.env.get("TERM") !== "dumb",
    wideAmbiguous: EAST_ASIAN.test(navigator.language),
  };
}
