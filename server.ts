import { DEFAULT_COST } from "./lib/accounts/phc.ts";
import { systemClock } from "./lib/clock.ts";
import { type CommandLine, parsePort } from "./lib/command_line.ts";
import { Console } from "./lib/console/console.ts";
import { openSource, standardOutput } from "./lib/console/standard_streams.ts";
import { TerminalLines } from "./lib/console/terminal_lines.ts";
import { ExitCode, ExitError } from "./lib/exit.ts";
import { parseEndpoint } from "./lib/net/endpoints.ts";
import { describeFingerprint } from "./lib/net/fingerprint_words.ts";
import { ownAddresses } from "./lib/net/ports.ts";
import { EndWish, onSignals, runProgram } from "./lib/program.ts";
import {
  countFreeDescriptors,
  descriptorsFor,
  fitToDescriptors,
} from "./lib/server/descriptors.ts";
import { parseClusterFlags } from "./lib/server/cluster_flags.ts";
import { parseLimits } from "./lib/server/limits.ts";
import { howStarted, joinCommand } from "./lib/server/join_command.ts";
import { createLog, tellOperator } from "./lib/server/log.ts";
import { ChatServer } from "./lib/server/server.ts";
import type { ControlRequest } from "./lib/server/control.ts";
import { controlServer } from "./lib/server/control_command.ts";
import {
  CHATSERVER,
  CONTROL_NAMES,
  parseHistoryRule,
  parseMetricsPort,
  USER_ACTIONS,
  type UserAction,
} from "./lib/server/usage.ts";
import { manageUsers } from "./lib/server/users.ts";
import { completionScript } from "./lib/usage/completions.ts";
import { parseProgram } from "./lib/usage/parse.ts";

/** A terminal that is closed ends no chat, and there is nothing to read again. */
const HANGUP =
  "SIGHUP: the server goes on, and SIGTERM ends it; accounts are read again by themselves";

async function main(): Promise<void> {
  const commandLine = parseProgram(Deno.args, CHATSERVER);
  if (commandLine === undefined) return;
  const action = USER_ACTIONS.find((name) => commandLine.command === `users ${name}`);
  if (action !== undefined) return await users(action, commandLine);
  const control = CONTROL_NAMES.find((name) => commandLine.command === `control ${name}`);
  if (control !== undefined) return await askServer(control, commandLine);
  if (commandLine.command === "completions") {
    return console.log(completionScript(CHATSERVER, commandLine.arguments["shell"]!));
  }
  await serve(commandLine);
}

async function serve(commandLine: CommandLine): Promise<void> {
  const port = parsePort(commandLine.arguments["port"]!, 0);
  const { host, data = ".", advertise } = commandLine.options;
  const plain = commandLine.flags.has("plain");
  const history = parseHistoryRule(commandLine.options["history"]);
  const metrics = parseMetricsPort(commandLine.options["metrics"], port);
  // Only these tell how much room is on the disk.
  if (metrics === undefined) await Deno.permissions.revoke({ name: "sys", kind: "statfs" });
  const wanted = parseLimits(commandLine.options);
  const cluster = await parseClusterFlags(commandLine.options);
  const free = countFreeDescriptors(descriptorsFor(wanted));
  const { connections, limits, warning } = fitToDescriptors(wanted, free);
  if (warning !== undefined) tellOperator(warning);

  const stopped = Promise.withResolvers<{ final: boolean; why?: undefined }>();
  const wish = new EndWish();
  const stop = (final: boolean) => {
    // Whoever can't wait asks again.
    if (wish.express(systemClock.now()) === "again") Deno.exit(ExitCode.done);
    stopped.resolve({ final });
  };
  onSignals(["SIGINT", "SIGBREAK"], () => stop(true));
  onSignals(["SIGTERM"], () => stop(false));
  const log = createLog(systemClock, tellOperator);
  onSignals(["SIGHUP"], () => log(HANGUP));

  console.log("Attempting to bind host/port to sockets");
  const server = await ChatServer.start({
    port,
    hostname: host,
    folder: data,
    plain,
    closed: commandLine.flags.has("closed"),
    history,
    advertise: advertise === undefined ? undefined : parseEndpoint(advertise, 0),
    limits,
    connections,
    cluster,
    control: true,
    metrics,
    cost: DEFAULT_COST,
    clock: systemClock,
    log,
  });
  const addresses = host === undefined ? ownAddresses() : [host];
  for (const address of addresses) {
    console.log(`server listening at ${address} on port ${server.port}`);
  }
  console.log("Server ready to receive connections");
  if (server.fingerprint === undefined) {
    tellOperator("--plain: passwords and messages can be read by anybody on the network");
  } else {
    tellOperator(await describeFingerprint(server.fingerprint));
  }
  const hostname = addresses[0]!;
  tellOperator(
    `to join: ${joinCommand(howStarted(), { hostname, port: server.port, plain })}`,
  );
  if (server.metricsPort !== undefined) {
    tellOperator(`metrics: http://127.0.0.1:${server.metricsPort}/metrics`);
  }
  for (const line of server.unreadableCredentials) {
    tellOperator(`credentials.txt: line ${line} can't be read and was left out`);
  }

  await using _announcer = commandLine.flags.has("hidden")
    ? undefined
    : await announce(server, host);
  const failed = server.failed.then((why) => ({ final: false, why }));
  const { final, why } = await Promise.race([stopped.promise, failed]);
  await server.close({ final });
  if (why !== undefined) throw new ExitError(ExitCode.refused, why);
}

/** Lets clients on the local network find the server. */
async function announce(
  { port, fingerprint }: ChatServer,
  hostname: string | undefined,
): Promise<AsyncDisposable> {
  // Only a server that is to be found needs this library.
  const { Announcer } = await import("./lib/discovery/announcer.ts");
  const log = createLog(systemClock, tellOperator);
  return new Announcer({ name: Deno.hostname() || "chat", port, fingerprint }, {
    clock: systemClock,
    hostname,
    log,
  });
}

async function askServer(
  command: ControlRequest["command"],
  { arguments: { username, address, text }, options, flags }: CommandLine,
): Promise<void> {
  await controlServer(command, {
    folder: options["data"] ?? ".",
    print: (line) => console.log(line),
    user: username,
    address,
    text: text ?? options["why"],
    lasting: options["for"],
    count: options["count"],
    json: flags.has("json"),
  });
}

async function users(
  action: UserAction,
  { arguments: { username, role }, options, flags }: CommandLine,
): Promise<void> {
  using source = openSource(() => Deno.exit(ExitCode.usage));
  await manageUsers(action, username, {
    folder: options["data"] ?? ".",
    cost: DEFAULT_COST,
    console: new Console(source, standardOutput),
    hidden: source instanceof TerminalLines,
    role,
    removal: {
      createdAfter: options["created-after"],
      createdBefore: options["created-before"],
      dryRun: flags.has("dry-run"),
    },
  });
}

await runProgram("chatserver", main);
