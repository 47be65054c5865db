// What an executable can't do: a probe is compiled as the two programs are, with their permissions.
import { assertEquals } from "@std/assert";
import { bundle } from "../../scripts/release/bundle.ts";
import { compile } from "../../scripts/release/executable.ts";
import { HOST } from "../../scripts/release/targets.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

/** What came of each attempt of the probe. */
async function probe(task: "server" | "client"): Promise<Record<string, string>> {
  await using folder = await TempFolder.create();
  await using data = await TempFolder.create();
  const output = folder.file(Deno.build.os === "windows" ? "probe.exe" : "probe");
  await Deno.mkdir(folder.file("bundle"));
  await bundle("tests/e2e/probe.ts", folder.file("bundle/probe.js"), { commit: "none" });
  await compile(folder.file("bundle/probe.js"), { target: HOST, output, task });
  for (const name of ["file", "surplus", "extension.node"]) {
    await Deno.writeTextFile(data.file(name), "");
  }
  const { stdout } = await new Deno.Command(output, {
    args: [data.path],
    env: { TERM: "xterm", HOME: "/home/joe" },
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

const FILES = [
  "read a file",
  "read a file as Node does",
  "write a file",
  "remove a file",
  "list a folder",
  "open a database",
];
const MAY = {
  server: ["list the network interfaces", "read the host's name"],
  client: ["list the network interfaces", "read HOME"],
};

for (const task of ["server", "client"] as const) {
  Deno.test(`an executable with the permissions of chat${task} can do what it needs and no more`, async () => {
    const outcomes = await probe(task);
    const done = Object.keys(outcomes).filter((what) => outcomes[what] === "done");
    const denied = Object.keys(outcomes).filter((what) => outcomes[what] === "denied");
    console.log(`    chat${task}: ${denied.length} attempts denied, ${done.length} done`);
    assertEquals(done.toSorted(), ["read TERM", "listen", ...FILES, ...MAY[task]].toSorted());
    assertEquals(
      [...done, ...denied].toSorted(),
      Object.keys(outcomes).toSorted(),
      other(outcomes),
    );
  });
}

/** The outcomes that are neither one nor the other. */
function other(outcomes: Record<string, string>): string {
  const rest = Object.entries(outcomes).filter(([, outcome]) => !/^(done|denied)$/.test(outcome));
  return JSON.stringify(rest);
}
