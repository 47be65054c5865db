import { assertEquals } from "@std/assert";
import { Presence } from "../../lib/server/presence.ts";
import { assertNothing, disconnect, received } from "../helpers/deliveries.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeServer } from "../helpers/fake_server.ts";

Deno.test("Presence tells a thousand who come back at once in one record, with some names", () => {
  const clock = new FakeClock();
  const presence = new Presence(clock);
  const lines: string[] = [];
  presence.watch({ notify: (line) => lines.push(line) });
  for (let user = 0; user < 1_000; user++) presence.came(`user${user}`);
  clock.advance(999);
  assertEquals(lines.length, 0);
  clock.advance(1);
  const { joined, left } = JSON.parse(lines[0]!);
  assertEquals([lines.length, joined.count, joined.users.length, left.count], [1, 1_000, 20, 0]);
});

Deno.test("Presence says nothing of who goes and is back within a second, and keeps no timer for nobody", () => {
  const clock = new FakeClock();
  const presence = new Presence(clock);
  const lines: string[] = [];
  const watcher = { notify: (line: string) => lines.push(line) };
  presence.came("joe");
  assertEquals(clock.timers, 0);
  presence.watch(watcher);
  presence.went("ann");
  presence.came("ann");
  presence.went("bob");
  clock.advance(1_000);
  assertEquals(lines.map((line) => JSON.parse(line)), [{
    type: "presence",
    joined: { count: 0, users: [] },
    left: { count: 1, users: ["bob"] },
  }]);
  presence.came("bob");
  presence.unwatch(watcher);
  assertEquals(clock.timers, 0);
});

Deno.test("who asks for an overview is told who is here, and then who comes and goes", async () => {
  await using server = await FakeServer.start();
  const ann = await server.join("ann", 0);
  assertEquals(ann.welcome["overview"], {
    here: { count: 1, users: ["ann"] },
    messages: [],
  });
  const joe = await server.join("joe");
  assertEquals(joe.welcome["overview"], undefined);
  await server.join("joe");
  server.clock.advance(1_000);
  const { type, joined } = await ann.next();
  assertEquals([type, joined], ["presence", { count: 2, users: ["ann", "joe"] }]);
  await disconnect(joe);
  server.clock.advance(1_000);
  await assertNothing(server, ann);
  await assertNothing(server, joe).catch(() => {});
});

Deno.test("an overview has the last messages, and says which are unread", async () => {
  await using server = await FakeServer.start();
  const [ann, joe] = [await server.join("ann"), await server.join("joe")];
  const { message: read } = await joe.ask({ type: "public", id: 10, text: "read" });
  assertEquals(await received(server, ann, 1), ["read"]);
  await disconnect(ann);
  await joe.ask({ type: "public", id: 11, text: "unread" });
  await joe.ask({ type: "direct", id: 12, to: "ann", text: "waits" });
  const back = await server.join("ann", 10);
  const { messages, seen, here } = back.welcome["overview"] as {
    messages: { text: string }[];
    seen: number;
    here: unknown;
  };
  assertEquals(messages.map(({ text }) => text), ["read", "unread"]);
  assertEquals([seen, here], [read, { count: 2, users: ["ann", "joe"] }]);
  // What waits is delivered, not shown twice.
  assertEquals(await received(server, back, 1), ["waits (late)"]);
  const third = await server.join("ann", 1);
  const { messages: last, seen: none } = third.welcome["overview"] as typeof back.welcome;
  assertEquals([(last as unknown[]).length, none], [1, undefined]);
});
