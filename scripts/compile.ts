/**
 * Makes `dist/chatserver` and `dist/chatclient` for this machine's system.
 *
 * Each program is bundled first and compiled from a folder of its own, so that nothing is embedded
 * that is not used. `DENORT_BIN` names the runtime stub where Deno can't download it, and
 * `COMPILE_DENO` the Deno that the stub belongs to, where that is another one. Bundling needs Deno 2.9:
 * the bundles of 2.7 fail at a module of @peculiar/x509's.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const dist = join(root, "dist");
const suffix = Deno.build.os === "windows" ? ".exe" : "";

const bundler = Deno.execPath();
const compiler = Deno.env.get("COMPILE_DENO") ?? bundler;

/** Runs a Deno. @throws where it fails, with what it printed */
async function run(deno: string, args: readonly string[], cwd: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(deno, { args: [...args], cwd })
    .output();
  if (success) return;
  const printed = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  throw new Error(`deno ${args[0]} failed:\n${printed}`);
}

/** The permissions that a task of `deno.json` runs its program with. */
async function permissions(task: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  return tasks[task].command.split(" ").filter((word: string) => word.startsWith("--"));
}

async function compile(program: "server" | "client"): Promise<void> {
  const name = `chat${program}`;
  const folder = await Deno.makeTempDir({ prefix: `${name}-` });
  try {
    console.log(`${name}: bundling`);
    const bundle = join(folder, `${name}.js`);
    await run(
      bundler,
      ["bundle", "--quiet", "--minify", "--output", bundle, `${program}.ts`],
      root,
    );
    console.log(`${name}: compiling`);
    const output = join(dist, `${name}${suffix}`);
    await run(
      compiler,
      [
        "compile",
        "--quiet",
        "--no-config",
        "--no-check",
        "--no-code-cache",
        "--unstable-net",
        ...await permissions(program),
        "--output",
        output,
        bundle,
      ],
      folder,
    );
    const { size } = await Deno.stat(output);
    console.log(`${name}: ${output}, ${(size / 1_048_576).toFixed(1)} MiB`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

try {
  await Deno.mkdir(dist, { recursive: true });
  for (const program of ["server", "client"] as const) await compile(program);
} catch (error) {
  console.error(`compile: ${(error as Error).message}`);
  Deno.exit(1);
}
