import type { Clock } from "../clock.ts";

/** Writes one line to the operator's log. Never a password, never a message's text. */
export type Log = (event: string) => void;

/** A log whose lines begin with the time in UTC, as RFC 3339 has it. */
export function createLog(clock: Clock, write: (line: string) => void): Log {
  return (event) => write(`${clock.date().toISOString()} ${event}`);
}
