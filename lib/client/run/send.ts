import process from "node:process";
import { systemClock } from "../../clock.ts";
import type { CommandLine } from "../../command_line.ts";
import { ExitCode, ExitError } from "../../exit.ts";
import { ChatClient } from "../client.ts";
import { formatLoss } from "../format.ts";
import { giveUpFiles } from "../give_up_files.ts";
import { Leaving } from "../leaving.ts";
import { readText, send } from "../send.ts";
import { Servers } from "../servers.ts";
import {
  requiredPasswordOf,
  say,
  serversOf,
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
  const given = serversOf(commandLine)!;
  const username = usernameOf(commandLine)!;
  const password = await requiredPasswordOf(commandLine, "send");
  const trust = await trustOf(commandLine);
  warnOfPlain(trust);
  const outgoing = { to, text: await readText(text!, process.stdin) };
  const leaving = new Leaving("stopped");
  const servers = new Servers(given, { trust, clock: systemClock });
  const open = async () => {
    const client = await ChatClient.open({
      ...SURROUNDINGS,
      servers,
      openSocket: () => undefined,
      onLost: (reason) => say(`connection ${formatLoss(reason)}, trying again`),
      onBack: () => {},
    });
    await giveUpFiles(trust?.knownServers);
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
