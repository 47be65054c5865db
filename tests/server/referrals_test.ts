import { assert, assertEquals } from "@std/assert";
import { Referrals } from "../../lib/server/referrals.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeOthers } from "../helpers/fake_others.ts";
import { FakeServer } from "../helpers/fake_server.ts";

const A = { address: "10.0.0.1", port: 1300, certificate: "QQ==" };
const B = { address: "2001:db8::7", port: 1301, certificate: "Qg==" };
const C = { address: "lab", port: 1300, certificate: "Qw==" };

Deno.test("a server names the others in its welcome, each client another one first, and when that changes", async () => {
  await using server = await FakeServer.start();
  const alone = await server.join("zoe");
  assertEquals(alone.welcome["servers"], undefined);
  server.others.servers = [A, B, C];
  const joe = await server.join("joe");
  assertEquals(joe.welcome["servers"], [A, B, C]);
  const ann = await server.join("ann");
  assertEquals(ann.welcome["servers"], [B, C, A]);
  assertEquals((await server.resume(ann))["welcome"]["servers"], [C, A, B]);

  // What changes within a second is told at once.
  server.others.name(A, B);
  server.clock.advance(500);
  server.others.name();
  server.others.name(B);
  server.clock.advance(500);
  assertEquals(await joe.next(), { type: "servers", servers: [B] });
  assertEquals(await alone.next(), { type: "servers", servers: [B] });
  server.others.name();
  server.clock.advance(1_000);
  assertEquals(await joe.next(), { type: "servers", servers: [] });
});

Deno.test("a client that is not logged in is not told where the others are", async () => {
  await using server = await FakeServer.start();
  server.others.servers = [A];
  const stranger = await server.greet();
  server.others.name(A, B);
  server.clock.advance(1_000);
  assertEquals((await stranger.ask({ type: "logout", id: 1 }))["type"], "farewell");
});

Deno.test("Session.stop() says where to go, after everything that was to be delivered", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  assertEquals((await ann.ask({ type: "public", id: 3, text: "before" }))["type"], "sent");
  const stopped = joe.session.stop(false, [B]);
  assertEquals((await joe.next())["type"], "deliver");
  assertEquals(await joe.next(), {
    type: "farewell",
    code: "server-closing",
    message: "another server takes over",
    final: false,
    servers: [B],
  });
  await stopped;
});

Deno.test("Referrals.sendAway() sends a few at a time, to all others alike, within ten seconds", async () => {
  const clock = new FakeClock();
  const others = new FakeOthers();
  others.servers = [A, B];
  const referrals = new Referrals(clock, others);
  const everybody = Array.from({ length: 20_000 }, (_, index) => index);
  const gone: string[] = [];
  const away = referrals.sendAway(everybody, (_, servers) => {
    gone.push(servers![0]!.address);
    return Promise.resolve();
  });
  assertEquals(gone.length, 200);
  let steps = 0;
  for (; gone.length < everybody.length; steps++) {
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await away;
  assert(steps < 100, `${steps}`);
  assertEquals(gone.filter((address) => address === A.address).length, 10_000);
});
