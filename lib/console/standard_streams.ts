import process from "node:process";
import { OutputError, writeText } from "../program.ts";
import type { LineSource, Output } from "./console.ts";
import { pageOf } from "./page.ts";
import { PlainLines } from "./plain_lines.ts";
import { TerminalLines } from "./terminal_lines.ts";

/** Standard output and standard error. */
export const standardOutput: Output = {
  dialogue: (text) => writeText(Deno.stdout, text),
  complaint: (text) => writeText(Deno.stderr, text),
  dialoguePage: () => pageOf(Deno.stdout),
  complaintPage: () => pageOf(Deno.stderr),
};

/**
 * The lines of standard input: with editing where there is a keyboard. What is typed shows on whichever
 * output is the terminal.
 *
 * @param onInterrupt the user pressed Ctrl-C
 */
export function openSource(onInterrupt: () => void): LineSource {
  if (!Deno.stdin.isTerminal()) return new PlainLines(process.stdin);
  const screen = [Deno.stdout, Deno.stderr].find((stream) => stream.isTerminal());
  return new TerminalLines({
    input: process.stdin,
    write: (text) => show(screen, text),
    columns: () => screen === undefined ? 80 : Deno.consoleSize().columns,
    onInterrupt,
  });
}

/** Shows what is typed. A terminal that has gone is noticed by whoever says something. */
function show(screen: typeof Deno.stdout | typeof Deno.stderr | undefined, text: string): void {
  try {
    if (screen !== undefined) writeText(screen, text);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
  }
}
