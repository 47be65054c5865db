import type { RestrictionRecord } from "../protocol/records.ts";
import { VERSION } from "../version.ts";
import { lockOf } from "./operations.ts";
import type { Services } from "./services.ts";

/** How a server is. Times are in milliseconds since 1970 (UTC). */
export interface ServerStatus {
  version: string;
  started: number;
  users: number;
  /** At this server. */
  sessions: number;
  accounts: number;
  rooms: number;
  /** Of the last minute. */
  messagesPerSecond: number;
  /** What waits for all sessions together, in bytes. */
  backlogBytes: number;
  /** The number of the newest event. */
  journal: number;
  /** The resident set, in bytes. */
  memoryBytes: number;
  /** Since the start. */
  refusedLogins: number;
  /** Who is muted or banned. */
  restrictions: number;
  /** Whether it was started with `--closed`. */
  closed: boolean;
  /** What keeps new accounts out for now; missing where nothing does. */
  locked?: RestrictionRecord;
}

/** A session of an active user. */
export interface SessionStatus {
  user: string;
  address: string;
  /** In milliseconds since 1970, UTC. */
  since: number;
  /** What waits for it. */
  backlogBytes: number;
}

export function describeStatus(services: Services): ServerStatus {
  const locked = lockOf(services);
  const { accounts, active, clock, hub, incidents, journal, operators, rooms, started } = services;
  return {
    version: VERSION,
    started: started.getTime(),
    users: hub.count,
    sessions: active.size,
    accounts: accounts.count,
    rooms: rooms.count,
    messagesPerSecond: hub.messagesPerSecond,
    backlogBytes: hub.backlogBytes,
    journal: journal.last,
    memoryBytes: Deno.memoryUsage().rss,
    refusedLogins: incidents.refusedLogins,
    restrictions: operators.restrictions(clock.date().getTime())
      .filter(({ what }) => what !== "lock").length,
    closed: services.closed,
    ...locked !== undefined && { locked },
  };
}

/** Every session at this server, those of a user together, in the order of the names. */
export function describeSessions({ active }: Services): SessionStatus[] {
  return [...active]
    .map(({ username, address, since, backlogBytes }) => ({
      ...{ user: username, address, since: since.getTime(), backlogBytes },
    }))
    .sort((a, b) => a.user < b.user ? -1 : a.user > b.user ? 1 : a.since - b.since);
}
