// Rooms whose members come and go, while the server is killed: every message to each member once, and to nobody else.
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { formatPhc, hashPassword } from "../../lib/accounts/phc.ts";
import { RequestError } from "../../lib/client/session.ts";
import { seededRandom } from "../helpers/lossy_link.ts";
import { startServer, startServerAt } from "../helpers/programs.ts";
import { openUdp, RunningClient } from "../helpers/running_server.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const KILLS = 20;
const CLIENTS = 200;
const ROOMS = 40;
const ROOMS_OF_CLIENT = 8;
const FLAGS = ["--plain", "--command-burst", "100000", "--max-pending-per-address", "1000"];
/** Why something may be refused, by the time that it comes to the server. */
const REFUSALS = new Set(["not-in-room", "not-allowed", "no-such-room", "not-stored"]);

async function makeAccountsNamedAsTheirPasswords(folder: string, names: readonly string[]) {
  const lines = await Promise.all(
    names.map(async (name) =>
      `${name}:${formatPhc(await hashPassword(name, { ln: 1, r: 8, p: 1 }))}\n`
    ),
  );
  await Deno.writeTextFile(`${folder}/credentials.txt`, lines.join(""));
}

/** Does something that may be refused. Whether it was done. */
async function tried(deed: Promise<unknown>): Promise<boolean> {
  try {
    await deed;
    return true;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    assert(REFUSALS.has(error.code), `${error.code}: ${error.message}`);
    return false;
  }
}

/** What a user is entitled to: what others said in rooms while the user was in them, as ids. */
function entitled(folder: string): Map<string, number[]> {
  using database = Object.assign(new DatabaseSync(`${folder}/messages.db`), {
    [Symbol.dispose](this: DatabaseSync) {
      this.close();
    },
  });
  const rows = database.prepare(`SELECT account, id FROM stays JOIN messages USING (room)
    WHERE id > since AND (until IS NULL OR id < until) AND sender <> account
    ORDER BY id`).all() as { account: string; id: number }[];
  const ids = new Map<string, number[]>();
  for (const { account, id } of rows) {
    const known = ids.get(account);
    if (known === undefined) ids.set(account, [id]);
    else known.push(id);
  }
  return ids;
}

Deno.test("rooms: every message to each member once and to nobody else, whoever comes and goes and whatever is killed", async () => {
  await using folder = await TempFolder.create();
  const names = Array.from({ length: CLIENTS }, (_, at) => `user${at}`);
  const rooms = Array.from({ length: ROOMS }, (_, at) => `room${at}`);
  await makeAccountsNamedAsTheirPasswords(folder.path, names);
  const random = seededRandom(1);
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  let { server, port } = await startServer(folder.path, ...FLAGS);
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => await server[Symbol.asyncDispose]());
  const dial = () => Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  const clients = await Promise.all(
    names.map((name) => RunningClient.join(dial, name, openUdp)),
  );
  for (const { chat } of clients) stack.defer(() => chat.abort());
  // Each room is made by one client, then overlapping crowds join.
  await Promise.all(rooms.map((room, at) => clients[at]!.chat.join(room)));
  await Promise.all(clients.map(async ({ chat }, at) => {
    for (let count = 0; count < ROOMS_OF_CLIENT; count++) {
      await tried(chat.join(rooms[(at + count * 5) % ROOMS]!));
    }
  }));

  let over = false;
  const said = new Set<number>();
  let deeds = 0;
  let refused = 0;
  const chatting = Promise.all(clients.map(async ({ chat, username }, at) => {
    for (let count = 0; !over; count++) {
      const room = random() < 0.9
        ? rooms[(at + (count % ROOMS_OF_CLIENT) * 5) % ROOMS]!
        : pick(rooms);
      const what = random();
      if (what < 0.75) {
        const text = `${count} of ${username}`;
        if (!await tried(chat.say(room, text).then((id) => said.add(id)))) refused++;
      } else {
        const done = await tried(
          what < 0.86
            ? chat.join(room)
            : what < 0.92
            ? chat.leave(room)
            : chat.act(room, pick(["kick", "kick", "ban", "unban"]), { user: pick(names) }),
        );
        if (done) deeds++;
        else refused++;
      }
      await new Promise((resolve) => setTimeout(resolve, 20 + random() * 100));
    }
  }));
  const killing = async () => {
    for (let kill = 1; kill <= KILLS; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 500 + random() * 2_000));
      server.kill("SIGKILL");
      await server.exitCode();
      ({ server } = await startServerAt(port, folder.path, ...FLAGS));
    }
  };
  await Promise.race([killing(), chatting]);
  over = true;
  await chatting;

  // What is still on its way comes before the answers to what is asked last, or shortly after.
  const counts = () => clients.map(({ messages }) => messages.length).join();
  for (let before = ""; before !== counts();) {
    before = counts();
    await Promise.all(clients.map(({ chat }) => chat.users()));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  await Promise.all(clients.map(({ chat }) => chat.logout()));
  server.kill("SIGTERM");
  await server.exitCode();
  const wanted = entitled(folder.path);
  let deliveries = 0;
  for (const { username, messages } of clients) {
    const ids = messages.map(({ id }) => id);
    assertEquals(ids.length, new Set(ids).size, `${username} was shown something twice`);
    const inTurn = messages.filter(({ late }) => late !== true).map(({ id }) => id);
    assertEquals(inTurn, inTurn.toSorted((a, b) => a - b), `${username}: out of order`);
    assertEquals(ids.toSorted((a, b) => a - b), wanted.get(username) ?? [], username);
    deliveries += ids.length;
  }
  const stored = new Set([...wanted.values()].flat());
  for (const id of stored) assert(said.has(id), `message ${id} was confirmed to nobody`);
  const back = clients.reduce(
    (sum, { notices }) => sum + notices.filter((notice) => notice === "back").length,
    0,
  );
  console.log(
    `    ${KILLS} kills, ${back} returns of ${CLIENTS} clients in ${ROOMS} rooms; ${said.size} messages, ` +
      `${deliveries} deliveries, each once; ${deeds} joins, leaves, kicks and bans, ${refused} refused`,
  );
});
