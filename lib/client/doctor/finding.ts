import { ExitCode } from "../../exit.ts";

/** What can be wrong, and the exit code that says so. */
export const FINDINGS = {
  identity: ExitCode.identity,
  name: 10,
  route: 11,
  "no-answer": 12,
  port: 13,
  "no-chat-server": 14,
  encryption: 15,
  version: 16,
  "udp-here": 20,
  "udp-to-server": 21,
  "udp-from-server": 22,
  "packet-size": 23,
  loss: 24,
  clock: 25,
  terminal: 26,
} as const;
export type Problem = keyof typeof FINDINGS;

/** What was looked at, in this order. */
export type Check =
  | "name"
  | "TCP"
  | "identity"
  | "version"
  | "clock"
  | "UDP"
  | "packets"
  | "loss"
  | "terminal";

/** What came of looking at one thing. */
export interface Finding {
  /** Which server it is about, where several are examined. */
  server?: string;
  check: Check;
  /** `note` is worth knowing, and nothing is wrong; `skipped` could not be looked at. */
  result: "good" | "note" | "skipped" | "wrong";
  /** In one sentence. */
  what: string;
  /** What is wrong, for programs. */
  problem?: Problem;
  /** At which machine. */
  where?: string;
  /** What it means for the chat. */
  means?: string;
  /** What will likely help, the likeliest first. */
  cures?: readonly string[];
  /** What was measured; times in milliseconds, sizes in bytes. */
  figures?: Readonly<Record<string, unknown>>;
}

/** What somebody has who asks: some cures depend on it. */
export interface Situation {
  /** The server's address and port, as they were given. */
  server: { hostname: string; port: number };
  /** The address that its name stands for; the name where that is not known. */
  address: string;
  /** The system of this machine. */
  os: typeof Deno.build.os;
}

/** The exit code for what was found: that of the first thing that is wrong. */
export function exitCodeOf(findings: readonly Finding[]): number {
  const first = findings.find(({ result }) => result === "wrong");
  return first?.problem === undefined ? ExitCode.done : FINDINGS[first.problem];
}
