import { assertEquals } from "@std/assert";
import { Inbound, type InboundSession } from "../../lib/server/inbound.ts";
import type { ClientRecord } from "../../lib/protocol/records.ts";
import { FakeServer } from "../helpers/fake_server.ts";
import { TestDisk } from "../helpers/test_disk.ts";

const users = (id: number): ClientRecord => ({ type: "users", id });
const ack = (delivered: number): ClientRecord => ({ type: "ack", delivered });
const endTurn = () => new Promise((resolve) => setImmediate(resolve));

/** An owner that is asked to wait after each request, until it is told to go on. */
function makeInbound({ loggedIn = true, total = { characters: 0 } } = {}) {
  const served: number[] = [];
  const failures: unknown[] = [];
  const pauses: PromiseWithResolvers<void>[] = [];
  const owner: InboundSession = {
    active: loggedIn ? {} : undefined,
    serve(record) {
      served.push("id" in record ? record.id : 0);
      pauses.push(Promise.withResolvers());
      return pauses.at(-1)!.promise;
    },
    serveEarly(record) {
      if (record.type !== "ack") return false;
      served.push(-record.delivered);
      return true;
    },
    failed(error) {
      failures.push(error);
      return Promise.resolve();
    },
  };
  const inbound = new Inbound(owner, total);
  return { inbound, served, failures, pauses };
}

Deno.test("Inbound serves in order, and what waits for nothing at once", async () => {
  const { inbound, served, pauses } = makeInbound();
  for (const record of [users(1), users(2), ack(7), users(3)]) inbound.take(record, 10);
  assertEquals(served, [1, -7]);
  for (let done = 0; done < 3; done++) {
    assertEquals(inbound.served === undefined, false);
    pauses[done]!.resolve();
    await endTurn();
  }
  assertEquals(served, [1, -7, 2, 3]);
  assertEquals(inbound.served, undefined);
  // Nothing waits any more, so the next one is served now.
  inbound.take(users(4), 10);
  assertEquals(served.at(-1), 4);
});

Deno.test("Inbound.backpressure() waits where too much waits, until less does", async () => {
  const much = { characters: 33 * 1_024 * 1_024 };
  const cases = [
    { characters: 60, most: 1_025 },
    { characters: 20_000, most: 105 },
    { characters: 20_000, most: 4, loggedIn: false },
    { characters: 20_000, most: 4, total: much },
  ];
  for (const { characters, most, ...options } of cases) {
    const { inbound, pauses } = makeInbound(options);
    inbound.take(users(1), characters);
    let taken = 0;
    for (; inbound.backpressure() === undefined; taken++) inbound.take(users(2), characters);
    assertEquals(taken, most);
    let takesMore = false;
    inbound.backpressure()!.then(() => takesMore = true);
    await endTurn();
    assertEquals(takesMore, false);
    pauses[0]!.resolve();
    await endTurn();
    assertEquals([takesMore, inbound.backpressure()], [true, undefined]);
  }
});

Deno.test("Inbound counts what waits of all, until it is served or dropped", async () => {
  const total = { characters: 0 };
  const [one, two] = [makeInbound({ total }), makeInbound({ total })];
  for (const { inbound } of [one, two]) {
    for (const record of [users(1), users(2), users(3)]) inbound.take(record, 100);
  }
  assertEquals(total.characters, 400);
  one.pauses[0]!.resolve();
  await endTurn();
  assertEquals(total.characters, 300);
  for (const { pauses } of [one, two]) pauses.at(-1)!.reject("broken");
  await endTurn();
  assertEquals(total.characters, 0);
});

Deno.test("Inbound tells its owner of what failed after a wait, and serves nothing after it", async () => {
  const { inbound, served, failures, pauses } = makeInbound();
  for (const record of [users(1), users(2)]) inbound.take(record, 70_000);
  const backpressure = inbound.backpressure();
  pauses[0]!.reject("broken");
  await Promise.all([inbound.served, backpressure]);
  inbound.take(users(3), 70_000);
  assertEquals([served, failures], [[1], ["broken"]]);
  // Whoever reads waits for nothing that will never be served.
  assertEquals(inbound.backpressure(), undefined);
});

Deno.test("acknowledgements of a client are taken in while its requests have to wait", async () => {
  await using server = await FakeServer.start({ rate: { burst: 4, perSecond: 1 } });
  const joe = await server.join("joe");
  const bob = await server.join("bob");
  const { message } = await joe.ask({ type: "public", id: 10, text: "to all" });
  await server.clock.endTurn();
  while ((await bob.next())["type"] !== "deliver");
  for (let id = 10; id < 20; id++) bob.send({ type: "users", id });
  bob.send({ type: "ack", delivered: 1 });
  await endTurn();
  const { progress } = await joe.ask({ type: "status", id: 11, message });
  assertEquals(progress, { users: 1, udp: 0, tcp: 1 });
  // Those have waited, and still do.
  for (let id = 10; id < 14; id++) assertEquals((await bob.next())["id"], id);
  const next = bob.next();
  server.clock.advance(1_000);
  assertEquals((await next)["id"], 14);
});

Deno.test("however many acknowledgements come while answers are due, none of them waits", async () => {
  const disk = new TestDisk();
  disk.slow = false;
  await using server = await FakeServer.start({ disk });
  const bob = await server.join("bob");
  disk.slow = true;
  const { session } = bob;
  let waits = 0;
  const work = session.work.bind(session);
  session.work = (job) => {
    waits++;
    return work(job);
  };
  for (let id = 10; id < 300; id++) bob.send({ type: "public", id, text: "hi" });
  for (let more = 0; more < 1_000; more++) bob.send({ type: "ack", delivered: 0 });
  await endTurn();
  assertEquals(waits, 1);
  disk.slow = false;
  (await disk.next()).resolve();
  for (let id = 10; id < 300; id++) assertEquals((await bob.next())["id"], id);
});

Deno.test("a client that goes after a line that is no record is noticed, whatever its requests wait for", async () => {
  await using server = await FakeServer.start({ rate: { burst: 4, perSecond: 1 } });
  const bob = await server.join("bob");
  const requests = Array.from({ length: 9 }, (_, id) => JSON.stringify(users(id + 10)));
  bob.connection.receive(...requests, "nonsense");
  assertEquals((await bob.next())["id"], 10);
  bob.connection.disconnect();
  // Its clock stands still: what waits would wait for ever.
  while ((await bob.next())["type"] !== undefined);
  assertEquals(server.services.hub.users.names, []);
});
