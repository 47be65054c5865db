import { DEFAULT_COST } from "./lib/accounts/phc.ts";
import { systemClock } from "./lib/clock.ts";
import { parseCommandLine, parsePort } from "./lib/command_line.ts";
import { ExitCode, ExitError } from "./lib/exit.ts";
import { ownAddresses } from "./lib/net/ports.ts";
import { onSignals, runProgram } from "./lib/program.ts";
import { createLog } from "./lib/server/log.ts";
import { ChatServer } from "./lib/server/server.ts";

const HELP = `usage: chatserver <port> [--host ADDRESS] [--data FOLDER] [--plain]

Serves a chat on a port, TCP and UDP, until Ctrl-C.

  <port>          1 to 65535; 0 lets the system choose one
  --host ADDRESS  the address to listen on (default: every address)
  --data FOLDER   where credentials.txt is kept (default: the current folder)
  --plain         no encryption, which is all there is at present
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
  const server = await start({ port, hostname: host, folder: data });
  for (const address of host === undefined ? ownAddresses() : [host]) {
    console.log(`server listening at ${address} on port ${server.port}`);
  }
  console.log("Server ready to receive connections");
  for (const line of server.unreadableCredentials) {
    console.error(`credentials.txt: line ${line} can't be read and was left out`);
  }

  await server.close(await stopped.promise);
}

async function start(
  { port, hostname, folder }: { port: number; hostname: string | undefined; folder: string },
): Promise<ChatServer> {
  try {
    return await ChatServer.start({
      port,
      folder,
      cost: DEFAULT_COST,
      clock: systemClock,
      log: createLog(systemClock, console.error),
      ...(hostname === undefined ? {} : { hostname }),
    });
  } catch (cause) {
    if (cause instanceof ExitError) throw cause;
    throw new ExitError(ExitCode.refused, whyNoPort(port, hostname, cause), { cause });
  }
}

function whyNoPort(port: number, host: string | undefined, error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return `port ${port} is in use by another program: choose another one`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `port ${port} is not permitted: choose one above 1023`;
  }
  const reason = error instanceof Error ? error.message : String(error);
  return `port ${port}${host === undefined ? "" : ` at ${host}`} can't be had: ${reason}`;
}

await runProgram("chatserver", main);
