/**
 * What a day's worth of messages in the log costs: start-up, login and `HI`, with an empty log
 * and with a million messages, in turns.
 *
 *     deno task bench:log [--messages 1000000]
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { ChatClient } from "../../lib/client/client.ts";
import { Servers } from "../../lib/client/servers.ts";
import { Database } from "../../lib/messages/database.ts";
import { LocalJournal } from "../../lib/journal/local_journal.ts";
import { Projection } from "../../lib/journal/projection.ts";
import { systemClock } from "../../lib/clock.ts";
import { makeAccounts, startServer } from "../../tests/helpers/programs.ts";
import { TempFolder } from "../../tests/helpers/temp_folder.ts";

const ROUNDS = 7;
const USERS = Array.from({ length: 100 }, (_, index) => `user${index}`);
const { messages: given = "1000000" } = parseArgs(Deno.args, { string: ["messages"] });
const messages = Number(given);

/** Public messages, and every tenth a direct one that was delivered. */
async function fill(folder: string, count: number): Promise<void> {
  await makeAccounts(folder, USERS);
  using database = new Database(`${folder}/messages.db`, { clock: systemClock });
  const journal = new LocalJournal(database, new Projection(database));
  await Promise.all(
    USERS.map((account) => journal.append({ type: "account-changed", account, identity: "" })),
  );
  for (let done = 0; done < count;) {
    const batch: Promise<unknown>[] = [];
    for (; done < count && batch.length < 20_000; done++) {
      const from = USERS[(done * 7) % 100]!;
      const to = done % 10 === 0 ? USERS[(done * 3 + 1) % 100]! : undefined;
      const text = `message ${done} ${"x".repeat(done % 200)}`;
      const sent = Date.now();
      const stored = journal.append({ type: "message", from, to, sent, text, origin: undefined });
      const acknowledge = (id: number) =>
        journal.append({ type: "acknowledgement", account: to!, messages: [id] });
      batch.push(to === undefined ? stored : stored.then(acknowledge));
    }
    await Promise.all(batch);
  }
}

/** One round on one folder: how long each step takes, in milliseconds. */
async function measure(folder: string): Promise<Record<string, number>> {
  const times: Record<string, number> = {};
  async function time<T>(step: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    times[step] = performance.now() - started;
    return result;
  }
  const { server, port } = await time("start-up", () => startServer(folder, "--plain"));
  const client = await ChatClient.open({
    clock: systemClock,
    random: Math.random,
    servers: new Servers([{ hostname: "127.0.0.1", port: Number(port) }], {
      trust: undefined,
      clock: systemClock,
    }),
    openSocket: () => undefined,
    onMessage: () => {},
    onLost: () => {},
    onBack: () => {},
  });
  await client.identify(USERS[0]!);
  await time("login", () => client.authenticate("geheim"));
  await time("HI 20", () => client.history(20));
  await time("HI 100", () => client.history(100));
  await time("HI 100 user7", () => client.history(100, { with: "user7" }));
  await time("DM, stored", () => client.direct(USERS[1]!, "hello"));
  client.abort();
  server.kill("SIGKILL");
  await server.exitCode();
  const { server: again } = await time(
    "start-up after a crash",
    () => startServer(folder, "--plain"),
  );
  again.kill("SIGTERM");
  await again.exitCode();
  return times;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

await using empty = await TempFolder.create();
await using full = await TempFolder.create();
console.log(`filling a log with ${messages} messages`);
await fill(empty.path, 0);
await fill(full.path, messages);
const { size } = await Deno.stat(full.file("messages.db"));
console.log(
  `messages.db: ${(size / 2 ** 20).toFixed(0)} MiB; medians of ${ROUNDS} rounds, in turns`,
);

const rounds: { before: Record<string, number>; after: Record<string, number> }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  rounds.push({ before: await measure(empty.path), after: await measure(full.path) });
}
console.log(
  `${"".padEnd(24)}${"empty".padStart(12)}${`${messages}`.padStart(12)}${"ratio".padStart(8)}`,
);
for (const step of Object.keys(rounds[0]!.before)) {
  const before = median(rounds.map(({ before }) => before[step]!));
  const after = median(rounds.map(({ after }) => after[step]!));
  const figure = (ms: number) => `${ms.toFixed(1)} ms`.padStart(12);
  console.log(
    `${step.padEnd(24)}${figure(before)}${figure(after)}${(after / before).toFixed(2).padStart(8)}`,
  );
}
