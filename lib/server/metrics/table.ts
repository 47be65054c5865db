import type { ErrorCode } from "../../protocol/errors.ts";
import type { ServerStatus } from "../status.ts";

/** What metrics are made from. */
export interface Figures extends ServerStatus {
  /** What the process has computed, in seconds. */
  cpuSeconds: number;
  /** What is free on the disk of the data folder, for the server's user; undefined where nobody knows. */
  diskFreeBytes: number | undefined;
}

/** A metric whose value is read when somebody asks. */
export interface Metric {
  name: string;
  type: "counter" | "gauge";
  help: string;
  /** What tells several values of it apart. @default there is one */
  label?: string;
  /** The value, or several by their labels; undefined where there is none at present. */
  value: (figures: Figures) => number | Readonly<Record<string, number>> | undefined;
}

/** There from the beginning, so that the first one is an increase. */
const REASONS: readonly ErrorCode[] = [
  "bad-token",
  "bad-username",
  "banned",
  "registration-refused",
  "too-many-accounts",
  "wrong-password",
];
const NO_REFUSALS = Object.fromEntries(REASONS.map((reason) => [reason, 0]));

/** The names are for good: dashboards and alerts have them. */
export const METRICS: readonly Metric[] = [
  {
    name: "chatserver_info",
    type: "gauge",
    help: "Which version it is; always 1",
    label: "version",
    value: ({ version }) => ({ [version]: 1 }),
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "When the server was started, in seconds since 1970",
    value: ({ started }) => started / 1_000,
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "What the process has computed",
    value: ({ cpuSeconds }) => cpuSeconds,
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Memory of the process",
    value: ({ memoryBytes }) => memoryBytes,
  },
  {
    name: "chatserver_heap_bytes",
    type: "gauge",
    help: "What of the memory is used by JavaScript objects",
    value: ({ heapBytes }) => heapBytes,
  },
  {
    name: "chatserver_connections",
    type: "gauge",
    help: "Open connections of clients, logged in or not",
    value: ({ connections }) => connections,
  },
  {
    name: "chatserver_sessions",
    type: "gauge",
    help: "Sessions of active users at this server",
    value: ({ sessions }) => sessions,
  },
  {
    name: "chatserver_users",
    type: "gauge",
    help: "Active users, in a cluster at all of its servers",
    value: ({ users }) => users,
  },
  {
    name: "chatserver_accounts",
    type: "gauge",
    help: "Accounts",
    value: ({ accounts }) => accounts,
  },
  { name: "chatserver_rooms", type: "gauge", help: "Rooms", value: ({ rooms }) => rooms },
  {
    name: "chatserver_restrictions",
    type: "gauge",
    help: "Who is muted or banned",
    value: ({ restrictions }) => restrictions,
  },
  {
    name: "chatserver_logins_total",
    type: "counter",
    help: "Logins: new ones by password, and clients that came back by themselves",
    label: "kind",
    value: ({ logins }) => logins,
  },
  {
    name: "chatserver_refused_logins_total",
    type: "counter",
    help: "Logins that were refused",
    label: "reason",
    value: ({ refusals }) => ({ ...NO_REFUSALS, ...refusals }),
  },
  {
    name: "chatserver_messages_total",
    type: "counter",
    help: "Messages that were stored, in a cluster at any of its servers",
    label: "kind",
    value: ({ messages }) => messages,
  },
  {
    name: "chatserver_deliveries_total",
    type: "counter",
    help: "Messages sent to sessions, each counted once for each of them",
    label: "channel",
    value: ({ deliveries: { udp, tcp } }) => ({ udp: udp.deliveries, tcp: tcp.deliveries }),
  },
  {
    name: "chatserver_redeliveries_total",
    type: "counter",
    help: "Messages sent to a session once more, since UDP has lost them or may have",
    label: "channel",
    value: ({ deliveries: { udp, tcp } }) => ({ udp: udp.repeats, tcp: tcp.repeats }),
  },
  {
    name: "chatserver_delivery_packets_total",
    type: "counter",
    help: "Data packets (UDP) and deliver records (TCP) in which messages were sent",
    label: "channel",
    value: ({ deliveries: { udp, tcp } }) => ({ udp: udp.transmissions, tcp: tcp.transmissions }),
  },
  {
    name: "chatserver_datagrams_sent_total",
    type: "counter",
    help: "UDP datagrams sent",
    value: ({ datagrams }) => datagrams.sent,
  },
  {
    name: "chatserver_datagrams_received_total",
    type: "counter",
    help: "UDP datagrams received",
    value: ({ datagrams }) => datagrams.received,
  },
  {
    name: "chatserver_datagrams_dropped_total",
    type: "counter",
    help: "UDP datagrams received that were forged, repeated, damaged, or of no session",
    value: ({ datagrams }) => datagrams.dropped,
  },
  {
    name: "chatserver_backlog_deliveries",
    type: "gauge",
    help: "Messages that sessions have not acknowledged, each counted for each of them",
    value: ({ backlog }) => backlog,
  },
  {
    name: "chatserver_backlog_bytes",
    type: "gauge",
    help: "Memory of the messages that some session has not acknowledged",
    value: ({ backlogBytes }) => backlogBytes,
  },
  {
    name: "chatserver_unwritten_bytes",
    type: "gauge",
    help: "What waits to be written to TCP connections",
    value: ({ unwrittenBytes }) => unwrittenBytes,
  },
  {
    name: "chatserver_journal_events_total",
    type: "counter",
    help: "Events in the journal, since the chat began: the number of the newest one",
    value: ({ journal }) => journal,
  },
  {
    name: "chatserver_oldest_message_timestamp_seconds",
    type: "gauge",
    help: "When the oldest message that is kept was sent, in seconds since 1970",
    value: ({ oldestMessage }) => oldestMessage === undefined ? undefined : oldestMessage / 1_000,
  },
  {
    name: "chatserver_storing",
    type: "gauge",
    help: "1 where what is sent can be stored, 0 where not",
    value: ({ isStoring }) => Number(isStoring),
  },
  {
    name: "chatserver_file_bytes",
    type: "gauge",
    help: "Sizes of messages.db (database) and messages.db-wal (log)",
    label: "file",
    value: ({ fileBytes }) => fileBytes,
  },
  {
    name: "chatserver_disk_free_bytes",
    type: "gauge",
    help: "What is free on the disk of the data folder, for the server's user",
    value: ({ diskFreeBytes }) => diskFreeBytes,
  },
  {
    name: "chatserver_cluster_storing",
    type: "gauge",
    help: "Of a cluster: 1 where NATS takes what is to be stored, 0 where not",
    value: ({ cluster }) => cluster && Number(cluster.isStoring),
  },
  {
    name: "chatserver_cluster_other_servers",
    type: "gauge",
    help: "Of a cluster: the other servers that take clients",
    value: ({ cluster }) => cluster?.otherServers,
  },
  {
    name: "chatserver_cluster_users_elsewhere",
    type: "gauge",
    help: "Of a cluster: active users at the other servers",
    value: ({ cluster }) => cluster?.usersElsewhere,
  },
];

/** A metric that is told each time how long something took. */
export interface Timing {
  name: string;
  help: string;
  /** Up to how long, in seconds, is counted. */
  buckets: number[];
}

export const COMMITS: Timing = {
  name: "chatserver_commit_duration_seconds",
  help: "How long it took to have what was sent on the disk",
  buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
};

export const LOOP_LAG: Timing = {
  name: "chatserver_loop_lag_seconds",
  help: "How late the event loop is, looked at five times a second",
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
};
