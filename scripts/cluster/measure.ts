/**
 * What a server of a cluster costs: the load of the bench on one chat server, alone and as one of three with three NATS
 * servers, all on this machine. `docs/SCALING.md` has the figures. Linux; needs nats-server and a C compiler.
 *
 *     deno task cluster:measure [--seconds N] [--spread]
 *
 * @module
 */
import { parseCommandLine } from "../../lib/command_line.ts";
import { runProgram } from "../../lib/program.ts";
import { makeAccounts } from "../../tests/helpers/programs.ts";
import { LoadGenerator, type LoadResult } from "../bench/load.ts";
import { LocalCluster } from "./local_cluster.ts";
import { measureSpread } from "./spread.ts";

const HELP = `usage: deno task cluster:measure [--seconds N] [--spread]

Measures what a server of a cluster costs, for some minutes.

  --seconds N   each load goes on for so long (default: 5)
  --spread      the load on all of one, two and three chat servers with one NATS server instead
  --help        this text`;

/** The load generator's users are called so. */
const USERS = Array.from({ length: 2_000 }, (_, index) => `u${String(index).padStart(5, "0")}`);
const RATES = ["--commands-per-second", "100000", "--command-burst", "100000"];
const TICKS_PER_SECOND = 100;
/** So long it takes at most until a new cluster has these accounts, in milliseconds. */
const ACCOUNTS_MS = 5_000;

const LOADS: Record<string, readonly string[]> = {
  "direct, 100 pairs": ["direct", "--receivers", "100", "--outstanding", "16"],
  "fan-out, 200 receivers": ["fan-out", "--receivers", "200", "--senders", "10"],
  "direct, 100 a second": ["direct-latency", "--receivers", "1", "--rate", "100"],
  "fan-out, 20 a second to 200": ["fan-out-latency", "--receivers", "200", "--rate", "20"],
  "idle, 1,500 clients": ["idle", "--receivers", "1500"],
};

/** What the processes have used, and what the stream has. */
interface Snapshot {
  /** CPU-seconds, by process. */
  cpu: Map<string, number>;
  /** Resident memory in MiB, by process. */
  memory: Map<string, number>;
  events: number;
  streamBytes: number;
  /** What all NATS servers have taken and given, from and to chat servers, in bytes. */
  clientBytes: number;
}

async function usageOf(pid: number): Promise<{ cpu: number; memory: number }> {
  const stat = (await Deno.readTextFile(`/proc/${pid}/stat`)).split(") ")[1]!.split(" ");
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, resident = "0"] = /VmRSS:\s+(\d+)/.exec(status) ?? [];
  // utime and stime are the 14th and the 15th field.
  const ticks = Number(stat[11]) + Number(stat[12]);
  return { cpu: ticks / TICKS_PER_SECOND, memory: Number(resident) / 1_024 };
}

async function snapshot({ nats, servers }: LocalCluster): Promise<Snapshot> {
  const named = [
    ...servers.map(({ pid }, index) => [`chat ${index + 1}`, pid] as const),
    ...nats.map(({ pid }, index) => [`nats ${index + 1}`, pid] as const),
  ];
  const usage = await Promise.all(
    named.map(async ([name, pid]) => [name, await usageOf(pid)] as const),
  );
  const figures = await Promise.all(nats.map((node) => node.figures()));
  const streams = await Promise.all(nats.map((node) => node.stream("chat")));
  return {
    cpu: new Map(usage.map(([name, { cpu }]) => [name, cpu])),
    memory: new Map(usage.map(([name, { memory }]) => [name, memory])),
    events: Math.max(...streams.map(({ events }) => events)),
    streamBytes: Math.max(...streams.map(({ bytes }) => bytes)),
    clientBytes: figures.reduce((sum, one) => sum + one["in_bytes"]! + one["out_bytes"]!, 0),
  };
}

function show(before: Snapshot, after: Snapshot): void {
  const events = after.events - before.events;
  const perEvent = (total: number) => events === 0 ? "-" : `${(total / events).toFixed(1)}`;
  for (const [name, cpu] of after.cpu) {
    const used = cpu - before.cpu.get(name)!;
    const memory = Math.round(after.memory.get(name)!);
    console.log(
      `    ${name}: ${used.toFixed(2)} CPU-s, ${perEvent(used * 1e6)} us an event, ${memory} MiB`,
    );
  }
  const [stored, sent] = [
    after.streamBytes - before.streamBytes,
    after.clientBytes - before.clientBytes,
  ];
  console.log(
    `    ${events} events, ${perEvent(stored)} bytes stored and ${
      perEvent(sent)
    } bytes through NATS an event`,
  );
}

function describe(result: LoadResult): string {
  return Object.entries(result).map(([name, value]) =>
    `${name} ${typeof value === "number" ? Number(value.toPrecision(3)) : value}`
  ).join(", ");
}

async function measure(
  cluster: LocalCluster,
  { load, seconds }: { load: LoadGenerator; seconds: number },
): Promise<void> {
  const { port, pid } = cluster.servers[0]!;
  const target = ["--port", `${port}`, "--pid", `${pid}`, "--at-once", "32", "--tls", "--udp"];
  for (const [name, args] of Object.entries(LOADS)) {
    const before = cluster.nats.length === 0 ? undefined : await snapshot(cluster);
    const times = { seconds, warmUp: 1, settle: 1 };
    const result = await load.run([...args, ...target], times).catch((error) =>
      ({
        problem: (error as Error).message,
      }) as unknown as LoadResult
    );
    console.log(`  ${name}: ${describe(result)}`);
    if (before !== undefined) show(before, await snapshot(cluster));
  }
}

/** The first server has everybody's account: the others learn of them from it. */
async function start(
  { nats, servers, folder }: { nats: number; servers: number; folder: string },
): Promise<LocalCluster> {
  let first = true;
  const cluster = await LocalCluster.start({
    folder: await Deno.makeTempDir({ dir: folder }),
    nats,
    servers,
    flags: RATES,
    prepare: async (data) => {
      if (first) await makeAccounts(data, USERS);
      first = false;
    },
  });
  // Each account is an event, and all servers have to have it before somebody logs in.
  if (nats > 0) await new Promise((resolve) => setTimeout(resolve, ACCOUNTS_MS));
  return cluster;
}

await runProgram("measure", async () => {
  const commandLine = parseCommandLine(Deno.args, {
    program: "measure",
    help: HELP,
    arguments: [],
    flags: ["spread"],
    options: ["seconds"],
  });
  if (commandLine === undefined) return;
  const seconds = Number(commandLine.options["seconds"] ?? 5);
  const folder = await Deno.makeTempDir({ prefix: "chat-measure-" });
  try {
    const load = await LoadGenerator.build(folder);
    if (commandLine.flags.has("spread")) {
      return await measureSpread(load, {
        seconds,
        start: (nats, servers) => start({ nats, servers, folder }),
      });
    }
    for (const [nats, servers] of [[0, 1], [3, 1], [3, 3]] as const) {
      console.log(`${servers} chat servers, ${nats} NATS servers`);
      await using cluster = await start({ nats, servers, folder });
      await measure(cluster, { load, seconds });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
