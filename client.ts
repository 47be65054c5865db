import process from "node:process";
import { ChatClient, type ChatClientOptions } from "./lib/client/client.ts";
import { dialer, openSocket } from "./lib/client/connect.ts";
import { Console } from "./lib/console/console.ts";
import { openSource, standardOutput } from "./lib/console/standard_streams.ts";
import { Dialogue } from "./lib/client/dialogue.ts";
import { runDoctor } from "./lib/client/doctor/run.ts";
import { formatMessage } from "./lib/client/format.ts";
import { giveUpFiles } from "./lib/client/give_up_files.ts";
import { JsonFace } from "./lib/client/json.ts";
import { Leaving } from "./lib/client/leaving.ts";
import { logInWith } from "./lib/client/log_in.ts";
import { readPassword } from "./lib/client/password.ts";
import { readText, send } from "./lib/client/send.ts";
import type { Trust } from "./lib/client/trust.ts";
import { TerminalLines } from "./lib/console/terminal_lines.ts";
import { systemClock } from "./lib/clock.ts";
import { type CommandLine, parseCommandLine, parsePort } from "./lib/command_line.ts";
import { ExitCode, ExitError } from "./lib/exit.ts";
import { parseFingerprint } from "./lib/net/certificate.ts";
import { defaultConfigFolder, KnownServers } from "./lib/net/known_servers.ts";
import { OutputError, runProgram, writeText } from "./lib/program.ts";
import { parseUsername } from "./lib/protocol/names.ts";

const HELP =
  `usage: chatclient <host> <port> <username> [--fingerprint SHA256] [--config FOLDER] [--plain]
       chatclient send|doctor ... (each has a --help of its own)

Joins a chat; the account is made at the first login. "chatclient send" sends one message,
"chatclient doctor" finds out what is wrong between here and a server.

  <host>                the server's name or address
  <port>                the server's port
  <username>            1 to 32 letters, digits, ".", "_" or "-"
  --fingerprint SHA256  the fingerprint that the server has to have, as it printed it
  --config FOLDER       where the servers met before are kept (default: the platform's folder)
  --plain               no encryption: anybody on the network can read along
  --password-file FILE  the password is the first line of this file, which nobody else may read
  --password-fd N       ... or of this file descriptor: a pipe, or 0 for the first line of the input
  --json                for programs: commands and events as JSON, one a line (docs/JSON.md)
  --help                this text
  --version             the version

Once logged in: PM sends a message to everybody, DM to one user, EX leaves. In one line:
  PM hello everybody
  DM joe hello joe
HI shows the last messages: HI, HI 50, HI joe, HI 50 joe. ST shows how far your last message
got, ST 5 your last five. A connection that is lost comes back by itself.

A username that begins with "-" needs -- before the arguments.

Exit codes: 0 done, 2 usage, 3 the server can't be reached or has ended, 4 refused (through a
pipe: also one of the commands), 5 the server is not who it should be, 1 anything unforeseen.`;

const SEND_HELP =
  `usage: chatclient send <host> <port> <username> <text> --password-file FILE [--to NAME] [...]

Sends one message and ends. Messages that wait for the user are left for another login.

  <text>                the message; "-" takes it from standard input
  --to NAME             only to this user (default: to everybody)
  --password-file FILE  the password is the first line of this file, which nobody else may read
  --password-fd N       ... or of this file descriptor: a pipe, or 0 for the first line of the input
  --timeout SECONDS     how long it may take (default: 30)
  --fingerprint, --config, --plain  as in chatclient --help

Exit codes: 0 the server has stored the message. It has not: 2 usage, 3 the server can't be reached,
4 refused (the password, the user, the text), 5 the server is not who it should be, 1 anything
unforeseen. 6 nobody knows: the message was sent, and no answer came.

  echo "backup done" | chatclient send chat.example 1300 backup - --to anna --password-file pw`;

