import type { MulticastDns, Packet } from "multicast-dns";
import { type Clock, sleep } from "../clock.ts";
import { type Announced, parseAnnounced, SERVICE } from "./announcement.ts";
import { Networks } from "./networks.ts";

/** When to ask, in milliseconds from the beginning: a packet may be lost. */
const QUERIES_MS = [0, 400, 1_000];
/** How long to listen in all. */
const SEARCH_MS = 2_000;
/** No more are listed: anybody can make up as many as they like. */
const MAX_FOUND = 50;

/** What a search has found. */
export interface SearchResult {
  /** By name, then address and port. */
  servers: Announced[];
  /** On how many networks it asked; 0 where multicast can't be used at all. */
  networks: number;
}

/**
 * Asks the local network for servers, for two seconds.
 *
 * @throws the signal's reason, as soon as it is aborted
 */
export async function searchServers(clock: Clock, signal: AbortSignal): Promise<SearchResult> {
  const found = new Map<string, Announced>();
  const sockets: MulticastDns[] = [];
  let failed = 0;
  await using networks = new Networks({
    onSocket: (socket) => {
      sockets.push(socket);
      socket.on("response", (packet: Packet) => {
        for (const server of parseAnnounced(packet)) {
          const key = `${server.address} ${server.port}`;
          if (found.size < MAX_FOUND || found.has(key)) found.set(key, server);
        }
      });
    },
    onError: () => failed++,
  });
  const ask = () => {
    for (const socket of sockets) socket.query([{ name: SERVICE, type: "PTR" }]);
  };
  const timers = QUERIES_MS.map((ms) => clock.after(ms, ask));
  try {
    await sleep(clock, SEARCH_MS, signal);
  } finally {
    for (const timer of timers) timer[Symbol.dispose]();
  }
  const byName = (a: Announced, b: Announced) =>
    a.name.localeCompare(b.name) || a.address.localeCompare(b.address) || a.port - b.port;
  return {
    servers: [...found.values()].toSorted(byName),
    networks: Math.max(networks.count - failed, 0),
  };
}
