import { systemClock } from "../../clock.ts";
import type { Console } from "../../console/console.ts";
import { ExitCode, ExitError } from "../../exit.ts";
import type { Endpoint } from "../../net/connection.ts";
import type { Trust } from "../trust.ts";
import { checkUsername, ownUsername, say } from "./joining.ts";

/** The server that the user chooses from those near by; of a new one, the identity that was shown. */
export async function findServer(
  screen: Console,
  trust: Trust | undefined,
  signal: AbortSignal,
): Promise<Endpoint> {
  // Who names the server needs neither.
  const { searchServers } = await import("../../discovery/search.ts");
  const { chooseServer, knownIdentity } = await import("../choose_server.ts");
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
export async function askUsername(screen: Console, signal: AbortSignal): Promise<string> {
  const own = ownUsername();
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
