import { OURS, PEERS, type Target, WITHOUT_UDP } from "./target.ts";

/** One figure of a workload that is compared. */
export interface Figure {
  /** Its name in what the load generator prints. */
  key: string;
  title: string;
  unit: string;
  better: "more" | "less";
}

/** What is measured. */
export interface Workload {
  name: string;
  title: string;
  /** What the load generator is told, but for the server and the times. */
  args: readonly string[];
  targets: readonly Target[];
  figures: readonly Figure[];
  /** How long it is measured for, in seconds, where that is not what all take. */
  seconds?: number;
  /** How long is waited after the load, in seconds. */
  settle?: number;
  /** It takes so long that so many rounds have to do. */
  mostRounds?: number;
}

const DELIVERIES: readonly Figure[] = [
  {
    key: "deliveriesPerCpuSecond",
    title: "deliveries a CPU-second",
    unit: "",
    better: "more",
  },
  { key: "deliveriesPerSecond", title: "deliveries a second", unit: "", better: "more" },
];
const LATENCY: readonly Figure[] = [
  { key: "p50Ms", title: "p50", unit: "ms", better: "less" },
  { key: "p99Ms", title: "p99", unit: "ms", better: "less" },
];

interface FanOut {
  receivers: number;
  senders: number;
  outstanding: number;
  size?: number;
  targets?: readonly Target[];
  /** Whether ours are in a room, and not in the lobby: in IRC it is a channel in any case. @default false */
  room?: boolean;
}

function fanOut(
  { receivers, senders, outstanding, size = 100, targets, room = false }: FanOut,
): Workload {
  const options = { receivers, senders, outstanding, size };
  const kind = room ? "fan-out-room" : "fan-out";
  return {
    name: `${kind}-${receivers}-${senders}-${outstanding}-${size}`,
    title: `fan-out${room ? " in a room" : ""}: ${receivers} receivers, ${senders} ${
      senders === 1 ? "sender" : "senders"
    } with ${outstanding} outstanding, ${size} bytes`,
    args: [kind, ...Object.entries(options).flatMap(([name, n]) => [`--${name}`, `${n}`])],
    targets: targets ?? [...OURS, ...PEERS],
    figures: DELIVERIES,
  };
}

/** Everything, in the order of the tables. */
export const WORKLOADS: readonly Workload[] = [
  ...[50, 200, 1_000].flatMap((receivers) =>
    [1, 10].map((senders) =>
      fanOut({
        receivers,
        senders,
        outstanding: 32,
        targets: [...OURS, ...receivers === 200 && senders === 10 ? WITHOUT_UDP : [], ...PEERS],
      })
    )
  ),
  fanOut({ receivers: 200, senders: 10, outstanding: 32, targets: OURS, room: true }),
  fanOut({ receivers: 200, senders: 10, outstanding: 1 }),
  // More than this, and ngircd's write buffers of 32 KiB run over.
  fanOut({ receivers: 200, senders: 100, outstanding: 2 }),
  fanOut({ receivers: 200, senders: 10, outstanding: 32, size: 25 }),
  fanOut({ receivers: 200, senders: 10, outstanding: 8, size: 400 }),
  fanOut({ receivers: 200, senders: 10, outstanding: 8, size: 4_000, targets: OURS }),
  {
    name: "direct",
    title: "direct messages: 100 pairs with 16 outstanding, 100 bytes",
    args: ["direct", "--receivers", "100", "--outstanding", "16"],
    targets: [...OURS, ...WITHOUT_UDP, ...PEERS],
    figures: [
      { key: "messagesPerSecond", title: "messages a second", unit: "", better: "more" },
      { key: "deliveriesPerCpuSecond", title: "messages a CPU-second", unit: "", better: "more" },
    ],
  },
  {
    name: "fan-out-latency",
    title: "latency: 200 receivers, 20 messages a second",
    args: ["fan-out-latency", "--receivers", "200", "--rate", "20"],
    targets: [...OURS, ...WITHOUT_UDP, ...PEERS],
    figures: LATENCY,
    seconds: 10,
  },
  {
    name: "direct-latency",
    title: "latency: one pair, 100 direct messages a second",
    args: ["direct-latency", "--receivers", "1", "--rate", "100"],
    targets: [...OURS, ...WITHOUT_UDP, ...PEERS],
    figures: LATENCY,
    seconds: 5,
  },
  {
    name: "idle",
    title: "memory: 5,000 idle clients",
    args: ["idle", "--receivers", "5000"],
    targets: [...OURS, ...PEERS],
    figures: [
      { key: "bytesPerClient", title: "bytes a client", unit: "", better: "less" },
    ],
    settle: 5,
    mostRounds: 3,
  },
  {
    name: "memory",
    title: "memory: 200 receivers and 10 senders, saturated, and a minute later",
    args: ["fan-out", "--receivers", "200", "--senders", "10"],
    targets: OURS,
    figures: [
      { key: "residentMostKiB", title: "saturated", unit: "KiB", better: "less" },
      { key: "residentAfterKiB", title: "a minute later", unit: "KiB", better: "less" },
    ],
    seconds: 15,
    settle: 60,
    mostRounds: 3,
  },
  {
    name: "logins",
    title: "logins by resume token, 32 under way",
    args: ["logins", "--receivers", "32"],
    targets: OURS,
    figures: [{ key: "loginsPerSecond", title: "logins a second", unit: "", better: "more" }],
  },
  {
    name: "flood",
    title:
      "flood: 26,000 authentic packets a second of one user, 50 receivers, 20 messages a second",
    args: ["flood", "--receivers", "50", "--rate", "20"],
    targets: OURS,
    figures: [
      { key: "calmP99Ms", title: "p99 calm", unit: "ms", better: "less" },
      { key: "bindP99Ms", title: "bind", unit: "ms", better: "less" },
      { key: "ackP99Ms", title: "ack", unit: "ms", better: "less" },
      { key: "responseP99Ms", title: "response", unit: "ms", better: "less" },
    ],
    seconds: 5,
    mostRounds: 3,
  },
  {
    name: "overload",
    title: "overload: 1,000 receivers, 100 senders with 200 unanswered each",
    args: [
      "overload",
      "--receivers",
      "1000",
      "--senders",
      "100",
      "--outstanding",
      "200",
      "--rate",
      "4",
    ],
    targets: OURS,
    figures: [
      { key: "deliveriesPerSecond", title: "deliveries a second", unit: "", better: "more" },
      { key: "residentMostKiB", title: "resident", unit: "KiB", better: "less" },
      { key: "takenSeconds", title: "until all was answered", unit: "s", better: "less" },
      { key: "duringP50Ms", title: "p50 of another sender until then", unit: "ms", better: "less" },
      { key: "lastLateSeconds", title: "until calm after that", unit: "s", better: "less" },
    ],
    mostRounds: 1,
  },
];
