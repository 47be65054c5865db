// Sessions of one account at several servers: they come back anywhere, and get each message once.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../lib/clock.ts";
import { ClusterStream } from "../../lib/cluster/stream.ts";
import { encodeEvent, natsSubjectOf, STATE } from "../../lib/cluster/wire.ts";
import { RunningCluster, until } from "../helpers/running_cluster.ts";

const texts = (messages: readonly { text: string }[]) => messages.map(({ text }) => text);

Deno.test("a client comes back at another server, and misses nothing", async () => {
  await using cluster = await RunningCluster.start(3);
  const [ann, bob] = [await cluster.join(0, "ann"), await cluster.join(1, "bob")];
  for (let i = 0; i < 20; i++) {
    const [id] = await Promise.all([
      ann.chat.publish(`public ${i}`),
      ann.chat.direct("bob", `direct ${i}`),
      i % 5 === 4 ? bob.move(i % 3) : undefined,
    ]);
    assert(id > 0);
  }
  await bob.received(40);
  assertEquals(texts(bob.messages).filter((text) => text.startsWith("public")).length, 20);
  assertEquals(new Set(texts(bob.messages)).size, 40);
  // Its session at the first server has ended, though nobody closed that connection there.
  await until(async () => (await ann.chat.users()).join() === "ann,bob");
  const histories = await Promise.all([0, 1, 2].map(async (i) => {
    const { chat } = await cluster.join(i, "ann");
    const { messages } = await chat.history(100);
    return messages.map(({ id, text }) => `${id} ${text}`);
  }));
  assertEquals(histories[0]!.length, 40);
  assertEquals(histories[1], histories[0]);
  assertEquals(histories[2], histories[0]);
});

Deno.test("a client of which another server says too late that it has it comes back by itself", async () => {
  await using cluster = await RunningCluster.start(2);
  const ann = await cluster.join(0, "ann");
  await ann.move(1);
  await using stream = await ClusterStream.open({
    clock: systemClock,
    servers: [cluster.nats.address],
  });
  // A server that was cut off from NATS appends what it could not say while it had the client.
  const login = await stream.manager.streams.getMessage(stream.name, {
    last_by_subj: `${stream.name}.${STATE}.login`,
  });
  const late = { type: "login-moved", login: login!.seq, server: "cut off" } as const;
  await stream.client.publish(`${stream.name}.${natsSubjectOf(late)}`, encodeEvent(late));
  await Promise.race([
    ann.back(2),
    new Promise((_, reject) =>
      ann.chat.signal.addEventListener("abort", () => reject(ann.chat.signal.reason))
    ),
  ]);
  assert(await ann.chat.publish("still here") > 0);
});

Deno.test("direct messages to who is away come once, at whichever server, and not again elsewhere", async () => {
  await using cluster = await RunningCluster.start(2);
  const [ann, bob] = [await cluster.join(0, "ann"), await cluster.join(1, "bob")];
  await bob.chat.logout();
  await until(async () => (await ann.chat.users()).join() === "ann");
  const { message, away } = await ann.chat.direct("bob", "later");
  assertEquals(away, true);
  assertEquals((await ann.chat.status(message)).progress, { users: 1, udp: 0, tcp: 0 });
  const back = await cluster.join(0, "bob");
  assertEquals(texts(await back.received(1)), ["later"]);
  await until(async () => {
    const { progress } = await ann.chat.status(message);
    return progress !== undefined && progress.udp + progress.tcp === 1;
  });
  const another = await cluster.join(1, "bob");
  await ann.chat.direct("bob", "now");
  assertEquals(texts(await another.received(1)), ["now"]);
  assertEquals(texts(await back.received(2)), ["later", "now"]);
});

Deno.test("ST counts who is at other servers, an account once", async () => {
  await using cluster = await RunningCluster.start(3);
  const ann = await cluster.join(0, "ann");
  const others = [
    await cluster.join(0, "bob"),
    await cluster.join(1, "bob"),
    await cluster.join(1, "joe"),
    await cluster.join(2, "eve"),
  ];
  await until(async () => (await ann.chat.users()).length === 4);
  const id = await ann.chat.publish("hello");
  await Promise.all(others.map((client) => client.received(1)));
  await until(async () => {
    const { progress } = await ann.chat.status(id);
    return progress!.udp + progress!.tcp === 3;
  });
  assertEquals((await ann.chat.status(id)).progress!.users, 3);
  const { message } = await ann.chat.direct("eve", "you");
  await others[3]!.received(2);
  await until(async () => {
    const { progress } = await ann.chat.status(message);
    return progress!.users === 1 && progress!.udp + progress!.tcp === 1;
  });
});

Deno.test("an account's sessions at all servers together are limited", async () => {
  await using cluster = await RunningCluster.start(2);
  // The default limit is 16; each server hears of the other's sessions a moment later.
  for (let i = 0; i < 14; i++) await cluster.join(i % 2, "ann");
  await until(() => cluster.join(0, "ann").then(() => false, () => true));
  await assertRejects(() => cluster.join(1, "ann"), Error, "this account is logged in");
});

Deno.test("an account that logs in at two servers in the same instant has no more sessions than one may", async () => {
  await using cluster = await RunningCluster.start(2, { sessionsPerAccount: 1 });
  const ann = await cluster.join(0, "ann");
  await ann.chat.logout();
  const watchers = [await cluster.join(0, "bob"), await cluster.join(1, "eve")];
  let both = 0;
  for (let round = 0; round < 20; round++) {
    const clients = await Promise.all([cluster.connect(0), cluster.connect(1)]);
    await Promise.all(clients.map((chat) => chat.identify("ann")));
    const logins = await Promise.allSettled(clients.map((chat) => chat.authenticate("ann")));
    const winners = clients.filter((_, i) => logins[i]!.status === "fulfilled");
    if (winners.length === 2) both++;
    await until(() => winners.filter(({ connected }) => connected).length <= 1);
    await winners.find(({ connected }) => connected)?.publish("alone");
    for (const chat of clients) chat.abort();
    await until(async () => {
      const users = await Promise.all(watchers.map(({ chat }) => chat.users()));
      return !users.flat().includes("ann");
    });
  }
  console.log(`    both were let in ${both} times of 20, and one of them sent away`);
});

Deno.test("who logs in while NATS is away is let in after a while, is told, and stays when it is back", async () => {
  await using cluster = await RunningCluster.start(1);
  const ann = await cluster.join(0, "ann");
  await cluster.join(0, "bob");
  await cluster.nats.kill();
  const told: string[] = [];
  const late = await cluster.connect(0, (message) => told.push(message));
  await late.identify("bob");
  const { token } = await late.authenticate("bob");
  assertEquals(token, undefined);
  await until(() => told.length > 0);
  assert(told[0]!.startsWith("nothing can be stored at present"));
  // History is there all the time.
  await late.history(10);
  await cluster.nats.restart();
  const id = await late.publish("at last");
  assertEquals((await ann.received(1))[0]!.id, id);
  await until(() => told.at(-1) === "what you send is stored again");
  late.abort();
});
