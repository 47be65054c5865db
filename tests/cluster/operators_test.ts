// Operators of a cluster: made at one server's folder, obeyed at all.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { RequestError } from "../../lib/client/session.ts";
import { RunningCluster, until } from "../helpers/running_cluster.ts";

Deno.test("an operator mutes, kicks and bans who is at another server, and every server lists it", async () => {
  await using cluster = await RunningCluster.start(2);
  const ann = await cluster.join(0, "ann");
  const bob = await cluster.join(1, "bob");
  await assertRejects(() => ann.chat.operate("kick", { user: "bob" }), RequestError, "an operator");
  // The folder is another server's than the one that she is at.
  const { folder } = cluster.nodes[1]!;
  await until(async () => (await cluster.credentials(1)).length === 2);
  const accounts = await Accounts.load(folder.path, { cost: { ln: 1, r: 8, p: 1 } });
  assert(await accounts.setRole("ann", "operator"));
  await until(() => ann.chat.operations(10).then(() => true, () => false));
  await until(async () =>
    (await cluster.credentials(0)).filter((line) => line.endsWith(" operator")).length === 1
  );

  await ann.chat.operate("mute", { user: "bob", seconds: 3_600, text: "spam" });
  await assertRejects(() => bob.chat.publish("x"), RequestError, "you are muted until");
  await ann.chat.operate("unmute", { user: "bob" });
  await bob.chat.publish("y");
  await ann.chat.operate("announce", { text: "exam" });
  assertEquals((await bob.received(1)).map(({ announcement }) => announcement), [true]);
  const message = await bob.chat.publish("spam");
  await ann.chat.operate("delete", { message });
  const marks = async (client: typeof bob) =>
    (await client.chat.history(9)).messages.filter(({ deleted }) => deleted !== undefined)
      .map(({ id, text, deleted }) => [id, text, deleted]);
  await until(async () => (await marks(bob)).length === 1);
  assertEquals([await marks(ann), await marks(bob)], [
    ...[[[message, "", "ann"]], [[message, "", "ann"]]],
  ]);
  await ann.chat.operate("lock", { text: "exam" });
  await until(() => cluster.join(1, `eve${Math.random()}`).then(() => false, () => true));
  await assertRejects(() => cluster.join(1, "eve"), RequestError, "the chat is locked");
  await ann.chat.operate("unlock", {});
  await ann.chat.operate("kick", { user: "bob" });
  await until(() => bob.chat.signal.aborted);
  await ann.chat.operate("ban", { user: "bob" });
  await assertRejects(() => cluster.join(0, "bob"), RequestError, "you are banned");
  await until(() => cluster.join(1, "bob").then(() => false, () => true));

  const done = [
    ...["operator", "mute", "unmute", "announce", "delete", "lock", "unlock", "kick", "ban"],
  ];
  await ann.move(1);
  assertEquals((await ann.chat.operations(10)).map(({ what }) => what), done);
});
