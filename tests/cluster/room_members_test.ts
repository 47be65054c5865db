// Rooms whose members are at several servers.
import { assertEquals } from "@std/assert";
import { RequestError } from "../../lib/client/session.ts";
import { RunningCluster, until } from "../helpers/running_cluster.ts";

const texts = (messages: readonly { text: string }[]) => messages.map(({ text }) => text);

/** What something comes to: the code of its refusal, or nothing. */
async function refusal(deed: Promise<unknown>): Promise<string | undefined> {
  try {
    await deed;
    return undefined;
  } catch (error) {
    if (error instanceof RequestError) return error.code;
    throw error;
  }
}

Deno.test("a room's members are at any server, and who is kicked at one gets nothing at another", async () => {
  await using cluster = await RunningCluster.start(2);
  const [ann, bob, eve] = [
    await cluster.join(0, "ann"),
    await cluster.join(1, "bob"),
    await cluster.join(1, "eve"),
  ];
  const roles = await Promise.all(
    [ann, bob].map(async ({ chat }) => (await chat.join("lab")).role),
  );
  assertEquals(roles.toSorted(), ["member", "owner"]);
  const [owner, other] = roles[0] === "owner" ? [ann, bob] : [bob, ann];
  await owner.chat.say("lab", "one");
  assertEquals(texts(await other.received(1)), ["one"]);
  await other.chat.say("lab", "two");
  assertEquals(texts(await owner.received(1)), ["two"]);
  assertEquals(await refusal(eve.chat.say("lab", "x")), "not-in-room");

  await owner.chat.act("lab", "kick", { user: other.username });
  await owner.chat.say("lab", "three");
  await until(async () => await refusal(other.chat.say("lab", "x")) === "not-in-room");
  await owner.chat.publish("after");
  assertEquals(texts(await other.received(2)), ["one", "after"]);
});

Deno.test("a member gets what a room said meanwhile at another server, once", async () => {
  await using cluster = await RunningCluster.start(2);
  const [ann, bob] = [await cluster.join(0, "ann"), await cluster.join(0, "bob")];
  await ann.chat.join("lab");
  await bob.chat.join("lab");
  await bob.chat.logout();
  for (const text of ["one", "two"]) await ann.chat.say("lab", text);
  const back = await cluster.join(1, "bob");
  assertEquals(texts(await back.received(2)), ["one", "two"]);
  for (let i = 0; i < 10; i++) {
    await Promise.all([ann.chat.say("lab", `${i}`), i % 3 === 2 ? back.move(i % 2) : undefined]);
  }
  await back.received(12);
  assertEquals(texts(back.messages).slice(2), Array.from({ length: 10 }, (_, i) => `${i}`));
  await back.chat.logout();
  const again = await cluster.join(0, "bob");
  await ann.chat.say("lab", "last");
  assertEquals(texts(await again.received(1)), ["last"]);
});
