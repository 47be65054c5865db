import process from "node:process";
import { connect } from "./lib/client/connect.ts";
import { Console, type LineSource } from "./lib/client/console.ts";
import { Dialogue } from "./lib/client/dialogue.ts";
import { formatMessage } from "./lib/client/format.ts";
import { PlainLines } from "./lib/client/plain_lines.ts";
import { TerminalLines } from "./lib/client/terminal_lines.ts";
import { systemClock } from "./lib/clock.ts";
import { parseCommandLine, parsePort } from "./lib/command_line.ts";
import { ExitCode, ExitError } from "./lib/exit.ts";
import { onSignals, runProgram, writeText } from "./lib/program.ts";
import { parseUsername } from "./lib/protocol/names.ts";

const HELP = `usage: chatclient <host> <port> <username> [--plain]

Joins a chat; the account is made at the first login.

  <host>      the server's name or address
  <port>      the server's port
  <username>  1 to 32 letters, digits, ".", "_" or "-"
  --plain     no encryption, which is all there is at present
  --help      this text
  --version   the version

Once logged in: PM sends a message to everybody, DM to one user, EX leaves. In one line:
  PM hello everybody
  DM joe hello joe

Exit codes: 0 done, 2 usage, 3 the server can't be reached or was lost, 4 refused,
1 anything unforeseen.`;

async function main(): Promise<void> {
  const commandLine = parseCommandLine(Deno.args, {
    program: "chatclient",
    help: HELP,
    arguments: ["host", "port", "username"],
    flags: ["plain"],
  });
  if (commandLine === undefined) return;
  const { host, port, username } = commandLine.arguments;
  const server = { hostname: host!, port: parsePort(port!, 1) };
  const name = checkUsername(username!);

  const leaving = new AbortController();
  const interrupted = new ExitError(ExitCode.done, "interrupted");
  using source = openSource(() => leaving.abort(interrupted));
  const styled = Deno.stdout.isTerminal();
  const console = new Console(source, {
    dialogue: (text) => writeText(Deno.stdout, text),
    complaint: (text) => writeText(Deno.stderr, text),
  });
  const session = await connect(server, {
    clock: systemClock,
    onMessage: (message) => console.print(formatMessage(message, styled)),
  });
  const dialogue = new Dialogue({
    console,
    session,
    hidden: source instanceof TerminalLines,
    signal: AbortSignal.any([leaving.signal, session.signal]),
  });
  onSignals(["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"], () => leaving.abort(interrupted));
  try {
    await dialogue.logIn(name);
    await dialogue.takeCommands();
  } catch (error) {
    if (error !== interrupted) throw error;
    await dialogue.leave();
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

/** Line editing where there is a keyboard; what is typed shows on whichever output is the terminal. */
function openSource(onInterrupt: () => void): LineSource {
  if (!Deno.stdin.isTerminal()) return new PlainLines(process.stdin);
  const screen = [Deno.stdout, Deno.stderr].find((stream) => stream.isTerminal());
  return new TerminalLines({
    input: process.stdin,
    write: (text) => screen && writeText(screen, text),
    columns: () => screen === undefined ? 80 : Deno.consoleSize().columns,
    onInterrupt,
  });
}

await runProgram("chatclient", main);
