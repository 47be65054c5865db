// Limits of an account and of an address, at all servers of a cluster together.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { RequestError } from "../../lib/client/session.ts";
import { RunningCluster } from "../helpers/running_cluster.ts";

/** A word to the others takes less, in milliseconds. */
const WORD_MS = 1_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function takes(work: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work;
  return performance.now() - started;
}

Deno.test("limits of commands, wrong passwords and new accounts hold at two servers together", async () => {
  const limits = { commandBurst: 20, commandsPerSecond: 1, registrationBurst: 2 };
  await using cluster = await RunningCluster.start(2, limits);
  const joe = await cluster.join(0, "joe");
  const ann = await cluster.join(0, "ann");
  const late = await cluster.connect(1);
  await pause(WORD_MS);
  const refused = await assertRejects(() => late.identify("eve"), RequestError);
  assertEquals(refused.code, "too-many-accounts");
  late.abort();

  for (let i = 0; i < 5; i++) {
    const guesser = await cluster.connect(0);
    await guesser.identify("joe");
    await assertRejects(() => guesser.authenticate("wrong"), RequestError);
    guesser.abort();
  }
  await pause(WORD_MS);
  const other = await cluster.connect(1);
  await other.identify("joe");
  const waited = await takes(other.authenticate("joe"));
  // After five the next one waits for four seconds, wherever it is made.
  assert(waited >= 1_000, `${waited} ms`);

  const idle = await takes(other.users());
  // All that an account may command at once, at one server.
  await Promise.all(Array.from({ length: 20 }, () => joe.chat.users()));
  await pause(WORD_MS);
  const paced = await takes(Promise.all(Array.from({ length: 6 }, () => other.users())));
  console.log(
    `    the sixth password after ${Math.round(waited)} ms; a command after ${
      Math.round(idle)
    } ms, 6 after 20 at the other server ${Math.round(paced)} ms`,
  );
  assert(paced >= 1_000, `${paced} ms`);
  await ann.chat.users();
  other.abort();
});
