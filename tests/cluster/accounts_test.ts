// The accounts of a cluster: events, the table of each server, and each server's credentials.txt.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { ExitError } from "../../lib/exit.ts";
import { RunningCluster, until } from "../helpers/running_cluster.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const COST = { ln: 1, r: 8, p: 1 };

/** What an operator does on the command line, beside a server that runs. */
async function operate(
  folder: TempFolder,
  change: (accounts: Accounts) => Promise<unknown>,
): Promise<void> {
  await change(await Accounts.load(folder.path, { cost: COST }));
}

/** Whether every server's file has the same accounts. */
async function areSame(cluster: RunningCluster, count: number): Promise<boolean> {
  const files = await Promise.all(cluster.nodes.map((_, i) => cluster.credentials(i)));
  return files[0]!.length === count && files.every((lines) => lines.join() === files[0]!.join());
}

Deno.test("an account made, changed or removed at one server is so at all, in each one's file", async () => {
  await using cluster = await RunningCluster.start(3);
  const [first, second] = cluster.nodes;
  const ann = await cluster.join(0, "ann");
  const elsewhere = await cluster.join(1, "ann");
  await until(() => areSame(cluster, 1));

  await ann.chat.changePassword("ann", "another one");
  await until(() => elsewhere.chat.signal.aborted);
  assert(`${elsewhere.chat.signal.reason}`.includes("has a new password"));
  // Who changed it stays, and may come back anywhere.
  await ann.move(2);
  await ann.chat.publish("still here");
  await until(() => areSame(cluster, 1));

  // Operators, each at another server's folder.
  await operate(second!.folder, (accounts) => accounts.create("Bob", "bob"));
  await until(() => areSame(cluster, 2));
  const bob = await cluster.join(0, "bob");
  assertEquals(bob.username, "bob");
  await operate(first!.folder, (accounts) => accounts.remove(["ann"]));
  await until(() => ann.chat.signal.aborted);
  assert(`${ann.chat.signal.reason}`.includes("was removed"));
  await until(() => areSame(cluster, 1));
  assertEquals((await cluster.credentials(2))[0]!.split(":")[0], "Bob");
});

Deno.test("what a crash left between the table and the file is mended, and an operator's change is not taken for that", async () => {
  await using cluster = await RunningCluster.start(2);
  await cluster.join(0, "ann");
  await cluster.join(0, "bob");
  await until(() => areSame(cluster, 2));
  await cluster.restart(1, async (folder) => {
    // As if it had been killed before it wrote ann's line; bob's line is removed by an operator.
    await operate(folder, (accounts) => accounts.remove(["ann", "bob"]));
    using database = new DatabaseSync(folder.file("messages.db"));
    assertEquals(
      database.prepare("UPDATE credentials SET filed = 0 WHERE account = 'ann'").run().changes,
      1,
    );
    await operate(folder, (accounts) => accounts.create("eve", "eve"));
  });
  const names = async (i: number) =>
    (await cluster.credentials(i)).map((line) => line.split(":")[0]).join();
  await until(async () => await names(0) === "ann,eve" && await names(1) === "ann,eve");
  // The file is gone altogether: it is written again.
  await cluster.restart(1, (folder) => Deno.remove(folder.file("credentials.txt")));
  await until(() => areSame(cluster, 2));
  // So is one whose tables are gone, which are made from the stream.
  await cluster.restart(1, async (folder) => {
    await Deno.remove(folder.file("messages.db"));
    await Deno.writeTextFile(folder.file("credentials.txt"), (await cluster.credentials(1))[1]!);
  });
  await until(() => areSame(cluster, 2));
});

