// Rooms whose members come and go, while the server is killed: every message to each member once, and to nobody else.
import { seededRandom } from "../helpers/lossy_link.ts";
import { startServer, startServerAt } from "../helpers/programs.ts";
import { assertRoomsExact, makeRoomAccounts, RoomCrowd } from "../helpers/room_crowd.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const KILLS = 20;
/** How long a client rests between what it does, in milliseconds. */
const PAUSE_MS = 70;
const FLAGS = ["--plain", "--command-burst", "100000", "--max-pending-per-address", "1000"];

Deno.test("rooms: every message to each member once and to nobody else, whoever comes and goes and whatever is killed", async () => {
  await using folder = await TempFolder.create();
  await makeRoomAccounts(folder.path);
  let { server, port } = await startServer(folder.path, ...FLAGS);
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => await server[Symbol.asyncDispose]());
  using crowd = await RoomCrowd.join(() =>
    Deno.connect({ hostname: "127.0.0.1", port: Number(port) })
  );
  const random = seededRandom(2);
  const killing = async () => {
    for (let kill = 1; kill <= KILLS; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 500 + random() * 2_000));
      server.kill("SIGKILL");
      await server.exitCode();
      ({ server } = await startServerAt(port, folder.path, ...FLAGS));
    }
  };
  await Promise.race([killing(), crowd.act(PAUSE_MS)]);
  await crowd.settle();
  const ledger = await crowd.leave();
  server.kill("SIGTERM");
  await server.exitCode();
  console.log(`    ${KILLS} kills, ${assertRoomsExact(ledger, folder.path)}`);
});
