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
