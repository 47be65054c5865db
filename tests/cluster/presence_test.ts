import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../lib/clock.ts";
import { Presence } from "../../lib/cluster/presence.ts";
import { ClusterStream } from "../../lib/cluster/stream.ts";
import { NatsServer } from "../helpers/nats.ts";

const clock = systemClock;

/** One server's end: its connection, and its presence. */
async function join(nats: NatsServer) {
  const stream = await ClusterStream.open({ clock, servers: [nats.address] });
  const presence = await Presence.open({ stream, clock });
  await presence.tell({ address: "127.0.0.1", port: 1300 });
  return { stream, presence };
}

function usersOf({ users }: Presence): string[] {
  return [...users.values()].map(({ username, sessions }) => `${username} ${sessions}`).sort();
}

/** When a server sees exactly these users at the others; how long that took, in milliseconds. */
async function sees(presence: Presence, expected: readonly string[]): Promise<number> {
  const started = performance.now();
  while (usersOf(presence).join() !== expected.join()) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Math.round(performance.now() - started);
}

Deno.test("Presence says at each server who is at the others, until they leave", async () => {
  await using nats = await NatsServer.start();
  const servers = [await join(nats), await join(nats), await join(nats)] as const;
  const [a, b, c] = servers.map(({ presence }) => presence) as [Presence, Presence, Presence];
  a.note("joe", { username: "Joe", sessions: 1 });
  b.note("joe", { username: "Joe", sessions: 2 });
  b.note("ann", { username: "ann", sessions: 1 });
  await sees(c, ["Joe 3", "ann 1"]);
  await sees(a, ["Joe 2", "ann 1"]);
  b.note("ann", { username: "ann", sessions: 0 });
  await sees(c, ["Joe 3"]);
  // Who comes later sees what was before.
  const late = await join(nats);
  await sees(late.presence, ["Joe 3"]);
  // A server that stops takes its users along at once.
  await b[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
  await sees(c, ["Joe 1"]);
  for (const { presence, stream } of [...servers, late]) {
    await presence[Symbol.asyncDispose]();
    await stream[Symbol.asyncDispose]();
  }
});

Deno.test("Presence forgets the users of a server that is killed, within seconds", async () => {
  await using nats = await NatsServer.start();
  const [a, b] = [await join(nats), await join(nats)];
  b.presence.note("joe", { username: "joe", sessions: 1 });
  await sees(a.presence, ["joe 1"]);
  // As after a kill, nothing of it is heard any more, and nothing was said.
  await b.stream.connection.close();
  assertEquals(a.presence.servers.length, 1);
  const after = await sees(a.presence, []);
  assertEquals(a.presence.servers, []);
  const late = await join(nats);
  assertEquals(usersOf(late.presence), []);
  console.log(`    the users of a killed server are gone after ${(after / 1_000).toFixed(1)} s`);
  for (const { presence, stream } of [a, late, b]) {
    await presence[Symbol.asyncDispose]();
    await stream[Symbol.asyncDispose]();
  }
});

Deno.test("Presence says when a server's clock is an hour off", async () => {
  await using nats = await NatsServer.start();
  const hourAhead = { ...clock, date: () => new Date(Date.now() + 3_600_000) };
  await using stream = await ClusterStream.open({ clock, servers: [nats.address] });
  const said = Promise.withResolvers<string>();
  const presence = await Presence.open({ stream, clock: hourAhead, log: said.resolve });
  assertEquals(presence.skew, undefined);
  await presence.tell(undefined);
  assertEquals(
    await said.promise,
    "the clock is 60 minutes ahead of NATS': set one of them right; until then nothing gets old here",
  );
  assertEquals(Math.round(presence.skew! / 60_000), 60);
  await presence[Symbol.asyncDispose]();
});

Deno.test("Presence is there again when NATS is", async () => {
  await using nats = await NatsServer.start();
  const [a, b] = [await join(nats), await join(nats)];
  b.presence.note("joe", { username: "joe", sessions: 1 });
  await sees(a.presence, ["joe 1"]);
  const { servers } = a.presence;
  let changes = 0;
  a.presence.onServers = () => changes++;
  await nats.kill();
  await sees(a.presence, []);
  // Who hears nobody goes on naming the others.
  assertEquals(a.presence.servers, servers);
  await nats.restart();
  const after = await sees(a.presence, ["joe 1"]);
  assertEquals(changes, 0);
  console.log(`    users are seen again ${(after / 1_000).toFixed(1)} s after NATS is back`);
  for (const { presence, stream } of [a, b]) {
    await presence[Symbol.asyncDispose]();
    await stream[Symbol.asyncDispose]();
  }
});

Deno.test("Presence tells the others of as many users as NATS takes, and says so in the log, once", async () => {
  await using nats = await NatsServer.start({ config: "max_payload: 4096" });
  const log: string[] = [];
  await using stream = await ClusterStream.open({ clock, servers: [nats.address] });
  await using presence = await Presence.open({ stream, clock, log: (event) => log.push(event) });
  await using other = await Presence.open({ stream, clock });
  await presence.tell({ address: "127.0.0.1", port: 1300 });
  await sees(other, []);
  for (let i = 0; i < 200; i++) {
    presence.note(`somebody${i}`, { username: `somebody${i}`, sessions: 1 });
  }
  while (other.users.size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(other.servers.length, 1);
  assert(other.users.size > 50 && other.users.size < 200);
  assertEquals(log, [
    `the other servers are told of ${other.users.size} of 200 users here: more is no message of NATS (max_payload)`,
  ]);
  for (let i = 1; i < 200; i++) {
    presence.note(`somebody${i}`, { username: `somebody${i}`, sessions: 0 });
  }
  await sees(other, ["somebody0 1"]);
  assertEquals(log.length, 1);
});
