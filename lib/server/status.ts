import type { ErrorCode } from "../protocol/errors.ts";
import type { RestrictionRecord } from "../protocol/records.ts";
import { VERSION } from "../version.ts";
import type { ClusterStatus } from "./cluster_node.ts";
import type { Counts } from "./counts.ts";
import { lockOf } from "./operations.ts";
import type { Services } from "./services.ts";

/** How a server is. Times are in milliseconds since 1970 (UTC); what is counted is counted since the start. */
export interface ServerStatus {
  version: string;
  pid: number;
  started: number;
  users: number;
  /** At this server: of active users; and with those that are not logged in. */
  sessions: number;
  connections: number;
  accounts: number;
  rooms: number;
  /** Of the last minute. */
  messagesPerSecond: number;
  messages: Counts["messages"];
  deliveries: Counts["deliveries"];
  datagrams: Counts["datagrams"];
  /** What waits for all sessions together: messages, each for each of them; and their bytes, each once. */
  backlog: number;
  backlogBytes: number;
  /** What waits to be written on all connections. */
  unwrittenBytes: number;
  /** The number of the newest event. */
  journal: number;
  /** When the oldest message that is kept was sent. */
  oldestMessage: number | undefined;
  /** The sizes of messages.db and its write-ahead log. */
  fileBytes: { database: number; log: number };
  /** Whether what is sent can be stored. */
  isStoring: boolean;
  /** How long commits took in the last minute, in milliseconds. */
  commits: { mean: number; longest: number };
  /** The resident set, in bytes; and what of it is JavaScript's. */
  memoryBytes: number;
  heapBytes: number;
  logins: Counts["logins"];
  refusedLogins: number;
  /** The same by reason. */
  refusals: Partial<Record<ErrorCode, number>>;
  /** Who is muted or banned. */
  restrictions: number;
  /** Whether it was started with `--closed`. */
  closed: boolean;
  /** What keeps new accounts out for now; missing where nothing does. */
  locked?: RestrictionRecord;
  /** Undefined where the server is in none. */
  cluster: ClusterStatus | undefined;
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
  const { accounts, active, clock, commits, counts, database, hub, journal, operators } = services;
  const { rss, heapUsed } = Deno.memoryUsage();
  let backlog = 0;
  for (const session of active) backlog += session.backlog;
  const locked = lockOf(services);
  return {
    version: VERSION,
    pid: Deno.pid,
    started: services.started.getTime(),
    users: hub.users.count,
    sessions: active.size,
    connections: services.connections(),
    accounts: accounts.count,
    rooms: services.rooms.count,
    messagesPerSecond: hub.messagesPerSecond,
    messages: counts.messages,
    deliveries: counts.deliveries,
    datagrams: counts.datagrams,
    backlog,
    backlogBytes: hub.backlogBytes,
    unwrittenBytes: services.unwritten.bytes,
    journal: journal.last,
    oldestMessage: oldestMessage(services),
    fileBytes: database.sizes,
    isStoring: database.isStoring && services.cluster?.().isStoring !== false,
    commits: { mean: commits.mean, longest: commits.longest },
    memoryBytes: rss,
    heapBytes: heapUsed,
    logins: counts.logins,
    refusedLogins: counts.refusedLogins.values().reduce((sum, count) => sum + count, 0),
    refusals: Object.fromEntries(counts.refusedLogins),
    restrictions: operators.restrictions(clock.date().getTime())
      .filter(({ what }) => what !== "lock").length,
    closed: services.closed,
    ...locked !== undefined && { locked },
    cluster: services.cluster?.(),
  };
}

/** Whoever wants to know how the server is shall be told also where its log can't be read. */
function oldestMessage({ messages }: Services): number | undefined {
  try {
    return messages.oldest;
  } catch {
    return undefined;
  }
}

/** Every session at this server, those of a user together, in the order of the names. */
export function describeSessions({ active }: Services): SessionStatus[] {
  return [...active]
    .map(({ username: user, address, since, backlogBytes }) => ({
      user,
      address,
      since,
      backlogBytes,
    }))
    .sort((a, b) => a.user < b.user ? -1 : a.user > b.user ? 1 : a.since - b.since);
}
