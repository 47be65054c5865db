// The command that starts a cluster on this machine.
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { until } from "../helpers/running_cluster.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/cluster/try.ts", import.meta.url));

function runs(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

Deno.test("deno task cluster ends all that it has started at Ctrl-C, and leaves nothing behind", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", SCRIPT, "--port", "0", "--minutes", "2"],
    env: { NO_COLOR: "1" },
    stdout: "piped",
  }).spawn();
  let said = "";
  const reading = child.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({ write: (text) => void (said += text) }),
  );
  let ended = false;
  child.status.then(() => ended = true);
  await until(() => ended || said.includes("Ctrl-C ends everything."));
  const pids = [...said.matchAll(/ kill (?:-9 )?(\d+) /g)].map(([, pid]) => Number(pid));
  assertEquals(pids.length, 6, said);
  assert(pids.every(runs));
  const [, folder = ""] = /logs: (\S+)\/\*\.log/.exec(said) ?? [];
  assert((await Deno.stat(folder)).isDirectory);

  child.kill("SIGINT");
  assertEquals((await child.status).code, 0);
  await reading;
  assertEquals(pids.filter(runs), []);
  assertEquals(await Deno.stat(folder).catch(() => undefined), undefined);
});
