import process from "node:process";
import { systemClock } from "../clock.ts";
import { onSignals, OutputError, writeText } from "../program.ts";
import type { LineSource, Output } from "./console.ts";
import { pageOf } from "./page.ts";
import { PlainLines } from "./plain_lines.ts";
import { TerminalLines } from "./terminal_lines.ts";

/** Standard output and standard error. */
export const standardOutput: Output = {
  dialogue: (text) => writeText(Deno.stdout, text),
  ...Deno.stdout.isTerminal() && {
    signal: (sequence: string) => writeText(Deno.stdout, sequence),
  },
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
  const lines = new TerminalLines({
    input: process.stdin,
    setRawMode: (raw) => process.stdin.setRawMode(raw),
    jobControl: Deno.build.os !== "windows",
    write: (text) => show(screen, text),
    page: () => pageOf(screen ?? Deno.stdin),
    dumb: Deno.env.get("TERM") === "dumb",
    clock: systemClock,
    onInterrupt,
  });
  onSignals(["SIGWINCH"], () => lines.resized());
  onSignals(["SIGCONT"], () => lines.resumed());
  return lines;
}

/** Shows what is typed. A terminal that has gone is noticed by whoever says something. */
function show(screen: typeof Deno.stdout | typeof Deno.stderr | undefined, text: string): void {
  try {
    if (screen !== undefined) writeText(screen, text);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
  }
}
