// What is held back, and whom, where a receiver, a disk or an account's own haste is in the way.
import { assert, assertEquals } from "@std/assert";
import { received } from "../helpers/deliveries.ts";
import type { Member } from "../../lib/server/active_user.ts";
import { Backpressure } from "../../lib/server/backpressure.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeServer } from "../helpers/fake_server.ts";
import { TestDisk } from "../helpers/test_disk.ts";

Deno.test("a session for which too much waits is told so and ends, and nobody else", async () => {
  await using server = await FakeServer.start();
  const [sender, slow] = [await server.join("renew"), await server.join("slow")];
  const text = "x".repeat(16_000);
  await sender.ask({ type: "public", id: 9, text });
  // From now on it is stuck, and nobody waits for it.
  server.clock.advance(1_001);
  for (let id = 10; !slow.connection.closed; id++) {
    assertEquals((await sender.ask({ type: "public", id, text }))["type"], "sent");
    server.clock.endTurn();
  }
  let last = {};
  for (let next; (next = await slow.next())["type"] !== undefined;) last = next;
  assertEquals(last, {
    type: "farewell",
    code: "too-slow",
    message: "too much waited to be delivered",
    final: false,
  });
  assertEquals((await sender.ask({ type: "ping" }))["type"], "pong");
});

Deno.test("what waits for all sessions together is capped, and costs who is furthest behind the session", async () => {
  await using server = await FakeServer.start({ backlogBytes: 1_000_000 });
  const [sender, far, near] = [
    await server.join("renew"),
    await server.join("far"),
    await server.join("near"),
  ];
  const text = "x".repeat(16_000);
  const say = async (count: number, record: Record<string, unknown>) => {
    for (let id = 0; id < count; id++) {
      assertEquals((await sender.ask({ ...record, id: nextId++, text }))["type"], "sent");
      server.clock.endTurn();
    }
  };
  let nextId = 10;
  // What waits for both counts once.
  await say(55, { type: "public" });
  assert(!far.connection.closed && !near.connection.closed);
  await say(5, { type: "direct", to: "far" });
  await say(5, { type: "direct", to: "near" });
  assert(far.connection.closed && !near.connection.closed);
  assertEquals(await server.nextOf(near).then(({ type }) => type), "deliver");
});

Deno.test("a slow disk delays nobody who does not wait for it", async () => {
  const disk = new TestDisk();
  disk.slow = false;
  await using server = await FakeServer.start({ disk });
  const [ann, joe] = [await server.join("ann"), await server.join("joe")];
  disk.slow = true;
  ann.send({ type: "public", id: 10, text: "to the disk" });
  const sync = await disk.next();
  // The commit is under way, and takes its time.
  assertEquals(await joe.ask({ type: "users", id: 10 }), {
    type: "users",
    id: 10,
    users: ["ann", "joe"],
  });
  assertEquals(await joe.ask({ type: "ping" }), { type: "pong" });
  assertEquals(await ann.ask({ type: "ping" }), { type: "pong" });
  joe.send({ type: "ack", delivered: 0 });
  ann.send({ type: "users", id: 11 });
  assertEquals((await joe.ask({ type: "history", id: 11, count: 5 }))["messages"], []);
  disk.slow = false;
  sync.resolve();
  assertEquals((await ann.next())["type"], "sent");
  // A session's answers keep the order of its requests.
  assertEquals((await ann.next())["id"], 11);
  assertEquals(await received(server, joe, 1), ["to the disk"]);
});

Deno.test("a sender is slowed down while a receiver that takes messages is far behind", async () => {
  await using server = await FakeServer.start();
  const [sender, receiver] = [await server.join("renew"), await server.join("bob")];
  const text = "x".repeat(16_000);
  let sent = 0;
  for (let id = 10; id < 300; id++) sender.send({ type: "public", id, text });
  // Half of 4 MiB, in messages of 16,000 bytes and a little.
  while (sent < 131) if ((await sender.next())["type"] === "sent") sent++;
  const blocked = server.services.hub.relief({ text });
  assert(blocked !== undefined);
  server.clock.endTurn();
  receiver.send({ type: "ack", delivered: 10 });
  receiver.send({ type: "ping" });
  while ((await receiver.next())["type"] !== "pong");
  server.clock.endTurn();
  await blocked;
  assertEquals((await sender.next())["type"], "sent");
});

Deno.test("commands of one account share a rate; who is faster is served later, and loses nothing", async () => {
  await using server = await FakeServer.start({ rate: { burst: 5, perSecond: 10 } });
  const [one, two] = [await server.join("joe"), await server.join("joe")];
  const other = await server.join("bob");
  for (let id = 10; id < 15; id++) {
    assertEquals((await one.ask({ type: "users", id }))["type"], "users");
  }
  // All are used up, by the account's other session as well.
  const answer = two.ask({ type: "users", id: 3 });
  let answered = false;
  answer.then(() => answered = true);
  assertEquals((await other.ask({ type: "users", id: 3 }))["type"], "users");
  server.clock.advance(99);
  await other.ask({ type: "users", id: 4 });
  assertEquals(answered, false);
  server.clock.advance(1);
  assertEquals((await answer)["type"], "users");
});

Deno.test("logout is answered, whatever is asked for after it while the disk is slow", async () => {
  const disk = new TestDisk();
  disk.slow = false;
  await using server = await FakeServer.start({ disk });
  const ann = await server.join("ann");
  disk.slow = true;
  ann.send({ type: "public", id: 10, text: "to the disk" });
  ann.send({ type: "logout", id: 11 });
  for (let id = 12; id < 300; id++) ann.send({ type: "users", id });
  const sync = await disk.next();
  await new Promise((resolve) => setImmediate(resolve));
  disk.slow = false;
  sync.resolve();
  for (;;) {
    const { type, id } = await server.nextOf(ann);
    if (type === "farewell") return assertEquals(id, 11);
  }
});

/** What {@linkcode Backpressure} asks of a session that has so much to be delivered, in MiB. */
function loaded(mebibytes: number): { load: number } & Member {
  const load = mebibytes * 1_024 * 1_024;
  return { username: "bob", load, backpressure: () => undefined } as unknown as
    & { load: number }
    & Member;
}

Deno.test("with too much to deliver each sender has its turn, as fast as it is delivered", async () => {
  const clock = new FakeClock();
  const receivers = [loaded(160), loaded(0)];
  const pressure = new Backpressure({
    clock,
    held: { bytes: 0 },
    maxBacklogBytes: 1e9,
    members: () => receivers,
  });
  const MiB = 1_024 * 1_024;
  clock.advance(10);
  const said = (mebibytes: number) => pressure.relief(mebibytes * MiB, () => true);
  assertEquals(said(240), undefined);
  // More than 256 MiB may be there: it looks, and there are 160.
  assertEquals(said(40), undefined);
  receivers[1]!.load = 120 * MiB;
  clock.advance(10);
  assertEquals(said(80), undefined);
  const turns: string[] = [];
  const wait = (name: string, cost: number) => void said(cost)!.then(() => turns.push(name));
  wait("first", 80);
  wait("second", 20);
  wait("third", 4);
  for (let ms = 0; ms < 100; ms += 10) clock.advance(10);
  await Promise.resolve();
  assertEquals(turns, []);
  receivers[0]!.load = 60 * MiB;
  clock.advance(10);
  await Promise.resolve();
  // 180 there were: the first makes it 260.
  assertEquals(turns, ["first"]);
  clock.advance(10);
  await Promise.resolve();
  assertEquals(turns, ["first", "second", "third"]);
  assertEquals(clock.timers, 0);
});
