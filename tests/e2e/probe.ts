// Tries what an executable should and should not be able to do, and prints what came of it as JSON.
// permissions_test.ts compiles it with the permissions of one of the two programs.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { DatabaseSync } from "node:sqlite";
import { giveUpFiles } from "../../lib/client/give_up_files.ts";

const [folder = "."] = Deno.args;
// Not to be found by whoever bundles.
const code = ["https:", "", "deno.land", "x.ts"].join("/");

const files: Record<string, () => unknown> = {
  "read a file": () => Deno.readTextFileSync(`${folder}/file`),
  "read a file as Node does": () => readFileSync(`${folder}/file`),
  "write a file": () => Deno.writeTextFileSync(`${folder}/file`, "text"),
  "remove a file": () => Deno.removeSync(`${folder}/surplus`),
  "list a folder": () => [...Deno.readDirSync(folder)],
  "open a database": () => new DatabaseSync(`${folder}/database`).close(),
};

const attempts: Record<string, () => unknown> = {
  "run a program": () => new Deno.Command("true").outputSync(),
  "run a program as Node does": () => execFileSync("true"),
  "kill a process": () => Deno.kill(Deno.pid, "SIGURG"),
  "call a foreign function": () => Deno.dlopen("libc.so.6", {}),
  "load a native extension": () => createRequire("file:///")(`${folder}/extension.node`),
  "read TERM": () => Deno.env.get("TERM"),
  "read HOME": () => Deno.env.get("HOME"),
  "read PATH": () => Deno.env.get("PATH"),
  "read the whole environment": () => Deno.env.toObject(),
  "read the environment from /proc": () => Deno.readTextFileSync("/proc/self/environ"),
  "change the environment": () => Deno.env.set("PATH", "/tmp"),
  "list the network interfaces": () => Deno.networkInterfaces(),
  "read the host's name": () => Deno.hostname(),
  "read the user's number": () => Deno.uid(),
  "import code from the network": () => import(code),
  "listen": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  ...files,
};

// An executable does not even look for code that is elsewhere.
const REFUSED = /NotCapable|Requires \S+ access|Module not found: https:/;

async function outcome(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return "done";
  } catch (error) {
    return REFUSED.test(`${error}`) ? "denied" : `${error}`;
  }
}

const outcomes: Record<string, string> = {};
for (const [what, attempt] of Object.entries(attempts)) outcomes[what] = await outcome(attempt);
await giveUpFiles(undefined);
for (const [what, attempt] of Object.entries(files)) {
  outcomes[`${what}, once files are given up`] = await outcome(attempt);
}
const asked = await Deno.permissions.request({ name: "read" });
outcomes["ask for files again"] = asked.state;
console.log(JSON.stringify(outcomes));
