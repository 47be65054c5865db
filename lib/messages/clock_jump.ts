import type { Clock } from "../clock.ts";
import type { Database } from "./database.ts";

/** What an {@linkcode AgeClock} needs of a clock. */
type Clocks = Pick<Clock, "now" | "date">;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A clock that is further ahead than this may be wrong, or nobody has written for so long. */
const AHEAD_MS = DAY_MS;
/** Less than this is a clock being set right, and nobody's business. */
const BACK_MS = 60_000;
/** So long a clock that jumped ahead is not believed, in milliseconds. */
const DOUBT_MS = HOUR_MS;

/**
 * The time by which stored things are old. It is the wall clock's, but for an hour after a jump ahead of
 * more than a day it goes on as if there had been none, so that a wrong clock costs nothing that was
 * stored. Jumps are said in the log.
 */
export class AgeClock {
  readonly #clock: Clocks;
  readonly #log: (event: string) => void;
  /** What the time was when it was asked for last, and the steady clock's time then. */
  #last: { time: number; now: number };
  /** Until when the clock is not believed, as the steady clock counts. */
  #doubtedUntil: number | undefined;

  /** @param stored the times of what is stored, as {@linkcode newestTimes} gives them */
  constructor(
    clock: Clocks,
    { newest, settled }: NewestTimes,
    log: (event: string) => void,
  ) {
    this.#clock = clock;
    this.#log = log;
    const time = clock.date().getTime();
    const now = clock.now();
    this.#last = { time, now };
    if (newest !== undefined && newest - time > BACK_MS) {
      log(`the clock is ${span(newest - time)} behind the newest message: is it right?`);
    }
    if (settled !== undefined && time - settled > AHEAD_MS) {
      this.#last.time = settled;
      this.#doubt(`the clock is ${span(time - settled)} ahead of the messages stored before`);
    }
  }

  /** The time by which something is old now. */
  date(): Date {
    const now = this.#clock.now();
    const wall = this.#clock.date().getTime();
    const expected = this.#last.time + now - this.#last.now;
    const ahead = wall - expected;
    if (this.#doubtedUntil === undefined) {
      if (ahead > AHEAD_MS) this.#doubt(`the clock has jumped ${span(ahead)} ahead`);
      if (ahead < -BACK_MS) this.#log(`the clock has gone back by ${span(-ahead)}`);
    } else if (now >= this.#doubtedUntil) {
      this.#doubtedUntil = undefined;
    } else if (ahead <= AHEAD_MS) {
      this.#doubtedUntil = undefined;
      this.#log("the clock has been set right");
    }
    const time = this.#doubtedUntil === undefined ? wall : expected;
    this.#last = { time, now };
    return new Date(time);
  }

  #doubt(what: string): void {
    this.#doubtedUntil = this.#clock.now() + DOUBT_MS;
    this.#log(`${what}: if it is wrong, stop the server; nothing gets old for an hour`);
  }
}

/** When the newest stored messages were sent, in milliseconds since 1970. */
export interface NewestTimes {
  /** The newest one of all. */
  newest: number | undefined;
  /**
   * The newest one that was sent an hour ago or earlier: what came later was sent, if the clock is
   * wrong, while it was doubted.
   */
  settled: number | undefined;
}

/** Reads from a database when its newest messages were sent; where it can't be read, that is unknown. */
export function newestTimes(database: Database): NewestTimes {
  const { newest, settled } = database.prepare({
    newest: "SELECT sent FROM messages ORDER BY id DESC LIMIT 1",
    settled: "SELECT sent FROM messages WHERE sent <= ? ORDER BY id DESC LIMIT 1",
  });
  const hourAgo = database.now().getTime() - DOUBT_MS;
  try {
    return {
      newest: newest.get()?.["sent"] as number | undefined,
      settled: settled.get(hourAgo)?.["sent"] as number | undefined,
    };
  } catch {
    return { newest: undefined, settled: undefined };
  }
}

function span(ms: number): string {
  const [count, unit] = ms < HOUR_MS
    ? [ms / 60_000, "minute"]
    : ms < 2 * DAY_MS
    ? [ms / HOUR_MS, "hour"]
    : [ms / DAY_MS, "day"];
  const whole = Math.round(count);
  return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
}
