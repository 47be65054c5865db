import type { Console } from "../console/console.ts";
import { legibleLine } from "../console/foreign.ts";
import type { Announced } from "../discovery/announcement.ts";
import type { SearchResult } from "../discovery/search.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { fingerprintOf } from "../net/certificate.ts";
import { fingerprintWords } from "../net/fingerprint_words.ts";
import type { KnownServers } from "../net/known_servers.ts";

/** Where a shown name stops; nobody's name is as long, unless it is to fill the screen. */
const MAX_NAME_COLUMNS = 24;

/** What {@linkcode chooseServer} works with. */
export interface ChoiceOptions {
  console: Console;
  signal: AbortSignal;
  /** The servers met before. */
  knownServers: KnownServers | undefined;
}

/**
 * Lists the servers that a search has found, and asks which one to join.
 *
 * @throws {ExitError} `unreachable`, where there is none, with how to go on; `usage`, where the input ends
 */
export async function chooseServer(
  { servers, networks }: SearchResult,
  { console, signal, knownServers }: ChoiceOptions,
): Promise<Announced> {
  if (servers.length === 0) throw nothingFound(networks);
  console.complain("Servers on the local network:");
  for (const [index, server] of servers.entries()) {
    for (const line of await describe(server, index + 1, knownServers)) console.complain(line);
  }
  const single = servers.length === 1;
  const range = `1 to ${servers.length}`;
  for (;;) {
    const answer = await console.ask(single ? "Join it? (Enter)" : `Which one? (${range})`, {
      signal,
    });
    if (answer === undefined) throw new ExitError(ExitCode.usage, "no server was chosen");
    const typed = answer.trim();
    const chosen = typed === "" && single ? servers[0] : servers[Number(typed) - 1];
    if (chosen !== undefined && (/^\d+$/.test(typed) || typed === "")) return chosen;
    console.complain(`Please type a number: ${single ? "1, or just Enter" : range}.`);
  }
}

async function describe(
  server: Announced,
  number: number,
  knownServers: KnownServers | undefined,
): Promise<string[]> {
  const { name, address, port, fingerprint } = server;
  const shown = legibleLine(name).slice(0, MAX_NAME_COLUMNS);
  const line = `${`${number}`.padStart(3)}  ${shown}, ${address} port ${port}`;
  if (fingerprint === undefined) return [`${line}: plain, anybody can read along`];
  return [
    `${line}: ${acquaintance(server, knownServers)}`,
    `     ${fingerprint}`,
    `     ${await fingerprintWords(fingerprint)}`,
  ];
}

/** How what a server says of itself goes with what is known of the one at its address. */
function acquaintance(server: Announced, knownServers: KnownServers | undefined): string {
  const known = knownIdentity(server, knownServers);
  if (known === undefined) return "not met before";
  return known === server.fingerprint
    ? "met before"
    : "NOT the one that was met before at this address";
}

/** The fingerprint that is trusted at a server's address; undefined where none is. */
export function knownIdentity(
  { address, port }: Announced,
  knownServers: KnownServers | undefined,
): string | undefined {
  const certificate = knownServers?.find({ hostname: address, port });
  return certificate && fingerprintOf(certificate);
}

function nothingFound(networks: number): ExitError {
  const problem = networks === 0
    ? "this machine is on no network where it could ask for servers"
    : "no server answered on the local network within two seconds";
  return new ExitError(
    ExitCode.unreachable,
    `${problem}. It may be started with --hidden, or be elsewhere, or multicast may be blocked: by a ` +
      "firewall (UDP port 5353), a guest WLAN or a VPN. Ask who runs the server for the line that " +
      'follows "to join:" there, such as: chatclient 10.0.0.114 1300',
  );
}
