import { foldUsername } from "../protocol/names.ts";

/** After the user's attention was asked for it is not for so long, in milliseconds. */
const COOL_DOWN_MS = 10_000;

/** Decides when to ask for the user's attention. */
export class Attention {
  #last = -Infinity;

  /** Whether to ask for it now, in milliseconds: not again and again. */
  ask(now: number): boolean {
    if (now - this.#last < COOL_DOWN_MS) return false;
    this.#last = now;
    return true;
  }
}

const LETTER = /[\p{L}\p{M}\p{N}_]/u;

/** Whether a text has a name in it as a word of its own, in whatever case. */
export function mentions(text: string, name: string): boolean {
  const [folded, wanted] = [foldUsername(text), foldUsername(name)];
  if (wanted === "") return false;
  for (let at = folded.indexOf(wanted); at >= 0; at = folded.indexOf(wanted, at + 1)) {
    const [before, after] = [folded[at - 1] ?? " ", folded[at + wanted.length] ?? " "];
    if (!LETTER.test(before) && !LETTER.test(after)) return true;
  }
  return false;
}

/**
 * Has the terminal show a notification, as it understands them: OSC 9 or 777.
 *
 * @param text without control characters
 */
export function notification(kind: "osc9" | "osc777", text: string): string {
  return kind === "osc9"
    ? `\x1b]9;${text}\x07`
    : `\x1b]777;notify;chat;${text.replaceAll(";", ",")}\x07`;
}
