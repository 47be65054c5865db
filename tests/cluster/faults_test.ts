// Three chat servers and three NATS servers, sixty clients spread over them, and what may happen to all of these.
import { assert, assertEquals } from "@std/assert";
import { ChatCluster } from "./chat_cluster.ts";
import { assertExact, pause } from "./crowd.ts";

const CLIENTS = 60;

Deno.test("sixty clients at three servers get everything once and in one order, whatever is killed", async () => {
  await using cluster = await ChatCluster.start(CLIENTS);
  const { crowd, nats } = cluster;
  crowd.start();
  const during = async (what: string, happen: () => Promise<void>) => {
    crowd.figures();
    await happen();
    console.log(`    ${what}: ${crowd.figures()}`);
  };
  await during("quiet", () => crowd.answered(5));
  await during("a chat server is killed", async () => {
    await cluster.kill(1);
    await crowd.answered(5);
  });
  await during("it is started again", async () => {
    await cluster.restart(1);
    await crowd.answered(2);
  });
  for (const what of ["leader", "follower"]) {
    await during(`the ${what} of NATS is killed`, async () => {
      const leader = await cluster.leader();
      const victim = nats[what === "leader" ? leader : (leader + 1) % nats.length]!;
      await victim.kill();
      await crowd.answered(3);
      await victim.restart();
    });
  }
  await during("NATS is away for 5 s", async () => {
    await Promise.all(nats.map((server) => server.kill()));
    // A moment in which answers that were under way arrive.
    await pause(500);
    const before = crowd.confirmed;
    await pause(4_500);
    assertEquals(crowd.confirmed, before, "nothing is confirmed without NATS");
    for (const { name, notices } of crowd.people) {
      assert(notices.at(-1)?.startsWith("nothing can be stored"), name);
    }
    await Promise.all(nats.map((server) => server.restart()));
    await crowd.answered(3);
    for (const { name, notices } of crowd.people) {
      assertEquals(notices.at(-1), "what you send is stored again", name);
    }
  });
  assertExact(await crowd.stop());

  const [first, ...others] = await crowd.histories(100);
  assertEquals(first!.length, 100);
  for (const other of others) assertEquals(other, first);
});
