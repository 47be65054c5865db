// Clients that do not read what they asked for. Each attack ends in a figure.
import { assert } from "@std/assert";
import { MAX_UNWRITTEN_BYTES } from "../../lib/protocol/limits.ts";
import { makeAccounts, startServer } from "../helpers/programs.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { residentMiB, socketsAt, untilSockets } from "../helpers/sockets.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const BACKLOG = 400;
const TEXT = "x".repeat(16_000);
const ATTACKERS = Array.from({ length: 10 }, (_, index) => `user${index}`);
/** Of what was sent to one client so much waits in the system's queue when nothing is read. */
const QUEUED_BYTES = 500_000;

/** A server at which 6.4 MB wait for each of ten accounts. */
async function serverWithBacklog(...flags: readonly string[]) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await TempFolder.create());
  await makeAccounts(folder.path, ["ann", ...ATTACKERS]);
  const { server, port } = await startServer(folder.path, "--command-burst", "100000", ...flags);
  stack.use(server);
  const open = () => RawClient.open(Number(port), folder.path);
  const logins = await Promise.all(ATTACKERS.map(async (name) => {
    using client = await open();
    return await client.logIn(name);
  }));
  using ann = await open();
  await ann.logIn("ann");
  for (let id = 10; id < 10 + BACKLOG; id++) await ann.ask({ type: "public", id, text: TEXT });
  const owned = stack.move();
  return {
    server,
    port: Number(port),
    logins,
    /** All of these come back, and read nothing; fulfilled when the server has sent them a lot. */
    async resume(logins: readonly Record<string, unknown>[]): Promise<RawClient[]> {
      const before = (await socketsAt(Number(port))).queued;
      const clients = await Promise.all(logins.map(open));
      await Promise.all(clients.map((client, index) => client.resume(logins[index]!)));
      const enough = before + logins.length * QUEUED_BYTES;
      await untilSockets(Number(port), ({ queued }) => queued > enough);
      return clients;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const linux = { ignore: Deno.build.os !== "linux" };

Deno.test("attack: an account comes back 20 times and reads nothing", linux, async () => {
  await using chat = await serverWithBacklog();
  await untilSockets(chat.port, ({ open }) => open === 0);
  const before = await residentMiB(chat.server.pid);
  using clients = new DisposableStack();
  for (let round = 0; round < 20; round++) {
    for (const client of await chat.resume([chat.logins[0]!])) clients.use(client);
  }
  const seconds = await untilSockets(chat.port, ({ open }) => open <= 1);
  const { queued } = await socketsAt(chat.port);
  const more = await residentMiB(chat.server.pid) - before;
  console.log(
    `    1 of 20 connections stands after ${seconds.toFixed(1)} s, ${more} MiB more, ` +
      `${(queued / 1e6).toFixed(1)} MB in the system's queues`,
  );
});

Deno.test("attack: ten accounts come back again and again and read nothing", linux, async () => {
  await using chat = await serverWithBacklog();
  await untilSockets(chat.port, ({ open }) => open === 0);
  const before = await residentMiB(chat.server.pid);
  using clients = new DisposableStack();
  for (let round = 0; round < 20; round++) {
    for (const client of await chat.resume(chat.logins)) clients.use(client);
  }
  const seconds = await untilSockets(chat.port, ({ open }) => open <= ATTACKERS.length);
  const more = await residentMiB(chat.server.pid) - before;
  console.log(`    10 of 200 connections stand after ${seconds.toFixed(1)} s, ${more} MiB more`);
});

Deno.test(
  "attack: ten accounts read no answers, each a little too few to be ended",
  linux,
  async () => {
    await using chat = await serverWithBacklog("--unwritten-bytes", `${MAX_UNWRITTEN_BYTES}`);
    using clients = new DisposableStack();
    for (const client of await chat.resume(chat.logins)) {
      clients.use(client);
      const requests = Array.from(
        { length: 4 },
        (_, id) => ({ type: "history", id: id + 2, count: 100 }),
      );
      // It may have been ended by now.
      await client.send(...requests).catch(() => {});
    }
    await chat.server.matchError(/user\d left: it let too much wait\n/);
    const ended = chat.server.stderr.match(/it let too much wait/g)!.length;
    assert(ended < ATTACKERS.length, "everybody was ended");
    console.log(`    ${ended} of 10 connections ended, so that 8 MiB wait in all`);
  },
);
