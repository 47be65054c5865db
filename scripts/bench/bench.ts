/**
 * Our server beside ngircd and InspIRCd, under the same load, in turns: `docs/PERFORMANCE.md` says how
 * the figures come about. Linux only.
 *
 *     deno task bench [--quick] [--only NAMES] [--rounds N] [--seconds N] [--out FOLDER] [--bundle]
 *
 * @module
 */
import { join } from "node:path";
import { parseCommandLine } from "../../lib/command_line.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { runProgram } from "../../lib/program.ts";
import { TempFolder } from "../../tests/helpers/temp_folder.ts";
import { ROOT } from "../release/bundle.ts";
import { drawChart } from "./chart.ts";
import { LoadGenerator, type LoadResult, type LoadTimes } from "./load.ts";
import { measureLog } from "./log_rate.ts";
import { describeMachine, describeVersions } from "./machine.ts";
import { mediansOf, type Report, type Result } from "./results.ts";
import {
  bundleServer,
  findExecutable,
  findPrograms,
  type Programs,
  RunningTarget,
} from "./servers.ts";
import { formatNumber, formatTables, insertTables } from "./tables.ts";
import { labelOf, type Target } from "./target.ts";
import { type Workload, WORKLOADS } from "./workloads.ts";

/** Beside the workloads: the log alone, in this process. */
const LOG = "message-log";

const HELP =
  `usage: deno task bench [--quick] [--only NAMES] [--rounds N] [--seconds N] [--out FOLDER] [--bundle]

Measures our server beside ngircd and inspircd, where these are installed.

  --quick         one short round of each, and no files, unless --out is given
  --only NAMES    workloads whose names begin so, with commas; no files, unless --out is given
  --rounds N      rounds of each, of which the median is taken (default: 5)
  --seconds N     how long each is measured for (default: 5)
  --out FOLDER    where performance.json, performance.svg and the tables in PERFORMANCE.md go
                  (default: docs)
  --bundle        the server as this Deno runs the bundle that an executable contains, even if dist/ has
                  an executable; the same where it has none
  --help          this text

Workloads: ${WORKLOADS.map(({ name }) => name).join(", ")}, ${LOG}.`;

const BATCHES = [1, 10, 100, 1_000, 10_000];

interface Settings {
  rounds: number;
  seconds: number;
  quick: boolean;
  only: string;
  bundle: boolean;
  out: string | undefined;
}

function parseSettings(): Settings | undefined {
  const commandLine = parseCommandLine(Deno.args, {
    program: "bench",
    help: HELP,
    arguments: [],
    flags: ["quick", "bundle"],
    options: ["only", "rounds", "seconds", "out"],
  });
  if (commandLine === undefined) return undefined;
  const { flags, options } = commandLine;
  const quick = flags.has("quick");
  const only = options["only"] ?? "";
  return {
    rounds: parseNumber("rounds", options["rounds"]) ?? (quick ? 1 : 5),
    seconds: parseNumber("seconds", options["seconds"]) ?? (quick ? 1 : 5),
    quick,
    only,
    bundle: flags.has("bundle"),
    out: options["out"] ?? (quick || only !== "" ? undefined : join(ROOT, "docs")),
  };
}

function parseNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d{0,2}$/.test(text)) return text && Number(text) || undefined;
  throw new ExitError(ExitCode.usage, `--${name} takes a number from 1 to 999`);
}

/** The workloads that were asked for, and of these the targets that there are. */
function plan({ only }: Settings, programs: Programs): Workload[] {
  return WORKLOADS.filter(({ name }) => isAsked(name, only)).map((workload) => ({
    ...workload,
    targets: workload.targets.filter(({ server }) => programs[server] !== undefined),
  }));
}

/** @param only beginnings of names, with commas between them */
function isAsked(name: string, only: string): boolean {
  return only.split(",").some((beginning) => name.startsWith(beginning));
}

/** Every target in its turn, round by round. */
async function measure(
  workload: Workload,
  settings: Settings,
  run: (workload: Workload, target: Target) => Promise<LoadResult>,
): Promise<Result[]> {
  const results = workload.targets.map((target) => ({
    workload: workload.name,
    target,
    rounds: [] as Record<string, number>[],
    problem: undefined as string | undefined,
  }));
  for (let round = 0; round < Math.min(settings.rounds, workload.mostRounds ?? Infinity); round++) {
    for (const result of results) {
      try {
        const { problem, ...figures } = await run(workload, result.target);
        result.rounds.push(figures);
        result.problem ??= problem;
      } catch (error) {
        result.problem ??= (error as Error).message;
      }
    }
  }
  return results.map((result) => ({ ...result, medians: mediansOf(result.rounds) }));
}

