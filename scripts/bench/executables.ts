/**
 * How large the executables in `dist/` are, and how long this system's take to start beside the
 * source: two tables, and exit code 1 where a figure is beyond its bound.
 *
 *     deno task bench:executables [--rounds N]
 *
 * @module
 */
import { join } from "node:path";
import { parseCommandLine } from "../../lib/command_line.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { runProgram } from "../../lib/program.ts";
import { startServer } from "../../tests/helpers/programs.ts";
import { TempFolder } from "../../tests/helpers/temp_folder.ts";
import { ROOT } from "../release/bundle.ts";
import { flagsOf } from "../release/executable.ts";
import { executableName, HOST, PROGRAMS, TARGETS } from "../release/targets.ts";

/** What is ours may have so many bytes in an executable. */
const OWN_LIMIT = 2_000_000;
/** An executable may take so much longer to start than the source, both without code cache. */
const RATIO_LIMIT = 1.3;

/** Where the runtime ends in an ELF file: after the table of sections. What follows is ours. */
async function runtimeSize(path: string): Promise<number> {
  using file = await Deno.open(path);
  const header = new DataView(new ArrayBuffer(64));
  await file.read(new Uint8Array(header.buffer));
  const sections = Number(header.getBigUint64(0x28, true));
  return sections + header.getUint16(0x3a, true) * header.getUint16(0x3c, true);
}

async function sizes(): Promise<void> {
  console.log("bytes".padEnd(40) + ["whole", "runtime", "ours"].map(right).join(""));
  const present = new Set([...Deno.readDirSync(join(ROOT, "dist"))].map(({ name }) => name));
  // Only Linux's executables are the runtime with ours behind it.
  for (const target of TARGETS.filter((target) => target.includes("linux"))) {
    for (const name of PROGRAMS.map((program) => executableName(program, target))) {
      if (!present.has(name)) continue;
      const path = join(ROOT, "dist", name);
      const { size } = await Deno.stat(path);
      const runtime = await runtimeSize(path);
      const figures = [size, runtime, size - runtime].map((bytes) => bytes.toLocaleString("en"));
      console.log(name.padEnd(40) + figures.map(right).join(""));
      if (size - runtime > OWN_LIMIT) tooMuch(`${name} has more than ${OWN_LIMIT} bytes of ours`);
    }
  }
}

const right = (text: string) => text.padStart(13);

function tooMuch(problem: string): never {
  throw new ExitError(ExitCode.unforeseen, problem);
}

/** The time from a program's start until it has printed `mark`, in milliseconds. */
async function startUp(
  [command, ...args]: readonly string[],
  mark: string,
): Promise<number> {
  const start = performance.now();
  const process = new Deno.Command(command!, {
    args,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes(mark)) break;
  }
  const took = performance.now() - start;
  if (!text.includes(mark)) tooMuch(`${command} ended before it printed "${mark}"`);
  process.kill("SIGKILL");
  await process.status;
  await process.stdin.close().catch(() => {});
  return took;
}

/** The ways to start a program, beside its executable. */
async function ways(task: "server" | "client"): Promise<Record<string, string[]>> {
  // The Deno that is in the executable, so that the same is compared.
  const deno = Deno.env.get("COMPILE_DENO") ?? Deno.execPath();
  const source = [...await flagsOf(task), join(ROOT, `${task}.ts`)];
  return {
    "executable": [join(ROOT, "dist", executableName(`chat${task}`, HOST))],
    "deno run --no-code-cache": [deno, "run", "--no-code-cache", ...source],
    "deno run": [deno, "run", ...source],
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function measure(
  task: "server" | "client",
  { args, mark, rounds }: { args: readonly string[]; mark: string; rounds: number },
): Promise<void> {
  const commands = Object.entries(await ways(task));
  const times = commands.map((): number[] => []);
  // The first round only fills caches. Each way takes its turn, so that a busy machine slows all.
  for (let round = 0; round <= rounds; round++) {
    for (const [index, [, command]] of commands.entries()) {
      const took = await startUp([...command, ...args], mark);
      if (round > 0) times[index]!.push(took);
    }
  }
  const [executable, ...source] = times.map(median);
  for (const [index, [way]] of commands.entries()) {
    const time = [executable!, ...source][index]!;
    const figures = [`${time.toFixed(0)} ms`, (executable! / time).toFixed(2)];
    console.log(`chat${task}, ${way}`.padEnd(40) + figures.map(right).join(""));
  }
  const ratio = executable! / source[0]!;
  if (ratio > RATIO_LIMIT) tooMuch(`chat${task} starts ${ratio.toFixed(2)} times as slowly`);
}

async function main(): Promise<void> {
  const commandLine = parseCommandLine(Deno.args, {
    program: "executables",
    help: "usage: deno task bench:executables [--rounds N]",
    arguments: [],
    options: ["rounds"],
  });
  if (commandLine === undefined) return;
  const rounds = Number(commandLine.options["rounds"] ?? 11);
  await sizes();

  console.log(
    `\nstart-up, median of ${rounds}`.padEnd(41) + ["time", "executable/this"].map(right).join(""),
  );
  await using folder = await TempFolder.create();
  // The first start makes the identity, which is not what is measured.
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await using data = await TempFolder.create();
  await Deno.copyFile(folder.file("identity.pem"), data.file("identity.pem"));
  const args = ["0", "--host", "127.0.0.1", "--data", data.path];
  await measure("server", { args, mark: "Server ready to receive connections", rounds });
  await measure("client", { args: clientArgs("joe"), mark: "enter a new password:", rounds });
}

await runProgram("executables", main);
