import process from "node:process";
import { systemClock } from "../../clock.ts";
import type { CommandLine } from "../../command_line.ts";
import { ExitCode, ExitError } from "../../exit.ts";
import { ChatClient } from "../client.ts";
import { dialer } from "../connect.ts";
import { formatLoss } from "../format.ts";
import { giveUpFiles } from "../give_up_files.ts";
import { Leaving } from "../leaving.ts";
import { readText, send } from "../send.ts";
import {
  requiredPasswordOf,
  say,
  serverOf,
  SURROUNDINGS,
  trustOf,
  usernameOf,
  warnOfPlain,
} from "./joining.ts";

/** One message of a script. */
export async function runSend(commandLine: CommandLine): Promise<void> {
  const { arguments: { text }, options: { to, timeout = "30" } } = commandLine;
  const limitMs = Number(timeout) * 1_000;
  if (!/^\d{1,6}$/.test(timeout) || limitMs === 0) {
    throw new ExitError(ExitCode.usage, `--timeout takes seconds, not ${JSON.stringify(timeout)}`);
  }
  const server = serverOf(commandLine)!;
  const username = usernameOf(commandLine)!;
  const password = await requiredPasswordOf(commandLine, "send");
  const trust = await trustOf(commandLine);
  warnOfPlain(trust);
  const outgoing = { to, text: await readText(text!, process.stdin) };
  const leaving = new Leaving("stopped");
  const dial = dialer(server, trust);
  const open = async () => {
    const client = await ChatClient.open({
      ...SURROUNDINGS,
      dial,
      openSocket: () => undefined,
      onLost: (reason) => say(`connection ${formatLoss(reason)}, trying again`),
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
