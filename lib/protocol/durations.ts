import { ProtocolError } from "./errors.ts";

/** How long each unit is, in seconds. */
const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** The longest duration, in seconds: ten years. */
export const MAX_DURATION = 3_650 * UNITS.d;

/**
 * Reads a duration such as `90s`, `10m`, `2h` or `1d`.
 *
 * @returns seconds, 1 to {@linkcode MAX_DURATION}
 * @throws {ProtocolError} `bad-duration`
 */
export function parseDuration(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,9})([smhd])$/i.exec(text) ?? [];
  const seconds = Number(digits) * (UNITS[unit.toLowerCase() as keyof typeof UNITS] ?? 0);
  if (seconds >= 1 && seconds <= MAX_DURATION) return seconds;
  throw new ProtocolError(
    "bad-duration",
    `${JSON.stringify(text.slice(0, 20))} is no duration such as 10m, 2h or 1d (up to 3650d)`,
  );
}

/** Whether a word is meant as a duration, right or wrong. */
export function looksLikeDuration(word: string): boolean {
  return /^[\d+-]/.test(word);
}
