import type { Accounts } from "../accounts/accounts.ts";
import type { KnownAddresses } from "../accounts/known_addresses.ts";
import type { LoginThrottle } from "../accounts/login_throttle.ts";
import type { Clock } from "../clock.ts";
import type { Deadlines } from "../deadlines.ts";
import type { Protection } from "../protocol/datagram.ts";
import type { Logins } from "../messages/logins.ts";
import type { Deletions } from "../messages/deletions.ts";
import type { Journal } from "../journal/journal.ts";
import type { Mailboxes } from "../messages/mailboxes.ts";
import type { MessageLog } from "../messages/message_log.ts";
import type { Database } from "../messages/database.ts";
import type { UnwrittenBudget } from "../net/unwritten.ts";
import type { ClusterStatus } from "./cluster_node.ts";
import type { Counts } from "./counts.ts";
import type { Hub } from "./hub.ts";
import type { RecentTimes } from "./recent_rate.ts";
import type { InboundTotal } from "./inbound.ts";
import type { Incidents } from "./incidents.ts";
import type { RecentSet } from "../protocol/recent_set.ts";
import type { Limits } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Outbox, OutboxOptions } from "./outbox.ts";
import type { Probes } from "./probe.ts";
import type { Referrals } from "./referrals.ts";
import type { OperatorTable } from "../messages/operator_table.ts";
import type { RoomTable } from "../messages/room_table.ts";
import type { Registrations } from "./registrations.ts";
import type { ActiveSession } from "./active_session.ts";

/** What every session of a server shares. */
export interface Services {
  accounts: Accounts;
  hub: Hub;
  /** Where everything goes that lasts; what it amounts to is in those that follow. */
  journal: Journal;
  messages: MessageLog;
  mailboxes: Mailboxes;
  rooms: RoomTable;
  operators: OperatorTable;
  deletions: Deletions;
  logins: Logins;
  /** The sessions whose client may come back, by the number of its login. */
  returning: Map<number, ActiveSession>;
  /** When the server was started. */
  started: Date;
  /** The sessions whose user is active. */
  active: Set<ActiveSession>;
  /** What users are to know who log in now; undefined where there is nothing. */
  trouble: string | undefined;
  /** Tells the other servers that the client of a login has come to this one. */
  moved: (login: number) => void;
  clock: Clock;
  log: Log;
  incidents: Incidents;
  counts: Counts;
  /** How long commits take. */
  commits: RecentTimes;
  /** Where all tables are. */
  database: Database;
  /** What waits on all connections. */
  unwritten: UnwrittenBudget;
  /** What waits of all clients' records, in characters. */
  inbound: InboundTotal;
  /** How many connections are open. */
  connections: () => number;
  /** How the server's cluster is; undefined where it is in none. */
  cluster: (() => ClusterStatus) | undefined;
  limits: Limits;
  throttle: LoginThrottle;
  known: KnownAddresses;
  registrations: Registrations;
  /** Where else clients may go. */
  referrals: Referrals;
  /** Whether new accounts are refused. */
  closed: boolean;
  /** How data packets are protected. */
  protection: Protection;
  /** What all sessions' data channels share. */
  outbox: OutboxOptions;
  /** Where sessions are told that their clients have been silent. */
  silences: Deadlines;
  /** The sessions that have a data channel, by its session id. */
  outboxes: Map<string, Outbox>;
  probes: Probes;
  /** The ids of sessions that ended a while ago, whose last packets may still come. */
  departed: RecentSet<string>;
}
