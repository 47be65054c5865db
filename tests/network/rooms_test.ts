// Two hundred clients in forty rooms, coming and going, kicked and banned, through the bad networks: every
// message to each member once, and to nobody else.
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { Program } from "../helpers/programs.ts";
import { assertRoomsExact, makeRoomAccounts } from "../helpers/room_crowd.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { pause } from "./load.ts";
import { Network, PORT } from "./network.ts";
import { startRelay } from "./relay.ts";
import { SCENARIOS } from "./scenarios.ts";

/** Before and after what happens halfway, in milliseconds. */
const HALF_MS = 5_000;
/** How long a client rests between what it does, in milliseconds. */
const PAUSE_MS = 1_500;
const FLAGS = ["--command-burst", "100000", "--max-pending-per-address", "1000"];
/** The one of `CHAT_NETWORK=short`. */
const IN_SHORT = "10 % loss";

const short = Deno.env.get("CHAT_NETWORK") === "short";

for (const { name, relayed, before, then, halfway } of SCENARIOS) {
  Deno.test({
    name: `rooms: ${name}`,
    ignore: short && name !== IN_SHORT,
    async fn() {
      await using network = await Network.create({ udp: true });
      await before?.(network);
      await using _relay = relayed ? await startRelay(network) : undefined;
      await using folder = await TempFolder.create();
      await makeRoomAccounts(folder.path);
      await using server = Program.start(
        "server",
        [`${PORT}`, "--data", folder.path, ...FLAGS],
        { launcher: network.launcher("server") },
      );
      await server.match(/Server ready to receive connections\n/);
      const { hostname, port } = relayed ? network.relay : network.server;
      await using clients = startClients(network, [hostname, `${port}`, folder.path]);
      await clients.says();
      await then?.(network);
      await pause(HALF_MS);
      await halfway?.(network);
      await pause(HALF_MS);
      await clients.goOn();
      await clients.says();
      // How a client leaves is not the subject.
      await network.heal();
      await clients.goOn();
      const ledger = JSON.parse(await clients.says());
      assert(await network.dataPackets() > 0, "UDP was not used");
      server.kill("SIGTERM");
      assertEquals(await server.exitCode(), 0);
      console.log(`    ${assertRoomsExact(ledger, folder.path)}`);
    },
  });
}

/** Runs the clients in their namespace. */
function startClients(network: Network, args: readonly string[]) {
  const script = fileURLToPath(new URL("room_clients.ts", import.meta.url));
  const [program, ...launcher] = network.launcher("clients");
  const process = new Deno.Command(program!, {
    args: [
      ...[...launcher, Deno.execPath(), "run", "--no-prompt", "--unstable-net", "--allow-all"],
      ...[script, ...args, `${PAUSE_MS}`],
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = process.stdin.getWriter();
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  /** Waits for the next line that they write. */
  const says = async () => {
    while (!text.includes("\n")) {
      const { value, done } = await output.read();
      if (done) throw new Error("the clients have ended");
      text += value;
    }
    const [first, ...rest] = text.split("\n");
    text = rest.join("\n");
    return first!;
  };
  return {
    says,
    /** Has them do what comes next. */
    async goOn() {
      await input.write(new TextEncoder().encode("\n"));
    },
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch {
        // They have ended already.
      }
      await input.abort().catch(() => {});
      await output.cancel();
      await process.status;
    },
  };
}
