import { systemClock } from "../../clock.ts";
import type { CommandLine } from "../../command_line.ts";
import { Console } from "../../console/console.ts";
import { openSource, standardOutput } from "../../console/standard_streams.ts";
import { TerminalLines } from "../../console/terminal_lines.ts";
import { OutputError } from "../../program.ts";
import { ChatClient } from "../client.ts";
import { Dialogue } from "../dialogue.ts";
import { giveUpFiles } from "../give_up_files.ts";
import { Leaving } from "../leaving.ts";
import { Servers } from "../servers.ts";
import { Settings } from "../settings.ts";
import { View } from "../view.ts";
import { askUsername, findServer } from "./choosing.ts";
import {
  defaultUsername,
  passwordOf,
  reportFailures,
  serversOf,
  SURROUNDINGS,
  trustOf,
  usernameOf,
  warnOfPlain,
} from "./joining.ts";
import { checkSettingFlags, loadSettings } from "./settings.ts";

/** The chat for people, on a terminal or in plain lines. */
export async function runChat(commandLine: CommandLine): Promise<void> {
  const named = serversOf(commandLine);
  const wanted = usernameOf(commandLine);
  checkSettingFlags(commandLine);
  const own = named !== undefined && wanted === undefined ? defaultUsername() : wanted;
  const password = await passwordOf(commandLine);
  const trust = await trustOf(commandLine);
  warnOfPlain(trust);

  const leaving = new Leaving();
  using source = openSource(() => leaving.ask());
  const screen = new Console(source, standardOutput);
  // A terminal that has gone is none any more.
  const terminal = Deno.stdout.isTerminal();
  const onTerminal = terminal && Deno.stdin.isTerminal();
  const settings = new Settings();
  using file = await loadSettings(settings, { commandLine, screen, onTerminal });
  const view = new View({ console: screen, settings, clock: systemClock, noColor: Deno.noColor });
  const given = named ?? [await leaving.orDone(findServer(screen, trust, leaving.signal))];
  const username = own ?? await leaving.orDone(askUsername(screen, leaving.signal));
  const client = await leaving.orDone(ChatClient.open({
    ...SURROUNDINGS,
    servers: new Servers(given, { trust, clock: systemClock }),
    onMessage: leaving.atFault((message) => view.message(message)),
    onLost: leaving.atFault((reason) => view.lost(reason)),
    onBack: leaving.atFault((returned) => view.back(returned)),
    onRoom: leaving.atFault((news) => view.room(news)),
    onDeleted: leaving.atFault((deletion) => view.deleted(deletion)),
    onPresence: leaving.atFault((presence) => view.presence(presence)),
    onNotice: leaving.atFault((message) => view.serverSays(message)),
    overview: () => view.compact ? settings.get("history") : onTerminal ? 0 : undefined,
  }));
  if (onTerminal && file?.explain() && !view.compact) {
    screen.complain("/compact shows each message in one line; SE style compact keeps that.");
  }
  await giveUpFiles(trust?.knownServers);
  if (trust !== undefined) trust.say = leaving.atFault((line) => view.complain(line));
  const hidden = source instanceof TerminalLines;
  const keepSettings = () => file?.keep(settings);
  const dialogue = new Dialogue({ client, view, hidden, keepSettings });
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
