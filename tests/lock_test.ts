// Who runs a program from source fetches what it needs, and not what tests and releases need.
import { assert, assertEquals } from "@std/assert";

async function readJson(name: string) {
  return JSON.parse(await Deno.readTextFile(new URL(`../${name}`, import.meta.url)));
}

Deno.test("programs.lock has just what deno.json names, in the versions of deno.lock", async () => {
  const [config, programs, all] = await Promise.all(
    ["deno.json", "programs.lock", "deno.lock"].map(readJson),
  );
  const named = Object.values<string>(config.imports)
    .map((specifier) => /^npm:\/?((?:@[^/]+\/)?[^/]+)/.exec(specifier)![1]!);
  assertEquals(
    Object.keys(programs.specifiers).toSorted(),
    [...new Set(named)].map((name) => `npm:${name}`).toSorted(),
    "deno task lock writes programs.lock anew",
  );
  for (const [name, { integrity }] of Object.entries<{ integrity: string }>(programs.npm)) {
    assertEquals(integrity, all.npm[name]?.integrity, name);
  }
  for (const name of ["fast-check", "fflate", "modern-tar"]) {
    assert(!Object.keys(programs.npm).some((key) => key.startsWith(`${name}@`)), name);
    assert(Object.keys(all.npm).some((key) => key.startsWith(`${name}@`)), name);
  }
});

Deno.test("the server fetches and loads nothing for a cluster or metrics, but where it is told to", async () => {
  const modules = async (script: string) => {
    const args = ["info", "--json", `--lock=deno.lock`, script];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout));
    return (modules as { specifier: string }[]).map(({ specifier }) => specifier);
  };
  const isNats = (specifier: string) => /nats/.test(specifier.replace(/^.*\/lib\//, "lib/"));
  const isProm = (specifier: string) => /prom-client|metrics\/endpoint/.test(specifier);
  const [alone, cluster] = await Promise.all(
    ["server.ts", "scripts/release/chatserver.ts"].map(modules),
  );
  assert(alone!.some((specifier) => specifier.endsWith("lib/cluster/cluster.ts")));
  assertEquals(alone!.filter((specifier) => isNats(specifier) || isProm(specifier)), []);
  assert(cluster!.some(isNats) && cluster!.some(isProm));
});
