import type { Clock } from "../clock.ts";

/** Writes one line to the operator's log. Never a password, never a message's text. */
export type Log = (event: string) => void;

/** A log whose lines begin with the time in UTC, as RFC 3339 has it. */
export function createLog(clock: Clock, write: (line: string) => void): Log {
  return (event) => write(`${clock.date().toISOString()} ${event}`);
}

/**
 * Writes a line to standard error. One that can't be written, since the disk is full or the terminal was closed, is
 * lost, and ends no chat.
 */
export function tellOperator(line: string): void {
  try {
    console.error(line);
  } catch {
    // There is nowhere to say it.
  }
}
