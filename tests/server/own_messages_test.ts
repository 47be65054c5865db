// What one session of an account sends, the others see.
import { assertEquals } from "@std/assert";
import { assertNothing, disconnect, received } from "../helpers/deliveries.ts";
import { FakeServer } from "../helpers/fake_server.ts";

Deno.test("an account's other sessions see what one of them sends, in order with the rest", async () => {
  await using server = await FakeServer.start();
  const [one, two, joe] = [
    await server.join("ann"),
    await server.join("ann"),
    await server.join("joe"),
  ];
  one.send({ type: "public", id: 10, text: "public, one" });
  one.send({ type: "direct", id: 11, to: "joe", text: "direct, one" });
  joe.send({ type: "public", id: 10, text: "public, joe" });
  two.send({ type: "public", id: 10, text: "public, two" });
  one.send({ type: "direct", id: 12, to: "ann", text: "to myself" });
  joe.send({ type: "direct", id: 11, to: "ann", text: "direct, joe" });
  const take = async (client: typeof one, answered: number, count: number) => {
    const texts: string[] = [];
    for (let left = answered; left > 0 || texts.length < count;) {
      const record = await server.nextOf(client);
      if (record["type"] === "sent") left--;
      else texts.push(...(record["messages"] as { text: string }[]).map(({ text }) => text));
    }
    return texts.sort();
  };
  assertEquals(await take(one, 3, 4), ["direct, joe", "public, joe", "public, two", "to myself"]);
  assertEquals(await take(two, 1, 5), [
    "direct, joe",
    "direct, one",
    "public, joe",
    "public, one",
    "to myself",
  ]);
  assertEquals(await take(joe, 2, 3), ["direct, one", "public, one", "public, two"]);
  for (const client of [one, two, joe]) await assertNothing(server, client);
});

Deno.test("who comes back gets what the other sessions sent meanwhile, and not its own", async () => {
  await using server = await FakeServer.start();
  const [one, two] = [await server.join("ann"), await server.join("ann")];
  await server.join("joe");
  await one.ask({ type: "public", id: 10, text: "before" });
  assertEquals(await received(server, two, 1), ["before"]);
  await disconnect(one);
  const { message } = await two.ask({ type: "public", id: 10, text: "one" });
  await two.ask({ type: "direct", id: 11, to: "joe", text: "two" });
  const back = await server.resume(one, 0);
  assertEquals(await received(server, back, 2), ["one", "two"]);
  // The user's own sessions are none of those that it went to.
  const { progress } = await two.ask({ type: "status", id: 12, message });
  assertEquals(progress, { users: 1, udp: 0, tcp: 0 });
  await assertNothing(server, back);
  await assertNothing(server, two);
});

Deno.test("what another session sent is never unread, and does not wait for anybody", async () => {
  await using server = await FakeServer.start();
  const [one, two] = [await server.join("ann"), await server.join("ann")];
  await server.join("joe");
  await one.ask({ type: "direct", id: 10, to: "joe", text: "hello" });
  assertEquals(await received(server, two, 1), ["hello"]);
  // It was not acknowledged, and still is not given to another session.
  await disconnect(two);
  await assertNothing(server, one);
  const three = await server.join("ann");
  await assertNothing(server, three);
});