const DOCTOR_HELP = `usage: chatclient doctor <host> <port> [--json] [...]

Finds out what is wrong between this machine and a server: name, TCP, identity, version, clock, UDP
both ways, the largest packet, loss and round trip (over two seconds), and the terminal. It needs no
account, sends no message, and remembers nothing.

  --json  each finding as a JSON object, one a line (docs/JSON.md)
  --fingerprint, --config, --plain  as in chatclient --help

Exit codes: 0 nothing is wrong, otherwise the first thing that is:
  5 not who it should be    10 name              11 no way there      12 no answer
  13 nobody listens         14 no chat server    15 plain or TLS      16 version
  20 no UDP here            21 UDP to server     22 UDP from server   23 large packets
  24 loss                   25 clock             26 terminal
  2 usage, 1 anything unforeseen`;

/** What every way of joining a chat takes. */
const JOIN_OPTIONS = ["fingerprint", "config", "password-file", "password-fd"];

async function main(): Promise<void> {
  const [first, ...rest] = Deno.args;
  if (first === "send") return await sendOne(rest);
  if (first === "doctor") return await consultDoctor(rest);
  const commandLine = parseCommandLine(Deno.args, {
    program: "chatclient",
    help: HELP,
    arguments: ["host", "port", "username"],
    flags: ["plain", "json"],
    options: JOIN_OPTIONS,
  });
  if (commandLine === undefined) return;
  const { username, password, dial } = await prepare(commandLine);
  if (!commandLine.flags.has("json")) return await chat({ username, password, dial });
  await chatInJson({ username, password: required(password, "--json"), dial });
}

/** Who joins which server. */
interface Joining {
  username: string;
  password: string | undefined;
  dial: ChatClientOptions["dial"];
}

/** Checks what all ways of joining have on their command lines. */
async function prepare({ arguments: args, flags, options }: CommandLine): Promise<Joining> {
  const server = { hostname: args["host"]!, port: parsePort(args["port"]!, 1) };
  const username = checkUsername(args["username"]!);
  const password = await readPassword({
    file: options["password-file"],
    fd: options["password-fd"],
  });
  const trust = flags.has("plain") ? undefined : await loadTrust(options);
  if (trust === undefined) say("--plain: anybody on the network can read along");
  return { username, password, dial: dialer(server, trust) };
}

function required(password: string | undefined, who: string): string {
  if (password !== undefined) return password;
  throw new ExitError(
    ExitCode.usage,
    `${who} asks nobody for the password: give --password-file or --password-fd`,
  );
}

/** What a client needs of this machine. */
const SURROUNDINGS = { clock: systemClock, random: Math.random, openSocket };

async function chat({ username, password, dial }: Joining): Promise<void> {
  const leaving = new Leaving();
  const terminal = Deno.stdout.isTerminal();
  using source = openSource(() => leaving.ask());
  const console = new Console(source, standardOutput);
  const client = await leaving.orDone(ChatClient.open({
    ...SURROUNDINGS,
    dial,
    onMessage: leaving.atFault((message) => console.print(formatMessage(message, console.page))),
    onLost: leaving.atFault((why) =>
      console.complain(`Connection lost (${why}), trying to come back.`)
    ),
    onBack: leaving.atFault(() => console.complain("Connected again.")),
  }));
  giveUpFiles();
  const hidden = source instanceof TerminalLines;
  const dialogue = new Dialogue({ console, client, hidden });
  try {
    await leaving.orDone(dialogue.logIn(username, password));
    await leaving.orDone(dialogue.takeCommands());
  } catch (error) {
    const gone = terminal && error instanceof OutputError;
    if (error !== leaving.reason && !gone) throw error;
    // A terminal that has gone means to leave, and there is nobody to tell.
    await dialogue.leave().catch((error) => {
      if (!(error instanceof OutputError)) throw error;
    });
  } finally {
    // Whatever it was, the server need not wait to find out.
    if (!client.signal.aborted) await client.logout().catch(() => {});
  }
  if (!hidden) reportFailures(dialogue.failed);
}