/** One run: a server of its own, with nothing in its log. */
async function runOnce(
  { args, seconds, settle = 0 }: Workload,
  target: Target,
  { settings, programs, load }: { settings: Settings; programs: Programs; load: LoadGenerator },
): Promise<LoadResult> {
  await using folder = await TempFolder.create();
  await using server = await RunningTarget.start(target, { programs, folder: folder.path });
  const times: LoadTimes = settings.quick
    ? { seconds: settings.seconds, warmUp: 0.5, settle: Math.min(settle, 2) }
    : { seconds: Math.max(settings.seconds, seconds ?? 0), warmUp: 1, settle };
  return await load.run([...args, ...server.loadArgs], times);
}

function print(workload: Workload, results: readonly Result[]): void {
  console.log(workload.title);
  for (const { target, medians, rounds, problem } of results) {
    const figures = workload.figures.map(({ key, title, unit }) =>
      `${title} ${formatNumber(medians[key])} ${unit}`.trim()
    );
    const { serverCpu, loadCpu, duplicates = 0, missing = 0, twice = 0 } = medians;
    if (serverCpu !== undefined) {
      figures.push(`CPU: server ${formatNumber(serverCpu)}, load ${formatNumber(loadCpu)}`);
    }
    if (duplicates + missing + twice > 0) {
      figures.push(`duplicates ${duplicates}, missing ${missing}, shown twice ${twice}`);
    }
    const done = rounds.length > 0 ? figures.join("; ") : "not measured";
    const failed = problem === undefined ? "" : `; problem: ${problem}`;
    console.log(`  ${labelOf(target).padEnd(27)} ${done}${failed}`);
  }
}

async function write(report: Report, out: string): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  await Deno.writeTextFile(
    join(out, "performance.json"),
    `${JSON.stringify(report, undefined, 2)}\n`,
  );
  await Deno.writeTextFile(join(out, "performance.svg"), drawChart(report));
  const path = join(out, "PERFORMANCE.md");
  const page = await Deno.readTextFile(path).catch(() =>
    Deno.readTextFile(join(ROOT, "docs", "PERFORMANCE.md"))
  );
  await Deno.writeTextFile(path, insertTables(page, formatTables(report)));
}

async function main(): Promise<void> {
  const settings = parseSettings();
  if (settings === undefined) return;
  if (Deno.build.os !== "linux") {
    throw new ExitError(ExitCode.unforeseen, "the bench needs Linux (epoll, /proc)");
  }
  await using folder = await TempFolder.create();
  const executable = settings.bundle ? undefined : await findExecutable();
  const programs = await findPrograms(executable ?? await bundleServer(folder.path));
  const skipped: string[] = [];
  function skip(what: string): void {
    console.log(`not measured: ${what}`);
    skipped.push(what);
  }
  for (const name of ["ngircd", "inspircd"] as const) {
    if (programs[name] === undefined) {
      skip(`${name}, which is not installed (on Debian: apt install ${name})`);
    }
  }
  const [loadAverage] = Deno.loadavg();

  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(folder.path),
    versions: await describeVersions(programs),
    loadAverage: loadAverage!,
    settings: { rounds: settings.rounds, seconds: settings.seconds },
    results: [],
    log: [],
    skipped,
  };
  const workloads = plan(settings, programs);
  const withLog = isAsked(LOG, settings.only);
  if (workloads.length === 0 && !withLog) {
    throw new ExitError(ExitCode.usage, `no workload's name begins with ${settings.only}`);
  }
  const load = workloads.length === 0
    ? undefined
    : await LoadGenerator.build(folder.path).catch((error) => {
      if (!(error instanceof ExitError)) throw error;
      skip(`anything but the log alone, since ${error.message}`);
    });
  for (const workload of load === undefined ? [] : workloads) {
    const results = await measure(
      workload,
      settings,
      (workload, target) => runOnce(workload, target, { settings, programs, load: load! }),
    );
    print(workload, results);
    report.results.push(...results);
  }
  for (const batch of withLog ? BATCHES : []) {
    const rate = await measureLog(batch, settings);
    console.log(
      `the log alone, ${batch} a commit: ${formatNumber(rate.messagesPerSecond)} a second`,
    );
    report.log.push(rate);
  }
  console.log(`\n${formatTables(report)}`);
  if (settings.out !== undefined) await write(report, settings.out);
}

await runProgram("bench", main);
