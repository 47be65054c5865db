import { abortable } from "@std/async/abortable";
import { ChatClient } from "./lib/client/client.ts";
import { dialer, openSocket } from "./lib/client/connect.ts";
import { Console } from "./lib/console/console.ts";
import { openSource, standardOutput } from "./lib/console/standard_streams.ts";
import { Dialogue } from "./lib/client/dialogue.ts";
import { SETTINGS, Settings, type SettingValues } from "./lib/client/settings.ts";
import { SettingsFile } from "./lib/client/settings_file.ts";
import { View } from "./lib/client/view.ts";
import { giveUpFiles } from "./lib/client/give_up_files.ts";
import type { Trust } from "./lib/client/trust.ts";
import { TerminalLines } from "./lib/console/terminal_lines.ts";
import { systemClock } from "./lib/clock.ts";
import { parseCommandLine, parsePort } from "./lib/command_line.ts";
import { ExitCode, ExitError } from "./lib/exit.ts";
import { parseFingerprint } from "./lib/net/certificate.ts";
import { defaultConfigFolder, KnownServers } from "./lib/net/known_servers.ts";
import { EndWish, onSignals, runProgram, writeText } from "./lib/program.ts";
import { parseUsername } from "./lib/protocol/names.ts";

const HELP =
  `usage: chatclient <host> <port> <username> [--fingerprint SHA256] [--config FOLDER] [--plain] [--compact]

Joins a chat; the account is made at the first login.

  <host>                the server's name or address
  <port>                the server's port
  <username>            1 to 32 letters, digits, ".", "_" or "-"
  --fingerprint SHA256  the fingerprint that the server has to have, as it printed it
  --config FOLDER       where the servers met before are kept (default: the platform's folder)
  --plain               no encryption: anybody on the network can read along
  --compact             a message in one line (SE style compact keeps that)
  --color WHEN          whether names have colours: auto, always, never
  --help                this text
  --version             the version

Once logged in: PM sends a message to everybody, DM to one user, EX leaves. In one line:
  PM hello everybody
  DM joe hello joe
HI shows the last messages, HE lists all commands, /compact shows each message in one line.
A connection that is lost comes back by itself.

A username that begins with "-" needs -- before the arguments.

Exit codes: 0 done, 2 usage, 3 the server can't be reached or has ended, 4 refused,
5 the server is not who it should be, 1 anything unforeseen.`;

async function main(): Promise<void> {
  const commandLine = parseCommandLine(Deno.args, {
    program: "chatclient",
    help: HELP,
    arguments: ["host", "port", "username"],
    flags: ["plain", "compact"],
    options: ["fingerprint", "config", "color"],
  });
  if (commandLine === undefined) return;
  const { host, port, username } = commandLine.arguments;
  const server = { hostname: host!, port: parsePort(port!, 1) };
  const name = checkUsername(username!);

  const { config, fingerprint, color } = commandLine.options;
  const folder = config ?? defaultConfigFolder(Deno.build.os, (name) => Deno.env.get(name));
  const trust = commandLine.flags.has("plain") ? undefined : await loadTrust(folder, fingerprint);
  if (trust === undefined) say("--plain: anybody on the network can read along");

  const leaving = new Leaving();
  using source = openSource(() => leaving.ask());
  onSignals(["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"], () => leaving.ask());
  const console = new Console(source, standardOutput);
  const settings = new Settings();
  const onTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  using file = folder === undefined
    ? undefined
    : await SettingsFile.open(folder, { create: onTerminal });
  for (const problem of file?.load(settings) ?? []) console.complain(problem);
  // Scripts know the classic dialogue, whatever their user likes to see.
  if (!onTerminal) settings.overrule("style", "classic");
  if (commandLine.flags.has("compact")) settings.overrule("style", "compact");
  if (color !== undefined) overruleColor(settings, color);
  const view = new View({ console, settings, clock: systemClock, noColor: Deno.noColor });
  if (file?.isNew && !view.compact) {
    say("/compact shows each message in one line; SE style compact keeps that.");
  }
  const keepSettings = () => file?.keep(settings);
  const client = await leaving.orDone(ChatClient.open({
    clock: systemClock,
    random: Math.random,
    dial: dialer(server, trust),
    openSocket,
    onMessage: (message) => view.message(message),
    onLost: (why) => view.lost(why),
    onBack: (overview) => view.back(overview),
    onPresence: (presence) => view.presence(presence),
    overview: () => view.compact ? settings.get("history") : onTerminal ? 0 : undefined,
  }));
  giveUpFiles();
  const hidden = source instanceof TerminalLines;
  const dialogue = new Dialogue({ client, view, hidden, keepSettings });
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
  folder: string | undefined,
  fingerprint: string | undefined,
): Promise<Trust> {
  const demanded = fingerprint === undefined ? undefined : parseFingerprint(fingerprint);
  if (fingerprint !== undefined && demanded === undefined) {
    throw new ExitError(
      ExitCode.usage,
      `${JSON.stringify(fingerprint)} is no fingerprint: it has 64 hexadecimal digits`,
    );
  }
  try {
    const knownServers = folder === undefined ? undefined : await KnownServers.load(folder);
    return { knownServers, fingerprint: demanded, say };
  } catch (cause) {
    const problem = `the servers met before can't be read: ${(cause as Error).message}`;
    throw new ExitError(ExitCode.refused, problem, { cause });
  }
}

function overruleColor(settings: Settings, color: string): void {
  const { accepts, takes } = SETTINGS.color;
  if (!accepts(color)) throw new ExitError(ExitCode.usage, `--color is one of: ${takes}`);
  settings.overrule("color", color as SettingValues["color"]);
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
