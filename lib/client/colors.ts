import { foldUsername } from "../protocol/names.ts";

/**
 * Colours of the usual 256: each has a contrast of 3 to 1 or more with black and with white, and they
 * differ in brightness or along blue and yellow, which nearly everybody sees.
 */
export const NAME_COLORS: readonly number[] = [32, 166, 29, 133, 136, 160];

/** A name in its colour, always the same one. */
export function colored(name: string): string {
  let hash = 0;
  for (const character of foldUsername(name)) {
    hash = (hash * 31 + character.codePointAt(0)!) % 0x7fff_ffff;
  }
  return `\x1b[38;5;${NAME_COLORS[hash % NAME_COLORS.length]}m${name}\x1b[39m`;
}

export function emphasized(text: string): string {
  return `\x1b[1m${text}\x1b[22m`;
}
