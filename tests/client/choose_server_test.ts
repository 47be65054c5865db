import { assert, assertEquals, assertRejects } from "@std/assert";
import { chooseServer } from "../../lib/client/choose_server.ts";
import { Console, type LineSource } from "../../lib/console/console.ts";
import { UNWRAPPED } from "../../lib/console/page.ts";
import type { Announced } from "../../lib/discovery/announcement.ts";
import { ExitError } from "../../lib/exit.ts";
import { fingerprintOf } from "../../lib/net/certificate.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import { KnownServers } from "../../lib/net/known_servers.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const FINGERPRINT = "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0";
const LAB: Announced = {
  name: "lab",
  address: "10.0.0.114",
  port: 1300,
  fingerprint: FINGERPRINT,
};
const HOME: Announced = { ...LAB, name: "home", address: "10.0.0.7", fingerprint: undefined };

/** What is chosen by what is typed, and what is shown. */
async function choose(
  servers: Announced[],
  typed: string[],
  knownServers?: KnownServers,
): Promise<{ chosen: Announced; shown: string }> {
  let shown = "";
  const source: LineSource = {
    read: () => Promise.resolve(typed.shift()),
    interrupt: (write) => write(),
    [Symbol.dispose]: () => {},
  };
  const write = (text: string) => void (shown += text);
  const console = new Console(source, {
    dialogue: write,
    complaint: write,
    dialoguePage: () => UNWRAPPED,
    complaintPage: () => UNWRAPPED,
  });
  const { signal } = new AbortController();
  const chosen = await chooseServer({ servers, networks: 1 }, { console, signal, knownServers });
  return { chosen, shown };
}

Deno.test("chooseServer() lists name, address and fingerprint, and takes a number", async () => {
  const { chosen, shown } = await choose([HOME, LAB], ["3", "x", "1.0", "", "2"]);
  assertEquals(chosen, LAB);
  assertEquals(
    shown,
    `Servers on the local network:
  1  home, 10.0.0.7 port 1300: plain, anybody can read along
  2  lab, 10.0.0.114 port 1300: not met before
     ${FINGERPRINT}
     risk scheme quiz bulk brother vivid
Which one? (1 to 2)
${"Please type a number: 1 to 2.\nWhich one? (1 to 2)\n".repeat(4)}`,
  );
});

Deno.test("chooseServer() takes Enter where there is one only", async () => {
  assertEquals((await choose([LAB], [""])).chosen, LAB);
  assertEquals((await choose([LAB], ["1"])).chosen, LAB);
});

Deno.test("chooseServer() says which servers were met before, and which pretend to be", async () => {
  await using folder = await TempFolder.create();
  const { certificate } = await loadIdentity(folder.path);
  const knownServers = await KnownServers.load(folder.path);
  await knownServers.remember({ hostname: LAB.address, port: LAB.port }, certificate);
  const same = { ...LAB, fingerprint: fingerprintOf(certificate) };
  assert((await choose([same], [""], knownServers)).shown.includes("port 1300: met before\n"));
  const other = await choose([LAB], [""], knownServers);
  assert(other.shown.includes("port 1300: NOT the one that was met before at this address\n"));
});

Deno.test("chooseServer() shows no name that acts on the terminal or fills it", async () => {
  const { shown } = await choose([{ ...LAB, name: "\x1b[2J\n  9  lab" + "x".repeat(99) }], [""]);
  assert(!shown.includes("\x1b") && !/^ *9/m.test(shown), shown);
  for (const line of shown.split("\n")) assert(line.length < 80, line);
});

Deno.test("chooseServer() says how to go on where none was found, or the input ends", async () => {
  const { signal } = new AbortController();
  const options = { console: undefined as unknown as Console, signal, knownServers: undefined };
  for (const [networks, problem] of [[0, "on no network"], [1, "no server answered"]] as const) {
    const none = { servers: [], networks };
    const error = await assertRejects(() => chooseServer(none, options), ExitError, problem);
    for (const hint of ["--hidden", "5353", "chatclient 10.0.0.114 1300"]) {
      assert(error.message.includes(hint), error.message);
    }
    assertEquals(error.exitCode, 3);
  }
  const ended = await assertRejects(() => choose([LAB], []), ExitError, "no server was chosen");
  assertEquals(ended.exitCode, 2);
});
