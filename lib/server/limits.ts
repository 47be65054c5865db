import { ExitCode, ExitError } from "../exit.ts";
import {
  MAX_BACKLOG_BYTES,
  MAX_LINE_BYTES,
  MAX_TEXT_BYTES,
  MAX_UNWRITTEN_BYTES,
  MAX_USERNAME_LENGTH,
} from "../protocol/limits.ts";

/** One limit of the server, and the flag that sets it. */
interface LimitSpec {
  flag: string;
  /** What it limits, for `--help` and `docs/OPERATING.md`. */
  what: string;
  default: number;
  min: number;
  max: number;
}

/** Every limit that an operator can set. The protocol's own limits are the highest values. */
export const LIMITS = {
  handshakeSeconds: {
    flag: "handshake-seconds",
    what: "seconds for the TLS handshake, and again for the hello",
    default: 10,
    min: 1,
    max: 600,
  },
  loginSeconds: {
    flag: "login-seconds",
    what: "seconds for the login, not counted while the server hashes or makes somebody wait",
    default: 180,
    min: 5,
    max: 3_600,
  },
  pending: {
    flag: "max-pending",
    what: "connections that are not logged in",
    default: 1_000,
    min: 1,
    max: 15_000,
  },
  pendingPerAddress: {
    flag: "max-pending-per-address",
    what: "the same from one address (IPv6: one /64 network)",
    default: 250,
    min: 1,
    max: 15_000,
  },
  accounts: {
    flag: "max-accounts",
    what: "accounts in all",
    default: 10_000,
    min: 1,
    max: 1_000_000,
  },
  rooms: {
    flag: "max-rooms",
    what: "rooms in all",
    default: 10_000,
    min: 0,
    max: 1_000_000,
  },
  registrationBurst: {
    flag: "registration-burst",
    what: "accounts that one address (IPv6: one /64 network) may make at once",
    default: 64,
    min: 1,
    max: 1_000_000,
  },
  registrationsPerHour: {
    flag: "registrations-per-hour",
    what: "accounts that one address may make in the long run",
    default: 60,
    min: 1,
    max: 1_000_000,
  },
  sessionsPerAccount: {
    flag: "sessions-per-account",
    what: "sessions of one account at once",
    default: 16,
    min: 1,
    max: 15_000,
  },
  commandsPerSecond: {
    flag: "commands-per-second",
    what: "commands of one account in the long run; who is faster is slowed down",
    default: 20,
    min: 1,
    max: 100_000,
  },
  commandBurst: {
    flag: "command-burst",
    what: "commands of one account at once",
    default: 200,
    min: 1,
    max: 100_000,
  },
  sessionBytes: {
    flag: "session-bytes",
    what: "bytes of messages that may wait for one session",
    default: MAX_BACKLOG_BYTES,
    min: 131_072,
    max: 256 * 1_024 * 1_024,
  },
  backlogBytes: {
    flag: "backlog-bytes",
    what: "the same for all sessions together; what waits for several counts once",
    default: 64 * 1_024 * 1_024,
    min: 1_024 * 1_024,
    max: 1_024 * 1_024 * 1_024,
  },
  unwrittenBytes: {
    flag: "unwritten-bytes",
    what: "bytes that may wait to be written, over all connections; the worst one is ended",
    default: 64 * 1_024 * 1_024,
    min: MAX_UNWRITTEN_BYTES,
    max: 512 * 1_024 * 1_024,
  },
  lineBytes: {
    flag: "line-bytes",
    what: "bytes of a client's record, which is a line",
    default: MAX_LINE_BYTES,
    min: 1_024,
    max: MAX_LINE_BYTES,
  },
  textBytes: {
    flag: "text-bytes",
    what: "bytes of a message's text",
    default: MAX_TEXT_BYTES,
    min: 1,
    max: MAX_TEXT_BYTES,
  },
  textGraphemes: {
    flag: "text-characters",
    what: "characters of a message's text, as people count them",
    default: MAX_TEXT_BYTES,
    min: 1,
    max: MAX_TEXT_BYTES,
  },
  keepDays: {
    flag: "keep",
    what: "days for which messages are kept in the log",
    default: 30,
    min: 1,
    max: 36_500,
  },
  nameLength: {
    flag: "name-length",
    what: "letters of a new username",
    default: MAX_USERNAME_LENGTH,
    min: 1,
    max: MAX_USERNAME_LENGTH,
  },
} satisfies Record<string, LimitSpec>;

/** The limits of one server. */
export type Limits = Record<keyof typeof LIMITS, number>;

export const DEFAULT_LIMITS: Limits = mapLimits((limit) => limit.default);

/**
 * The limits that flags set.
 *
 * @param options the values of the flags, by name
 * @throws {ExitError} `usage`, where a value is no number or out of range
 */
export function parseLimits(options: Readonly<Record<string, string>>): Limits {
  return mapLimits(({ flag, default: normal, min, max }) => {
    const text = options[flag];
    if (text === undefined) return normal;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new ExitError(ExitCode.usage, `--${flag} takes a number from ${min} to ${max}`);
  });
}

function mapLimits(value: (limit: LimitSpec) => number): Limits {
  return Object.fromEntries(
    Object.entries(LIMITS).map(([name, limit]) => [name, value(limit)]),
  ) as Limits;
}
