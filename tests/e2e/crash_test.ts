// What is confirmed survives every end of the server and of the clients.
import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../helpers/lossy_link.ts";
import {
  makeAccounts,
  Program,
  shownMessages,
  startServer,
  startServerAt,
} from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const KILLS = 48;
/** After so many everybody comes back: who always meets a server that is just away waits longer and longer. */
const IN_A_ROW = 3;
const NAMES = ["ann", "bob", "joe", "renew"];

/** Types messages, each when the one before was confirmed, until it shall stop. @returns how many */
async function chatter(program: Program, name: string, shallStop: () => boolean): Promise<number> {
  const others = NAMES.filter((other) => other !== name);
  for (let count = 0;; count++) {
    if (shallStop()) return count;
    const to = others[count % others.length];
    const command = count % 2 === 0 ? `PM ${count}` : `DM ${to} ${count}`;
    await program.type(`${command} of ${name}\n`);
    await program.count("Message sent\n", count + 1);
  }
}

/** What a user has to have seen of the messages that `chatter` sent. */
function expected(receiver: string, counts: readonly number[]): string[] {
  return NAMES.flatMap((name, sender) => {
    if (name === receiver) return [];
    const others = NAMES.filter((other) => other !== name);
    return Array.from({ length: counts[sender]! }, (_, i) => i).flatMap((i) => {
      if (i % 2 === 0) return [`Public ${name} ${i} of ${name}`];
      return others[i % others.length] === receiver ? [`Direct ${name} ${i} of ${name}`] : [];
    });
  });
}

Deno.test("a server that is killed at random moments loses nothing that it confirmed", async () => {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, NAMES);
  const random = seededRandom(1);
  const flags = ["--command-burst", "100000"];
  let { server, port, clientArgs } = await startServer(folder.path, ...flags);
  await using programs = new AsyncDisposableStack();
  programs.defer(async () => await server[Symbol.asyncDispose]());
  const clients = NAMES.map((name) => programs.use(Program.start("client", clientArgs(name))));
  for (const client of clients) {
    await client.type("geheim\n");
    await client.match(/Please enter a command:/);
  }

  let over = false;
  const chatting = Promise.all(
    clients.map((client, index) => chatter(client, NAMES[index]!, () => over)),
  );
  for (let kill = 1; kill <= KILLS; kill++) {
    // The moment is the point of it: from before the clients are back to the middle of the load.
    await new Promise((resolve) => setTimeout(resolve, random() * 1_500));
    server.kill("SIGKILL");
    await server.exitCode();
    ({ server } = await startServerAt(port, folder.path, ...flags));
    if (kill % IN_A_ROW !== 0) continue;
    const so = clients.map((client) => client.stdout.split("Message sent\n").length);
    await Promise.all(clients.map((client, i) => client.count("Message sent\n", so[i]! + 1)));
  }
  over = true;
  const counts = await chatting;
  for (const [index, client] of clients.entries()) {
    await client.type("EX\n");
    assertEquals(await client.exitCode(), 0, client.stderr);
    assertEquals(
      shownMessages(client.stdout).toSorted(),
      expected(NAMES[index]!, counts).toSorted(),
    );
  }
  const lost = clients.map(({ stderr }) => stderr.match(/Connection lost/g)?.length ?? 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  assert(total > KILLS, `${total} messages`);
  console.log(
    `    ${KILLS} kills; ${total} messages confirmed, each shown once to everybody it was for; ` +
      `clients came back ${lost.join(", ")} times`,
  );
});

Deno.test("a client that is killed gets at its next login what it has not acknowledged", async () => {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["ann", "joe"]);
  const { server, clientArgs } = await startServer(folder.path, "--command-burst", "100000");
  await using _server = server;
  await using joe = Program.start("client", clientArgs("joe"));
  await joe.type("geheim\n");
  await joe.match(/Please enter a command:/);
  let sent = 0;
  let over = false;
  const sending = (async () => {
    for (; !over; sent++) {
      await joe.type(`DM ann ${sent}\n`);
      await joe.count("Message sent\n", sent + 1);
    }
  })();

  const random = seededRandom(2);
  const seen: string[] = [];
  for (let life = 1; life <= 20; life++) {
    const ann = Program.start("client", clientArgs("ann"));
    await ann.type("geheim\n");
    await ann.match(/Please enter a command:/);
    if (life < 20) {
      await new Promise((resolve) => setTimeout(resolve, random() * 500));
      ann.kill("SIGKILL");
    } else {
      over = true;
      await sending;
      await ann.match(new RegExp(`From: joe\n(Sent: .*\n)?\n  ${sent - 1}\n`));
      await ann.type("EX\n");
    }
    await ann.exitCode();
    const shown = shownMessages(ann.stdout);
    assertEquals(shown.length, new Set(shown).size, "twice in one life");
    seen.push(...shown);
  }
  const expected = Array.from({ length: sent }, (_, i) => `Direct joe ${i}`);
  assertEquals(expected.filter((message) => !seen.includes(message)), []);
  console.log(
    `    19 kills; ${sent} messages confirmed, all seen, ${seen.length - sent} once more`,
  );
});
