import { assert, assertEquals } from "@std/assert";
import { flagsOf } from "../../scripts/release/executable.ts";

Deno.test("flagsOf() has what a task gives its program: permissions and what V8 is told", async () => {
  for (const task of ["server", "client"]) {
    const flags = await flagsOf(task);
    assert(flags.includes("--no-prompt") && flags.includes("--allow-net"), `${flags}`);
    assert(
      !flags.some((flag) => flag.startsWith("--lock")),
      "there is no lock file in an executable",
    );
  }
  const told = (await flagsOf("server")).filter((flag) => flag.startsWith("--v8-flags"));
  assertEquals(told.length, 1);
});
