import { foldUsername } from "../protocol/names.ts";
import type { Account } from "./accounts.ts";

/** Some of the accounts. */
export interface Selection {
  /** A username, in any case; `*` stands for any letters, `?` for one. */
  pattern: string;
  /** Only accounts that were made then or later. */
  createdAfter?: Date | undefined;
  /** Only accounts that were made before. */
  createdBefore?: Date | undefined;
}

/** What a {@linkcode Selection} finds. */
export interface Selected {
  accounts: Account[];
  /** How many have a name that fits, but nobody knows when they were made. */
  undated: number;
}

/** Finds accounts. Those of which nobody knows when they were made are in no selection by time. */
export function selectAccounts(
  accounts: readonly Account[],
  { pattern, createdAfter, createdBefore }: Selection,
): Selected {
  const name = globPattern(pattern);
  const named = accounts.filter(({ username }) => name.test(foldUsername(username)));
  if (createdAfter === undefined && createdBefore === undefined) {
    return { accounts: named, undated: 0 };
  }
  const dated = named.filter(({ created }) => created !== undefined);
  const inTime = dated.filter(({ created }) =>
    (createdAfter === undefined || created! >= createdAfter) &&
    (createdBefore === undefined || created! < createdBefore)
  );
  return { accounts: inTime, undated: named.length - dated.length };
}

/** Whether a name stands for several. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

function globPattern(pattern: string): RegExp {
  const parts = foldUsername(pattern).split(/([*?])/).map((part) => {
    if (part === "*") return ".*";
    return part === "?" ? "." : RegExp.escape(part);
  });
  return new RegExp(`^${parts.join("")}$`, "u");
}

/**
 * Reads a time: `2026-01-31`, `2026-01-31T09:30Z` or with seconds, always UTC, as the log has it.
 *
 * @returns undefined where it is none
 */
export function parseTime(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z)?$/.test(text)) return undefined;
  const time = new Date(text);
  // There is no 31 February, though the platform takes it for 3 March.
  const real = !isNaN(time.getTime()) && time.toISOString().startsWith(text.slice(0, 10));
  return real ? time : undefined;
}
