import { type Crowd, TALKING } from "./crowd.ts";

/** What one server was measured to cost (`deno task cluster:measure`), in microseconds of CPU where nothing else is said. */
const COST = {
  /** An event that is read and applied, whoever sent it. */
  follow: 29,
  /** One of a client of this server, beyond that: published, answered. */
  own: 90,
  /** A message to one client, when there is not much: a packet each. Under load it is a hundredth. */
  delivery: 56,
  /** A client that comes: TLS, token, what it missed. */
  coming: 840,
  /** A client that does nothing, each second. Estimated from pings and binds. */
  idle: 8,
  /** A user in the list of another server, each time that it is told. Estimated from 1,500 logins. */
  presence: 1.3,
  /** An event at the NATS server that leads its stream, and that for each server which reads it. */
  leader: 18,
  reader: 3,
};
/** Bytes through NATS: an event to its three servers, and to each reader; a user in a list. */
const BYTES = { event: 3_200, reader: 400, presence: 35 };
/** Lists are told so often, in seconds, and with each change. */
const BEAT_S = 1.5;
/** So much of its one core a process may need in the busiest hour. */
const BUDGET = 0.7;
/** So many clients a server has at most: more was not tried. */
const CLIENTS = 5_000;
/** NATS takes no larger message, in bytes. */
const PAYLOAD = 1_048_576;
/** Beyond so many servers nothing is looked for. */
const SERVERS = 1 << 16;
/** Of a room with more members only a number is told of who comes and goes. */
const TOLD = 1_000;
/** Where users are put beside those whom they talk to: servers of a cell, and the largest room that stays in one. */
const CELL = { servers: 8, room: 10_000 };

/** How a cluster is built. */
export interface Design {
  name: string;
  /** Which part of all servers reads a room with so many members online, of so many servers. */
  readers: (room: { size: number; online: number }, servers: number) => number;
  /** Whether each server tells its whole list to all. */
  lists: boolean;
  /** Whether there may be several streams. */
  sharded: boolean;
}

const anyOf = (online: number, servers: number) => 1 - Math.exp(-online / servers);

export const DESIGNS: readonly Design[] = [
  { name: "as it is", readers: () => 1, lists: true, sharded: false },
  {
    name: "presence by change",
    readers: () => 1,
    lists: false,
    sharded: false,
  },
  {
    name: "and subjects by room, read where it has members",
    readers: ({ online }, servers) => anyOf(online, servers),
    lists: false,
    sharded: true,
  },
  {
    name: "and users beside their rooms, leaf nodes",
    readers: ({ size, online }, servers) => {
      if (size > CELL.room || servers <= CELL.servers) return anyOf(online, servers);
      return anyOf(online, CELL.servers) * CELL.servers / servers;
    },
    lists: false,
    sharded: true,
  },
];

/** What a crowd needs of a design. */
export interface Need {
  design: string;
  /** How many chat servers; undefined where no number is enough. */
  servers: number | undefined;
  /** What decides that number. */
  bound: string;
  /** How many events a server reads a second. */
  read: number;
  /** What a server's CPU does, as parts of a core. */
  cpu: { follow: number; presence: number; deliver: number; clients: number };
  /** How many streams, each on three NATS servers of its own. */
  streams: number;
  /** Megabytes a second through all NATS servers. */
  megabytes: number;
}

/** The least number of servers that keep to their budget. */
export function needOf(crowd: Crowd, design: Design): Need {
  const least = Math.max(3, Math.ceil(crowd.online / CLIENTS));
  const fits = (servers: number) => total(loadOf(crowd, design, servers).cpu) <= BUDGET;
  let high = least;
  while (high < SERVERS && !fits(high)) high *= 2;
  if (high >= SERVERS && !fits(high)) {
    return { ...loadOf(crowd, design, least), servers: undefined, bound: worst(crowd, design) };
  }
  let low = high === least ? least : high / 2;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  const load = loadOf(crowd, design, high);
  // The order of one stream can't be shared out.
  if (load.streams > 1 && !design.sharded) return { ...load, servers: undefined, bound: "stream" };
  return { ...load, servers: high, bound: high === least ? "clients" : "CPU" };
}

/** What is too much however many servers there are. */
function worst(crowd: Crowd, design: Design): string {
  const { cpu } = loadOf(crowd, design, SERVERS);
  return cpu.presence > cpu.follow ? "presence" : "events";
}

function loadOf(
  { habits, users, online, rooms, events, roomMessages, deliveries, comings, talkers }: Crowd,
  design: Design,
  servers: number,
): Omit<Need, "servers" | "bound"> {
  // What a server reads of rooms, and of those who come and go in them.
  let read = 0;
  let told = 0;
  for (const size of rooms) {
    const readers = design.readers({ size, online: size * habits.online }, servers);
    read += roomMessages * Math.min(size, TALKING) / talkers * readers;
    if (size <= TOLD) told += size * readers;
  }
  const everybody = design.readers({ size: Infinity, online: Infinity }, servers) === 1 &&
    !design.sharded;
  const others = events - roomMessages;
  read += everybody ? others : others * Math.min(1, 2 / servers);
  const lists = design.lists
    ? online / BEAT_S + comings * online / servers
    : comings * Math.min(1, everybody ? 1 : told / users);
  const perServer = read * servers;
  const readers = events === 0 ? 0 : perServer / events;
  return {
    design: design.name,
    read,
    cpu: {
      follow: read * COST.follow / 1e6,
      presence: lists * COST.presence / 1e6,
      deliver: deliveries / servers * COST.delivery / 1e6,
      clients: (events * COST.own + comings * COST.coming + online * COST.idle) / servers / 1e6,
    },
    streams: Math.max(1, Math.ceil(events * (COST.leader + COST.reader * readers) / 1e6 / BUDGET)),
    megabytes: (events * (BYTES.event + BYTES.reader * readers) +
      lists * BYTES.presence * (servers + 3)) / 1e6,
  };
}

function total({ follow, presence, deliver, clients }: Need["cpu"]): number {
  return follow + presence + deliver + clients;
}

/** With so many users at one server its list is too long for NATS. */
export const LONGEST_LIST = Math.floor(PAYLOAD / BYTES.presence);
