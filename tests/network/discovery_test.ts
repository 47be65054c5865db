// A client without arguments finds the servers of its network, in namespaces of their own.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fingerprintOf } from "../../lib/net/certificate.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import { KnownServers } from "../../lib/net/known_servers.ts";
import { Program } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { Network } from "./network.ts";

const READY = /on port (\d+)\nServer ready to receive connections\n/;

/** A server beside the clients: multicast does not go through a router. */
async function startBeside(network: Network, folder: string, ...flags: string[]) {
  const launcher = network.launcher("router");
  const server = Program.start("server", ["0", "--data", folder, ...flags], { launcher });
  const [, port = ""] = await server.match(READY);
  await server.matchError(/to join: /);
  return { server, port: Number(port) };
}

async function search(network: Network, config: string, input: string) {
  const launcher = network.launcher("clients");
  return await Program.run("client", ["--config", config], {
    launcher,
    input,
    env: { USER: "joe" },
  });
}

Deno.test("chatclient lists the servers of its network, and joins the one that is chosen", async () => {
  await using network = await Network.create({ udp: true });
  await using folder = await TempFolder.create();
  await using other = await TempFolder.create();
  const { server, port } = await startBeside(network, folder.path);
  await using _server = server;
  const hidden = await startBeside(network, other.path, "--hidden");
  await using _hidden = hidden.server;
  const fingerprint = fingerprintOf((await loadIdentity(folder.path)).certificate);

  const config = folder.file("config");
  const first = await search(network, config, "1\n\ngeheim\nPM hello\n");
  assertEquals(first.code, 0, first.stderr);
  const list = `, 10.0.2.1 port ${port}: not met before\n     ${fingerprint}\n`;
  assert(first.stderr.includes(list), first.stderr);
  assert(!first.stderr.includes(`port ${hidden.port}`), first.stderr);
  assertMatch(first.stdout, /^Join it\? \(Enter\)\nUsername \(joe\):\n.*\n\nNew User: joe\n/);
  const second = await search(network, config, "\n\ngeheim\n");
  assertEquals(second.code, 0, second.stderr);
  assertMatch(second.stderr, /: met before\n/);

  // Who is known counts, not what is announced.
  const knownServers = await KnownServers.load(config);
  const { certificate } = await loadIdentity(other.path);
  await knownServers.remember({ hostname: "10.0.2.1", port }, certificate);
  const changed = await search(network, config, "1\n\ngeheim\n");
  assertEquals(changed.code, 5, changed.stderr);
  assertMatch(changed.stderr, /: NOT the one that was met before at this address\n/);
});

Deno.test("chatclient says how to go on where multicast is blocked", async () => {
  await using network = await Network.create({ udp: false });
  await using folder = await TempFolder.create();
  const { server } = await startBeside(network, folder.path);
  await using _server = server;
  const { code, stderr } = await search(network, folder.file("config"), "");
  assertEquals(code, 3);
  assertMatch(stderr, /chatclient: no server answered .* multicast may be blocked.*\n$/);
});

Deno.test("nonsense by multicast DNS ends no server", async () => {
  await using network = await Network.create({ udp: true });
  await using folder = await TempFolder.create();
  const { server, port } = await startBeside(network, folder.path);
  await using _server = server;
  const [program, ...args] = [
    ...network.launcher("clients"),
    Deno.execPath(),
    "run",
    "--no-prompt",
  ];
  const script = new URL("garbage.ts", import.meta.url).pathname;
  const { success } = await new Deno.Command(program!, {
    args: [...args, "--unstable-net", "--allow-net", script, "10.0.2.1", "5000", "1"],
  }).output();
  assert(success);
  const { stderr } = await search(network, folder.file("config"), "");
  assert(stderr.includes(`, 10.0.2.1 port ${port}: not met before\n`), stderr);
  assert(!server.stderr.includes("unforeseen"), server.stderr);
});
