/**
 * Starts three NATS servers and three chat servers on this machine, to try a cluster out: `docs/SCALING.md`. It ends
 * everything that it has started at Ctrl-C, or after an hour, and removes what these have stored.
 *
 *     deno task cluster [--port N] [--minutes N]
 *
 * @module
 */
import { parseCommandLine, parsePort } from "../../lib/command_line.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { onSignals, runProgram } from "../../lib/program.ts";
import { LocalCluster } from "./local_cluster.ts";

const HELP = `usage: deno task cluster [--port N] [--minutes N]

Starts three NATS servers and three chat servers on the loopback interface, until Ctrl-C. It needs nats-server
(Debian: apt install nats-server), and leaves nothing behind.

  --port N      the first chat server's port; the others have the next ones (default: 1300); 0 for any
  --minutes N   after so long it ends by itself (default: 60)
  --help        this text`;

await runProgram("cluster", async () => {
  const commandLine = parseCommandLine(Deno.args, {
    program: "cluster",
    help: HELP,
    arguments: [],
    options: ["port", "minutes"],
  });
  if (commandLine === undefined) return;
  const { port = "1300", minutes = "60" } = commandLine.options;
  if (!/^[1-9]\d{0,3}$/.test(minutes)) {
    throw new ExitError(ExitCode.usage, "--minutes takes a number from 1 to 9999");
  }
  const stopped = Promise.withResolvers<void>();
  onSignals(["SIGINT", "SIGTERM", "SIGHUP"], stopped.resolve);
  const timer = setTimeout(stopped.resolve, Number(minutes) * 60_000);
  const folder = await Deno.makeTempDir({ prefix: "chat-cluster-" });
  try {
    console.log("starting three NATS servers and three chat servers ...");
    const starting = LocalCluster.start({ folder, port: parsePort(port, 0) || undefined });
    await using cluster = await starting.catch((cause) => {
      const remedy = cause instanceof Deno.errors.NotFound || /nats-server/.test(cause.message)
        ? " (on Debian: apt install nats-server)"
        : "";
      throw new ExitError(ExitCode.refused, `${cause.message}${remedy}`, { cause });
    });
    const [first, ...others] = cluster.servers;
    const hosts = cluster.servers.map(({ port }) => `127.0.0.1:${port}`).join(",");
    console.log(`\nto join, each in a terminal of its own:
  deno task client ${hosts} ${first!.port} ann
  deno task client ${hosts} ${first!.port} joe
  deno task client 127.0.0.1 ${others[0]!.port} eve
then end a server, and see what its clients do:`);
    for (const { port, pid } of cluster.servers) {
      console.log(`  kill ${pid}        the chat server at port ${port} (kill -9 for a crash)`);
    }
    for (const { port, pid } of cluster.nats) {
      console.log(`  kill -9 ${pid}     the NATS server at port ${port}: one of three may be lost`);
    }
    console.log(`\nlogs: ${folder}/*.log\nCtrl-C ends everything.`);
    await stopped.promise;
    console.log("ending everything ...");
  } finally {
    clearTimeout(timer);
    await Deno.remove(folder, { recursive: true });
  }
});
