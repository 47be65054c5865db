// What compiling gives, and what it says and leaves behind where it can't.
import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import {
  archiveName,
  executableName,
  HOST,
  plainName,
  PROGRAMS,
  type Target,
} from "../../scripts/release/targets.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The command that compiles, with flags. */
function compileCommand(args: readonly string[]): [string, string[]] {
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-run"];
  return [Deno.execPath(), [
    "run",
    "--no-prompt",
    ...permissions,
    `${root}scripts/compile.ts`,
    ...args,
  ]];
}

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

async function finished(process: Deno.ChildProcess): Promise<Result> {
  const { code, stdout, stderr } = await process.output();
  const [said, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: said!, stderr: complained! };
}

function start([command, args]: [string, string[]], env: Record<string, string> = {}) {
  return new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

const compile = (args: readonly string[], env: Record<string, string> = {}) =>
  finished(start(compileCommand(args), env));

const namesIn = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();

/** A target whose runtime this machine's stub is not. */
const OTHER: Target = HOST === "aarch64-apple-darwin"
  ? "x86_64-apple-darwin"
  : "aarch64-apple-darwin";

Deno.test("compile names what is wrong with its command line, exit code 2", async () => {
  await using folder = await TempFolder.create();
  const wrong: [string[], RegExp][] = [
    [["--target", "mips"], /"mips" is no target; there are x86_64-unknown-linux-gnu, /],
    [["--target"], /"" is no target/],
    [["--all", "--target", HOST], /--all or --target, but not both/],
    [["--fast"], /there is no --fast/],
    [["server"], /there is no server/],
    [["--output"], /--output needs a folder/],
  ];
  for (const [args, problem] of wrong) {
    const { code, stderr } = await compile(["--output", folder.file("dist"), ...args]);
    assertEquals(code, 2, stderr);
    assertMatch(stderr, problem);
    assertMatch(stderr, /^compile: [^\n]+\n$/);
    assertEquals(namesIn(folder.path), []);
  }
});

Deno.test("compile says that its folder is a file, exit code 1", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("file"), "");
  for (const output of ["file", "file/below"]) {
    const { code, stderr } = await compile(["--output", folder.file(output)]);
    assertEquals(code, 1);
    assertMatch(stderr, /^compile: \S+ can't be the folder .*: is a file or lies below one\n$/);
  }
});

Deno.test("compile goes on where one target can't be made, and twice gives the same bytes", async () => {
  await using folder = await TempFolder.create();
  const [first, second] = [folder.file("first"), folder.file("second")];
  // Nothing is to be had for the other target, not even where there is a network.
  const { code, stdout, stderr } = await compile(
    ["--target", OTHER, "--target", HOST, "--output", first],
    { HTTPS_PROXY: "http://127.0.0.1:9" },
  );
  assertEquals(code, 1, stderr);
  assertMatch(stdout, new RegExp(`${HOST}: compiling chatserver\n[^]*${HOST}: packing\n`));
  const [problem, sum] = stderr.trim().split("\n");
  assertMatch(problem!, new RegExp(`^compile: ${OTHER}: .*DENORT_BIN.* a runtime stub`));
  assertEquals(sum, `compile: not made: ${OTHER}`);
  assertEquals(
    namesIn(first),
    [
      "SHA256SUMS",
      archiveName(HOST),
      ...PROGRAMS.flatMap((program) => [executableName(program, HOST), plainName(program, HOST)]),
    ].toSorted(),
  );

  const again = await compile(["--output", second], { TZ: "Asia/Tokyo" });
  assertEquals(again.code, 0, again.stderr);
  const sums = [first, second].map((path) => Deno.readTextFileSync(`${path}/SHA256SUMS`));
  assertEquals(sums[0], sums[1]);
  console.log(`    twice: ${sums[0]!.trim()}`);
  const checked = await new Deno.Command("sha256sum", {
    args: ["--check"],
    cwd: first,
    stdin: "piped",
  })
    .spawn();
  const input = checked.stdin.getWriter();
  await input.write(new TextEncoder().encode(sums[1]!));
  await input.close();
  assertEquals((await checked.status).code, 0);
});

Deno.test("compile says that there is no space, and leaves nothing", async () => {
  for (const megabytes of [20, 150]) {
    await using folder = await TempFolder.create();
    const [command, args] = compileCommand(["--output", folder.path]);
    // The small disk is there for this command only.
    const script = 'mount -t tmpfs -o "size=$1m" none "$2"; folder=$2; shift 2; "$@"; code=$?; ' +
      'echo "left: $(ls -A "$folder")"; exit $code';
    const { code, stdout, stderr } = await finished(start([
      "unshare",
      ["--mount", "sh", "-c", script, "sh", `${megabytes}`, folder.path, command, ...args],
    ]));
    assertEquals(code, 1);
    assertMatch(stderr, /^compile: there is no space left in \S+: a target needs about 300 MB\n$/);
    assertMatch(stdout, /\nleft: \n$/);
  }
});

Deno.test("compile that is stopped leaves nothing", async () => {
  await using folder = await TempFolder.create();
  const process = start(compileCommand(["--output", folder.path]));
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("compiling")) text += (await output.read()).value!;
  process.kill("SIGINT");
  while (!(await output.read()).done);
  const { code } = await process.status;
  assertEquals(await new Response(process.stderr).text(), "compile: stopped\n");
  assertEquals(code, 1);
  assertEquals(namesIn(folder.path), []);
});

Deno.test("compile says that DENORT_BIN is no runtime stub", async () => {
  await using folder = await TempFolder.create();
  const wrong: [string, RegExp][] = [
    [folder.file("none"), /^compile: DENORT_BIN can't be read: .*\n$/],
    [
      `${root}README.md`,
      /^compile: DENORT_BIN has to be a runtime stub for \S+: \S+ is no exec.*\n$/,
    ],
  ];
  for (const [path, problem] of wrong) {
    const { code, stderr } = await compile(["--output", folder.path], { DENORT_BIN: path });
    assertEquals(code, 1);
    assertMatch(stderr, problem);
    assertEquals(namesIn(folder.path), []);
  }
});
