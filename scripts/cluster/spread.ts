import { mediansOf } from "../bench/results.ts";
import { formatNumber, formatTable } from "../bench/tables.ts";
import type { LoadGenerator } from "../bench/load.ts";
import type { LocalCluster } from "./local_cluster.ts";

/** How many NATS servers and chat servers there are in turn; without NATS a chat server is alone. */
const SIZES = [[0, 1], [1, 1], [1, 2], [1, 3]] as const;
const ROUNDS = 3;
const FAN_OUT = ["fan-out", "--receivers", "200", "--senders", "10"];
const DIRECT = ["direct-latency", "--receivers", "1", "--rate", "100"];

/** The medians of some rounds at one size. CPU times are in seconds a second. */
export interface Spread {
  nats: number;
  servers: number;
  /** Of a fan-out to receivers at all servers, its senders at the first; as the load generator tells them. */
  fanOut: Record<string, number>;
  /** Of a direct message from the first server to the last one. */
  direct: Record<string, number>;
}

/** The arguments by which the load generator uses all of a cluster and looks at each of its processes. */
function loadArgsFor({ servers, nats }: LocalCluster): string[] {
  return [
    ...servers.flatMap(({ port, pid }) => ["--port", `${port}`, "--pid", `${pid}`]),
    ...nats.flatMap(({ pid }) => ["--pid", `${pid}`]),
  ];
}

/**
 * Loads one, two and three chat servers on one NATS server, and one without, and prints the table.
 *
 * @param start makes a cluster of so many
 * @throws {Error} where a message is lost or comes twice
 */
export async function measureSpread(
  load: LoadGenerator,
  { seconds, start }: {
    seconds: number;
    start: (nats: number, servers: number) => Promise<LocalCluster>;
  },
): Promise<void> {
  const rounds = SIZES.map(([nats, servers]) => ({
    nats,
    servers,
    fanOut: [] as Record<string, number>[],
    direct: [] as Record<string, number>[],
  }));
  // One round after the other: what else the machine does then meets all sizes alike.
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { nats, servers, fanOut, direct } of rounds) {
      await using cluster = await start(nats, servers);
      for (const [args, into] of [[FAN_OUT, fanOut], [DIRECT, direct]] as const) {
        const result = await load.run(
          [...args, ...loadArgsFor(cluster), "--tls", "--udp"],
          { seconds, warmUp: 1, settle: 0 },
        );
        if (result.problem !== undefined || result["missing"] !== 0 || result["twice"] !== 0) {
          throw new Error(`messages were lost or came twice: ${JSON.stringify(result)}`);
        }
        into.push(result);
      }
      console.error(`round ${round}, ${servers} chat servers, ${nats} NATS servers`);
    }
  }
  console.log(tableOf(rounds.map(({ fanOut, direct, ...size }) => ({
    ...size,
    fanOut: mediansOf(fanOut),
    direct: mediansOf(direct),
  }))));
}

/** A column for each size, a row for each figure, as Markdown. */
export function tableOf(spreads: readonly Spread[]): string {
  const most = Math.max(...spreads.map(({ servers }) => servers));
  const row = (name: string, cell: (spread: Spread) => string) => [name, ...spreads.map(cell)];
  const milliseconds = ({ direct }: Spread, name: string) =>
    direct[name]!.toLocaleString("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 });
  const ofChats = (spread: Spread) =>
    Array.from({ length: spread.servers }, (_, index) => cpuOf(spread, index)!)
      .reduce((sum, cpu) => sum + cpu);
  return formatTable(
    ["fan-out to 200, saturated", ...spreads.map(nameOf)],
    [
      row(
        "deliveries a second, in all",
        ({ fanOut }) => formatNumber(fanOut["deliveriesPerSecond"]),
      ),
      ...Array.from(
        { length: most },
        (_, index) =>
          row(
            `CPU: chat server ${index + 1}${index === 0 ? ", where the senders are" : ""}`,
            (spread) => index < spread.servers ? seconds(cpuOf(spread, index)) : "",
          ),
      ),
      row("CPU: NATS server", (spread) => seconds(cpuOf(spread, spread.servers))),
      row("CPU: load generator", ({ fanOut }) => seconds(fanOut["loadCpu"])),
      row(
        "deliveries a CPU-second of all chat servers",
        (spread) => formatNumber(spread.fanOut["deliveriesPerSecond"]! / ofChats(spread)),
      ),
      row(
        "direct message, first to last server: p50 (p99)",
        (spread) => `${milliseconds(spread, "p50Ms")} ms (${milliseconds(spread, "p99Ms")} ms)`,
      ),
    ],
  );
}

function nameOf({ nats, servers }: Spread): string {
  return nats === 0 ? "alone" : `${["one", "two", "three"][servers - 1]} on one NATS`;
}

/** Of a process, by its place among chat servers and then NATS servers. */
function cpuOf({ fanOut }: Spread, index: number): number | undefined {
  return fanOut[index === 0 ? "serverCpu" : `cpu${index + 1}`];
}

function seconds(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(2);
}
