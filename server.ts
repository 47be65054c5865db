import { DEFAULT_COST } from "./lib/accounts/phc.ts";
import { systemClock } from "./lib/clock.ts";
import { parseCommandLine, parsePort } from "./lib/command_line.ts";
import { ExitCode } from "./lib/exit.ts";
import { ownAddresses } from "./lib/net/ports.ts";
import { onSignals, runProgram } from "./lib/program.ts";
import { createLog } from "./lib/server/log.ts";
import { ChatServer } from "./lib/server/server.ts";

const HELP = `usage: chatserver <port> [--host ADDRESS] [--data FOLDER] [--plain]

Serves a chat on a port, TCP and UDP, until Ctrl-C.

  <port>          1 to 65535; 0 lets the system choose one
  --host ADDRESS  the address to listen on (default: every address)
  --data FOLDER   where credentials.txt is kept (default: the current folder)
  --plain         no encryption: anybody on the network can read along
  --help          this text
  --version       the version

Exit codes: 0 done, 2 usage, 4 the port or the data folder was refused, 1 anything unforeseen.`;

async function main(): Promise<void> {
  const commandLine = parseCommandLine(Deno.args, {
    program: "chatserver",
    help: HELP,
    arguments: ["port"],
    flags: ["plain"],
    options: ["host", "data"],
  });
  if (commandLine === undefined) return;
  const port = parsePort(commandLine.arguments["port"]!, 0);
  const { host, data = "." } = commandLine.options;

  const stopped = Promise.withResolvers<{ final: boolean }>();
  onSignals(["SIGINT", "SIGBREAK"], () => stopped.resolve({ final: true }));
  onSignals(["SIGTERM"], () => stopped.resolve({ final: false }));

  console.log("Attempting to bind host/port to sockets");
  const plain = commandLine.flags.has("plain");
  const server = await ChatServer.start({
    port,
    hostname: host,
    folder: data,
    plain,
    cost: DEFAULT_COST,
    clock: systemClock,
    log: createLog(systemClock, console.error),
  });
  const addresses = host === undefined ? ownAddresses() : [host];
  for (const address of addresses) {
    console.log(`server listening at ${address} on port ${server.port}`);
  }
  console.log("Server ready to receive connections");
  if (server.fingerprint === undefined) {
    console.error("--plain: passwords and messages can be read by anybody on the network");
  } else {
    console.error(`fingerprint (SHA-256): ${server.fingerprint}`);
  }
  const join = `chatclient ${addresses[0]} ${server.port} <username>`;
  console.error(`to join: ${join}${plain ? " --plain" : ""}`);
  for (const line of server.unreadableCredentials) {
    console.error(`credentials.txt: line ${line} can't be read and was left out`);
  }

  const end = await stopped.promise;
  // Whoever can't wait asks again.
  onSignals(["SIGINT", "SIGTERM", "SIGBREAK"], () => Deno.exit(ExitCode.done));
  await server.close(end);
}

await runProgram("chatserver", main);