Deno.test("a file that one server lost, or has in part, removes nobody at the others", async () => {
  await using cluster = await RunningCluster.start(2);
  const second = cluster.nodes[1]!;
  const path = second.folder.file("credentials.txt");
  for (const name of ["ann", "bob", "cid"]) await cluster.join(0, name);
  await until(() => areSame(cluster, 3));

  // An account is made while the file is gone.
  await Deno.remove(path);
  await cluster.join(0, "dan");
  await until(() => areSame(cluster, 4));
  // It is gone for longer, and comes back by itself.
  await Deno.writeTextFile(path, "");
  await until(() => areSame(cluster, 4));

  // A crash cut it short.
  await cluster.restart(1, async () => {
    const whole = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, whole.slice(0, whole.length / 2 + 20));
  });
  await cluster.join(1, "eve");
  const { log } = cluster.nodes[1]!;
  await until(() => log.some((line) => line.includes("nobody is removed")));
  await until(async () => (await cluster.credentials(0)).length === 5);
  // The half line stays where nobody knows what it was.
  const readable = async () =>
    (await Accounts.load(second.folder.path, { cost: COST })).all.map(({ username }) => username);
  await until(async () => (await readable()).join() === "ann,bob,cid,dan,eve");
});

Deno.test("an old credentials.txt that is put back at one server changes nobody, and chatserver users still does", async () => {
  await using cluster = await RunningCluster.start(2);
  const { folder, log } = cluster.nodes[1]!;
  const path = folder.file("credentials.txt");
  const ann = await cluster.join(0, "ann");
  await cluster.join(0, "bob");
  await until(() => areSame(cluster, 2));
  const old = await Deno.readTextFile(path);
  await ann.chat.changePassword("ann", "another one");
  await operate(folder, (accounts) => accounts.remove(["bob"]));
  await cluster.join(1, "cid");
  await until(() => areSame(cluster, 2));
  const before = await cluster.credentials(0);

  // Somebody adds an account by hand, besides.
  await Deno.writeTextFile(path, `${old}dan:dan\n`);
  await until(() => log.some((line) => line.includes("3 accounts are written again as they are")));
  await until(() => areSame(cluster, 3));
  const after = await cluster.credentials(0);
  assertEquals(after.filter((line) => !line.startsWith("dan:")), before);
  assertEquals(ann.chat.signal.aborted, false);

  await operate(folder, (accounts) => accounts.remove(["cid"]));
  await until(() => areSame(cluster, 2));
  const names = (await cluster.credentials(0)).map((line) => line.split(":")[0]);
  assertEquals(names, ["ann", "dan"]);
});

Deno.test("a server brings its accounts along; others than the cluster's of the same names are refused", async () => {
  await using cluster = await RunningCluster.start(1);
  await cluster.join(0, "ann");
  await until(() => areSame(cluster, 1));
  await using strange = await TempFolder.create();
  await operate(strange, (accounts) => accounts.create("ann", "ann"));
  const before = await Deno.readTextFile(strange.file("credentials.txt"));
  await assertRejects(
    () => cluster.add(strange),
    ExitError,
    "credentials.txt has accounts that are others in this cluster: ann:",
  );
  assertEquals(await Deno.readTextFile(strange.file("credentials.txt")), before);

  const folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("credentials.txt"), "old:open secret\n");
  await operate(folder, (accounts) => accounts.create("new", "new"));
  await cluster.add(folder);
  await until(() => areSame(cluster, 3));
  // A password of the older program is hashed before anybody else gets it.
  assert(!(await cluster.credentials(0)).some((line) => line.includes("open secret")));
});

Deno.test("the same account registered at two servers in the same instant, 1,000 times: one succeeds each time", async () => {
  await using cluster = await RunningCluster.start(2);
  const won = [0, 0];
  for (let round = 0; round < 1_000; round += 25) {
    await Promise.all(Array.from({ length: 25 }, async (_, place) => {
      const username = `joe${round + place}`;
      const clients = await Promise.all([cluster.connect(0), cluster.connect(1)]);
      for (const { exists } of await Promise.all(clients.map((chat) => chat.identify(username)))) {
        assertEquals(exists, false);
      }
      const answers = await Promise.all(
        clients.map((chat) =>
          chat.register("open sesame").then(({ type }) => type, ({ code }) => code as string)
        ),
      );
      assertEquals(answers.toSorted(), ["name-taken", "welcome"], username);
      won[answers.indexOf("welcome")]!++;
      for (const chat of clients) chat.abort();
    }));
  }
  await until(() => areSame(cluster, 1_000));
  console.log(`    1,000 names: ${won.join(" and ")} of them, each once`);
});
