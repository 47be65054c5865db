import process from "node:process";
import { systemClock } from "../../clock.ts";
import type { CommandLine } from "../../command_line.ts";
import { ExitCode, ExitError } from "../../exit.ts";
import { writeText } from "../../program.ts";
import { ChatClient } from "../client.ts";
import { giveUpFiles } from "../give_up_files.ts";
import { JsonFace } from "../json.ts";
import { Leaving } from "../leaving.ts";
import { logInWith } from "../log_in.ts";
import { Servers } from "../servers.ts";
import {
  defaultUsername,
  reportFailures,
  requiredPasswordOf,
  serversOf,
  SURROUNDINGS,
  trustOf,
  usernameOf,
  warnOfPlain,
} from "./joining.ts";

/** The chat for programs. */
export async function runJson(commandLine: CommandLine): Promise<void> {
  const given = serversOf(commandLine);
  if (given === undefined) {
    throw new ExitError(ExitCode.usage, "--json asks nobody for the server: give host and port");
  }
  const username = usernameOf(commandLine) ?? defaultUsername();
  const password = await requiredPasswordOf(commandLine, "--json");
  const trust = await trustOf(commandLine);
  warnOfPlain(trust);

  const leaving = new Leaving();
  const face = new JsonFace(leaving.atFault((line) => writeText(Deno.stdout, line)));
  const servers = new Servers(given, { trust, clock: systemClock });
  let client: ChatClient | undefined;
  try {
    client = await leaving.orDone(ChatClient.open({ ...SURROUNDINGS, servers, ...face.events }));
    await giveUpFiles(trust?.knownServers);
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