async function chatInJson({ username, password, dial }: Joining & { password: string }) {
  const leaving = new Leaving();
  const face = new JsonFace(leaving.atFault((line) => writeText(Deno.stdout, line)));
  let client: ChatClient | undefined;
  try {
    client = await leaving.orDone(ChatClient.open({ ...SURROUNDINGS, dial, ...face.events }));
    giveUpFiles();
    face.ready(await leaving.orDone(logInWith(client, { username, password })));
    await leaving.orDone(face.takeCommands(client, process.stdin)).catch((error) => {
      if (error !== leaving.reason) throw error;
    });
    await client.logout();
    reportFailures(face.failed);
    face.ended(ExitCode.done, "logged out");
  } catch (error) {
    const exitCode = error instanceof ExitError ? error.exitCode : ExitCode.unforeseen;
    face.ended(exitCode, (error as Error).message);
    throw error;
  } finally {
    if (client?.signal.aborted === false) await client.logout().catch(() => {});
  }
}

async function sendOne(args: readonly string[]): Promise<void> {
  const commandLine = parseCommandLine(args, {
    program: "chatclient",
    help: SEND_HELP,
    arguments: ["host", "port", "username", "text"],
    flags: ["plain"],
    options: [...JOIN_OPTIONS, "to", "timeout"],
  });
  if (commandLine === undefined) return;
  const { arguments: { text }, options: { to, timeout = "30" } } = commandLine;
  const limitMs = Number(timeout) * 1_000;
  if (!/^\d{1,6}$/.test(timeout) || limitMs === 0) {
    throw new ExitError(ExitCode.usage, `--timeout takes seconds, not ${JSON.stringify(timeout)}`);
  }
  const { username, password: given, dial } = await prepare(commandLine);
  const password = required(given, "send");
  const outgoing = { to, text: await readText(text!, process.stdin) };
  const leaving = new Leaving("stopped");
  const open = async () => {
    const client = await ChatClient.open({
      ...SURROUNDINGS,
      dial,
      openSocket: () => undefined,
      onLost: (why) => say(`connection lost (${why}), trying again`),
      onBack: () => {},
    });
    giveUpFiles();
    return client;
  };
  await send(open, outgoing, {
    username,
    password,
    clock: systemClock,
    limitMs,
    signal: leaving.signal,
    say,
  });
}

async function consultDoctor(args: readonly string[]): Promise<void> {
  const commandLine = parseCommandLine(args, {
    program: "chatclient",
    help: DOCTOR_HELP,
    arguments: ["host", "port"],
    flags: ["plain", "json"],
    options: ["fingerprint", "config"],
  });
  if (commandLine === undefined) return;
  const { arguments: { host, port }, flags, options } = commandLine;
  const server = { hostname: host!, port: parsePort(port!, 1) };
  const trust = flags.has("plain") ? undefined : await loadTrust(options);
  const { signal } = new Leaving("stopped");
  Deno.exit(await runDoctor(server, { trust, signal, json: flags.has("json") }));
}

/** Says at the end, as the exit code does, that not everything went well. */
function reportFailures(failed: number): void {
  if (failed === 0) return;
  const what = failed === 1 ? "one command has" : `${failed} commands have`;
  throw new ExitError(ExitCode.refused, `${what} failed`);
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
      `${JSON.stringify(fingerprint)} is no fingerprint: it has 64 hexadecimal digits`,
    );
  }
  const folder = config ?? defaultConfigFolder(Deno.build.os, (name) => Deno.env.get(name));
  try {
    const knownServers = folder === undefined ? undefined : await KnownServers.load(folder);
    return { knownServers, fingerprint: demanded, say };
  } catch (cause) {
    const problem = `the servers met before can't be read: ${(cause as Error).message}`;
    throw new ExitError(ExitCode.refused, problem, { cause });
  }
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
