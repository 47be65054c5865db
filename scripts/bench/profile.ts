/**
 * Where our server's time goes under a workload of the bench: the functions that took most, by samples of the
 * JavaScript thread. The server runs from source.
 *
 *     deno task bench:profile WORKLOAD [--plain] [--seconds N]
 *
 * @module
 */
import { parseCommandLine } from "../../lib/command_line.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { runProgram } from "../../lib/program.ts";
import { command } from "../../tests/helpers/programs.ts";
import { TempFolder } from "../../tests/helpers/temp_folder.ts";
import { LoadGenerator } from "./load.ts";
import { findPrograms, RunningTarget } from "./servers.ts";
import { WORKLOADS } from "./workloads.ts";

/** So many functions are printed. */
const SHOWN = 25;

/** What V8 writes. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  /** Since the sample before, in microseconds. */
  timeDeltas: number[];
}

/**
 * The part of the time that each function took itself, the most first; what was idle does not count, and
 * only the last seconds do: before are the start and the logins.
 */
function selfTimes(
  { nodes, samples, timeDeltas }: CpuProfile,
  { seconds }: { seconds: number },
): [string, number][] {
  const names = new Map(nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
    const file = url.split("/").slice(-2).join("/");
    return [id, `${functionName || "(anonymous)"} ${file && `${file}:${lineNumber + 1}`}`.trim()];
  }));
  const times = new Map<string, number>();
  let left = seconds * 1e6;
  for (let index = samples.length - 1; index >= 0 && left > 0; index--) {
    left -= timeDeltas[index]!;
    const id = samples[index]!;
    const name = names.get(id) ?? "?";
    if (name !== "(idle)") times.set(name, (times.get(name) ?? 0) + timeDeltas[index]!);
  }
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times].map(([name, time]): [string, number] => [name, time / all])
    .toSorted(([, a], [, b]) => b - a);
}

async function main(): Promise<void> {
  const commandLine = parseCommandLine(Deno.args, {
    program: "profile",
    help: `usage: deno task bench:profile WORKLOAD [--plain] [--seconds N]

Workloads: ${WORKLOADS.map(({ name }) => name).join(", ")}.`,
    arguments: ["workload"],
    flags: ["plain"],
    options: ["seconds"],
  });
  if (commandLine === undefined) return;
  const workload = WORKLOADS.find(({ name }) => name === commandLine.arguments["workload"]);
  if (workload === undefined) {
    throw new ExitError(
      ExitCode.usage,
      `there is no such workload; there are ${WORKLOADS.map(({ name }) => name).join(", ")}`,
    );
  }
  await using folder = await TempFolder.create();
  const programs = await findPrograms(command("server"));
  const [deno, run, ...rest] = programs.chatserver;
  const chatserver = [deno!, run!, "--cpu-prof", `--cpu-prof-dir=${folder.path}/profile`, ...rest];
  const load = await LoadGenerator.build(folder.path);
  const target = {
    server: "chatserver",
    tls: !commandLine.flags.has("plain"),
    udp: true,
  } as const;
  const options = { programs: { ...programs, chatserver }, folder: folder.path };
  await using server = await RunningTarget.start(target, options);
  const seconds = Number(commandLine.options["seconds"] ?? 5);
  await load.run([...workload.args, ...server.loadArgs], { seconds, warmUp: 0, settle: 0 });
  await server.stop();
  const [file] = [...Deno.readDirSync(`${folder.path}/profile`)];
  const profile = JSON.parse(await Deno.readTextFile(`${folder.path}/profile/${file!.name}`));
  for (const [name, part] of selfTimes(profile, { seconds }).slice(0, SHOWN)) {
    console.log(`${(100 * part).toFixed(1).padStart(5)} %  ${name}`);
  }
}

await runProgram("profile", main);
