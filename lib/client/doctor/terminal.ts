import { diagnose } from "./cures.ts";
import type { Finding, Situation } from "./finding.ts";

/** One column and two bytes: what takes two columns is not read as UTF-8. */
const SAMPLE = "é";
/** How long a terminal may take to answer, in milliseconds. */
const ANSWER_LIMIT_MS = 500;
const ESCAPE = "\u001b";

/** A terminal that can be asked. */
export interface Terminal {
  write(text: string): void;
  setRaw(raw: boolean): void;
  /** What it sends; undefined at the end. */
  read(): Promise<Uint8Array | null>;
}

/**
 * Whether a terminal shows UTF-8: it is asked for the cursor's column (DSR, ECMA-48) after a letter of two
 * bytes.
 *
 * @returns undefined where it does not say
 */
export async function showsUtf8(terminal: Terminal): Promise<boolean | undefined> {
  terminal.setRaw(true);
  const limit = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => limit.resolve(undefined), ANSWER_LIMIT_MS);
  try {
    terminal.write(`\r${SAMPLE}${ESCAPE}[6n`);
    const column = await Promise.race([readColumn(terminal), limit.promise]);
    return column === undefined ? undefined : column === 2;
  } finally {
    clearTimeout(timer);
    terminal.write(`\r${ESCAPE}[K`);
    terminal.setRaw(false);
  }
}

async function readColumn(terminal: Terminal): Promise<number | undefined> {
  let answer = "";
  for (;;) {
    const chunk = await terminal.read();
    if (chunk === null) return undefined;
    answer += new TextDecoder("latin1").decode(chunk);
    // deno-lint-ignore no-control-regex
    const column = /\u001b\[\d+;(\d+)R/.exec(answer)?.[1];
    if (column !== undefined) return Number(column);
  }
}

/** What the answer of {@linkcode showsUtf8} means. */
export function judgeTerminal(utf8: boolean | undefined, situation: Situation): Finding {
  const check = "terminal";
  if (utf8 === undefined) return { check, result: "skipped", what: "there is none that answers" };
  if (utf8) return { check, result: "good", what: "shows UTF-8" };
  const what = "does not show UTF-8";
  return { check, result: "wrong", problem: check, what, ...diagnose(check, situation) };
}
