import { abortable } from "@std/async/abortable";
import { ChatClient } from "./lib/client/client.ts";
import { dialer, openSocket } from "./lib/client/connect.ts";
import { Console } from "./lib/console/console.ts";
import { openSource, standardOutput } from "./lib/console/standard_streams.ts";
import { Dialogue } from "./lib/client/dialogue.ts";
import { formatMessage } from "./lib/client/format.ts";
import { giveUpFiles } from "./lib/client/give_up_files.ts";
import type { Trust } from "./lib/client/trust.ts";
import { systemUsername } from "./lib/client/system_username.ts";
import { CHATCLIENT } from "./lib/client/usage.ts";
import { TerminalLines } from "./lib/console/terminal_lines.ts";
import { systemClock } from "./lib/clock.ts";
import { type CommandLine, parsePort } from "./lib/command_line.ts";
import { ExitCode, ExitError } from "./lib/exit.ts";
import { parseFingerprint } from "./lib/net/certificate.ts";
import type { Endpoint } from "./lib/net/connection.ts";
import { defaultConfigFolder, KnownServers } from "./lib/net/known_servers.ts";
import { EndWish, onSignals, runProgram, writeText } from "./lib/program.ts";
import { reasonOf } from "./lib/reasons.ts";
import { parseUsername } from "./lib/protocol/names.ts";
import { completionScript } from "./lib/usage/completions.ts";
import { parseProgram } from "./lib/usage/parse.ts";

async function main(): Promise<void> {
  const commandLine = parseProgram(Deno.args, CHATCLIENT);
  if (commandLine === undefined) return;
  if (commandLine.command === "completions") {
    return console.log(completionScript(CHATCLIENT, commandLine.arguments["shell"]!));
  }
  const { host, port, username } = commandLine.arguments;
  if (host !== undefined && port === undefined) {
    throw new ExitError(ExitCode.usage, "the port is missing");
  }
  const named = host === undefined ? undefined : { hostname: host, port: parsePort(port!, 1) };
  const given = username === undefined ? undefined : checkUsername(username);
  const own = named !== undefined && given === undefined ? defaultUsername() : given;

  const trust = commandLine.flags.has("plain") ? undefined : await loadTrust(commandLine.options);
  if (trust === undefined) say("--plain: anybody on the network can read along");

  const leaving = new Leaving();
  using source = openSource(() => leaving.ask());
  onSignals(["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"], () => leaving.ask());
  const screen = new Console(source, standardOutput);
  const server = named ?? await leaving.orDone(findServer(screen, trust, leaving.signal));
  const name = own ?? await leaving.orDone(askUsername(screen, leaving.signal));
  const client = await leaving.orDone(ChatClient.open({
    clock: systemClock,
    random: Math.random,
    dial: dialer(server, trust),
    openSocket,
    onMessage: (message) => screen.print(formatMessage(message, screen.page)),
    onLost: (why) => screen.complain(`Connection lost (${why}), trying to come back.`),
    onBack: () => screen.complain("Connected again."),
  }));
  giveUpFiles();
  const hidden = source instanceof TerminalLines;
  const dialogue = new Dialogue({ console: screen, client, hidden });
  try {
    await leaving.orDone(dialogue.logIn(name));
    await leaving.orDone(dialogue.takeCommands());
  } catch (error) {
    if (error === leaving.reason) return await dialogue.leave();
    // Whatever it was, the server need not wait to find out.
    if (!client.signal.aborted) await client.logout().catch(() => {});
    throw error;
  }
}

/** The user's wish to leave: Ctrl-C, or a signal that asks the program to end. */
class Leaving {
  readonly #controller = new AbortController();
  readonly #wish = new EndWish();
  readonly reason = new ExitError(ExitCode.usage, "you left before the connection was made");

  /** Aborted by the wish; its reason is {@linkcode reason}. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Asked again, the program ends at once. */
  ask(): void {
    const asked = this.#wish.express(systemClock.now());
    if (asked === "again") Deno.exit(ExitCode.unreachable);
    if (asked === "first") this.#controller.abort(this.reason);
  }

  /** What `work` gives, or the reason as soon as the user wants to leave. */
  orDone<T>(work: Promise<T>): Promise<T> {
    // Nobody looks at the work any more once the user has left.
    work.catch(() => {});
    return abortable(work, this.#controller.signal);
  }
}

function say(line: string): void {
  writeText(Deno.stderr, `${line}\n`);
}

/** What is known of servers, and what the user demands. */
async function loadTrust(
  { fingerprint, config }: CommandLine["options"],
): Promise<Trust> {
  const demanded = fingerprint === undefined ? undefined : parseFingerprint(fingerprint);
  if (fingerprint !== undefined && demanded === undefined) {
    throw new ExitError(
      ExitCode.usage,
      `${
        JSON.stringify(fingerprint)
      } is no fingerprint: that is SHA256: and 43 letters, digits, "+" ` +
        'or "/", or 64 hexadecimal digits',
    );
  }
  const folder = config ?? defaultConfigFolder(Deno.build.os, (name) => Deno.env.get(name));
  try {
    const knownServers = folder === undefined ? undefined : await KnownServers.load(folder);
    return { knownServers, fingerprint: demanded, say };
  } catch (cause) {
    const problem = `the servers met before can't be read: ${reasonOf(cause)}`;
    throw new ExitError(ExitCode.refused, problem, { cause });
  }
}

/** The server that the user chooses from those near by; of a new one, the identity that was shown. */
async function findServer(
  screen: Console,
  trust: Trust | undefined,
  signal: AbortSignal,
): Promise<Endpoint> {
  // Who names the server needs neither.
  const { searchServers } = await import("./lib/discovery/search.ts");
  const { chooseServer, knownIdentity } = await import("./lib/client/choose_server.ts");
  say("Looking for servers on the local network ...");
  const knownServers = trust?.knownServers;
  const found = await searchServers(systemClock, signal);
  const chosen = await chooseServer(found, { console: screen, signal, knownServers });
  // What anybody may have announced must not change what is known already.
  const isNew = knownIdentity(chosen, knownServers) === undefined;
  if (trust !== undefined && isNew) trust.fingerprint ??= chosen.fingerprint;
  return { hostname: chosen.address, port: chosen.port };
}

/** Asks for the username, which is that on this system unless something else is typed. */
async function askUsername(screen: Console, signal: AbortSignal): Promise<string> {
  const own = systemUsername((name) => Deno.env.get(name));
  for (;;) {
    const answer = await screen.ask(`Username${own === undefined ? "" : ` (${own})`}:`, { signal });
    if (answer === undefined) throw new ExitError(ExitCode.usage, "the username is missing");
    try {
      return checkUsername(answer.trim() || (own ?? ""));
    } catch (error) {
      if (!(error instanceof ExitError)) throw error;
      screen.complain(error.message);
    }
  }
}

/** @throws {ExitError} `usage`, where the user has no name here that a chat takes */
function defaultUsername(): string {
  const name = systemUsername((name) => Deno.env.get(name));
  if (name === undefined) throw new ExitError(ExitCode.usage, "the username is missing");
  say(`joining as ${name}, which is your name on this system`);
  return name;
}

function checkUsername(username: string): string {
  try {
    return parseUsername(username);
  } catch (cause) {
    const problem = `${JSON.stringify(username)} is refused: ${(cause as Error).message}`;
    throw new ExitError(ExitCode.refused, problem, { cause });
  }
}

await runProgram("chatclient", main);
