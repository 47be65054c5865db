import { DEFAULT_COST } from "./lib/accounts/phc.ts";
import { systemClock } from "./lib/clock.ts";
import { parseCommandLine, parsePort } from "./lib/command_line.ts";
import { Console } from "./lib/console/console.ts";
import { openSource, standardOutput } from "./lib/console/standard_streams.ts";
import { TerminalLines } from "./lib/console/terminal_lines.ts";
import { ExitCode, ExitError } from "./lib/exit.ts";
import { describeFingerprint } from "./lib/net/fingerprint_words.ts";
import { ownAddresses } from "./lib/net/ports.ts";
import { EndWish, onSignals, runProgram } from "./lib/program.ts";
import {
  countFreeDescriptors,
  descriptorsFor,
  fitToDescriptors,
} from "./lib/server/descriptors.ts";
import { LIMITS, parseLimits } from "./lib/server/limits.ts";
import { createLog } from "./lib/server/log.ts";
import { ChatServer } from "./lib/server/server.ts";
import { manageUsers, USER_ACTIONS } from "./lib/server/users.ts";

const HELP =
  `usage: chatserver <port> [--host ADDRESS] [--data FOLDER] [--closed] [--plain] [LIMITS]

Serves a chat on a port, TCP and UDP, until Ctrl-C.

  <port>          1 to 65535; 0 lets the system choose one
  --host ADDRESS  the address to listen on (default: every address)
  --data FOLDER   where accounts and identity are kept (default: the current folder)
  --closed        no new accounts, but those that "chatserver users add" makes
  --plain         no encryption: anybody on the network can read along
  --help          this text
  --version       the version

       chatserver users list|add|passwd|remove [<username>] [--data FOLDER]

Manages the accounts, of a running server too. To remove many, <username> may be a pattern in
quotation marks ("spam*", "user??"), and there are

  --created-after TIME   only accounts made then or later: 2026-01-31, or 2026-01-31T09:30Z
  --created-before TIME  only accounts made before; times are UTC
  --dry-run              remove nothing, and say what would be removed

Limits:
${limitHelp()}

Exit codes: 0 done, 2 usage, 4 refused (the port, the data folder, an account),
1 anything unforeseen.`;

function limitHelp(): string {
  const flags = Object.values(LIMITS).map(({ flag, what, default: normal }) => ({
    flag: `--${flag} N`,
    text: `${what} (default: ${normal})`,
  }));
  const width = Math.max(...flags.map(({ flag }) => flag.length));
  return flags.map(({ flag, text }) => `  ${flag.padEnd(width)}  ${text}`).join("\n");
}

async function serve(args: readonly string[]): Promise<void> {
  const commandLine = parseCommandLine(args, {
    program: "chatserver",
    help: HELP,
    arguments: ["port"],
    flags: ["plain", "closed"],
    options: ["host", "data", ...Object.values(LIMITS).map(({ flag }) => flag)],
  });
  if (commandLine === undefined) return;
  const port = parsePort(commandLine.arguments["port"]!, 0);
  const { host, data = "." } = commandLine.options;
  const plain = commandLine.flags.has("plain");
  const wanted = parseLimits(commandLine.options);
  const free = countFreeDescriptors(descriptorsFor(wanted));
  const { connections, limits, warning } = fitToDescriptors(wanted, free);
  if (warning !== undefined) console.error(warning);

  const stopped = Promise.withResolvers<{ final: boolean }>();
  const wish = new EndWish();
  const stop = (final: boolean) => {
    // Whoever can't wait asks again.
    if (wish.express(systemClock.now()) === "again") Deno.exit(ExitCode.done);
    stopped.resolve({ final });
  };
  onSignals(["SIGINT", "SIGBREAK"], () => stop(true));
  onSignals(["SIGTERM"], () => stop(false));

  console.log("Attempting to bind host/port to sockets");
  const server = await ChatServer.start({
    port,
    hostname: host,
    folder: data,
    plain,
    closed: commandLine.flags.has("closed"),
    limits,
    connections,
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
    console.error(await describeFingerprint(server.fingerprint));
  }
  const join = `chatclient ${addresses[0]} ${server.port} <username>`;
  console.error(`to join: ${join}${plain ? " --plain" : ""}`);
  for (const line of server.unreadableCredentials) {
    console.error(`credentials.txt: line ${line} can't be read and was left out`);
  }

  await server.close(await stopped.promise);
}

async function users([action = "", ...args]: readonly string[]): Promise<void> {
  const known = USER_ACTIONS.find((name) => name === action);
  if (known === undefined && !["--help", "--version"].includes(action)) {
    throw new ExitError(
      ExitCode.usage,
      `chatserver users takes one of ${USER_ACTIONS.join(", ")} (--help tells more)`,
    );
  }
  const commandLine = parseCommandLine(known === undefined ? [action, ...args] : args, {
    program: "chatserver",
    help: HELP,
    arguments: known === "list" ? [] : ["username"],
    flags: known === "remove" ? ["dry-run"] : [],
    options: ["data", ...known === "remove" ? ["created-after", "created-before"] : []],
  });
  if (commandLine === undefined) return;
  const { options, flags } = commandLine;
  using source = openSource(() => Deno.exit(ExitCode.usage));
  await manageUsers(known!, commandLine.arguments["username"], {
    folder: options["data"] ?? ".",
    cost: DEFAULT_COST,
    console: new Console(source, standardOutput),
    hidden: source instanceof TerminalLines,
    removal: {
      createdAfter: options["created-after"],
      createdBefore: options["created-before"],
      dryRun: flags.has("dry-run"),
    },
  });
}

const [first, ...rest] = Deno.args;
await runProgram("chatserver", () => first === "users" ? users(rest) : serve(Deno.args));
