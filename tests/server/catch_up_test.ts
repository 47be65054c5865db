import { assert, assertEquals } from "@std/assert";
import type { Message } from "../../lib/protocol/records.ts";
import {
  assertNothing,
  disconnect,
  received,
  receivedToTheEnd,
  receivedWhile,
} from "../helpers/deliveries.ts";
import { FakeServer } from "../helpers/fake_server.ts";

Deno.test("a client that comes back gets what it missed, in order, and then what is sent", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  const { message: seen } = await joe.ask({ type: "public", id: 10, text: "seen" });
  await received(server, ann, 1);
  await disconnect(ann);
  await joe.ask({ type: "public", id: 11, text: "one" });
  await joe.ask({ type: "direct", id: 12, to: "ann", text: "two" });
  const { message } = await joe.ask({ type: "direct", id: 13, to: "joe", text: "not hers" });
  const back = await server.resume(ann, seen);
  assertEquals([back.welcome["type"], back.welcome["latest"]], ["welcome", message]);
  await server.nextOf(joe);
  await joe.ask({ type: "public", id: 14, text: "three" });
  // Nobody but she acknowledged "seen", and she says that she has it.
  assertEquals(await received(server, back, 3), ["one", "two", "three"]);
  await assertNothing(server, back);
  assert(server.log.some((line) => line.startsWith("ann came back from")));
});

Deno.test("a direct message that was acknowledged elsewhere comes to who comes back all the same", async () => {
  await using server = await FakeServer.start();
  const [joe, here, away] = [
    await server.join("joe"),
    await server.join("ann"),
    await server.join("ann"),
  ];
  await disconnect(away);
  await joe.ask({ type: "direct", id: 10, to: "ann", text: "one" });
  assertEquals(await received(server, here, 1), ["one"]);
  here.send({ type: "ack", delivered: 1 });
  await assertNothing(server, here);
  const back = await server.resume(away);
  assertEquals(await received(server, back, 1), ["one"]);
  await disconnect(back);
  // Nobody has to have it any more.
  await assertNothing(server, here);
  assertEquals(server.services.messages.undelivered("ann", { after: 0, upTo: 9 }).items, []);
});

Deno.test("a direct message that nobody acknowledged goes to the next session, marked", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  const { message } = await joe.ask({ type: "direct", id: 10, to: "ann", text: "one" });
  await received(server, ann, 1);
  await disconnect(ann);
  const other = await server.join("ann");
  assertEquals(await received(server, other, 1), ["one (late)"]);
  // The other session has it now; who comes back gets it if that one ends.
  const back = await server.resume(ann, message);
  await assertNothing(server, back);
  await disconnect(other);
  assertEquals(await received(server, back, 1), ["one (late)"]);
});

Deno.test("a client that comes back gets a thousand messages at its pace, and what is sent meanwhile", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await disconnect(ann);
  const text = "x".repeat(10_000);
  const sent: unknown[] = [];
  const send = async () => {
    sent.push((await joe.ask({ type: "public", id: sent.length + 1, text }))["message"]);
  };
  while (sent.length < 1_000) await send();
  const back = await server.resume(ann);
  for (let number = 0; number < sent.length;) {
    const { type, messages } = await server.nextOf(back);
    for (const { id } of messages as Message[]) {
      assertEquals([type, id], ["deliver", sent[number++]]);
      if (number % 50 === 0) back.send({ type: "ack", delivered: number });
      if (number % 200 === 0) await send();
    }
  }
  await assertNothing(server, back);
});

Deno.test("a client that comes back gets nothing from before its account was made", async () => {
  await using server = await FakeServer.start();
  const joe = await server.join("joe");
  await joe.ask({ type: "public", id: 10, text: "before" });
  const ann = await server.join("ann");
  await joe.ask({ type: "public", id: 11, text: "after" });
  const back = await server.resume(ann, 0);
  assertEquals(await received(server, back, 1), ["after"]);
  await assertNothing(server, back);
});

Deno.test("a session that ends while it catches up is not live, and harms nobody", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await disconnect(ann);
  for (let id = 1; id <= 300; id++) {
    await joe.ask({ type: "public", id, text: "x".repeat(16_000) });
  }
  const back = await server.resume(ann, 0);
  assertEquals((await server.nextOf(back))["type"], "deliver");
  await disconnect(back);
  assertEquals(server.services.hub.users.sessionsOf("ann"), 0);
  const other = await server.join("ann");
  await joe.ask({ type: "direct", id: 900, to: "ann", text: "one" });
  assertEquals(await received(server, other, 1), ["one"]);
  await disconnect(other);
  assertEquals(await received(server, await server.join("ann"), 1), ["one (late)"]);
});

Deno.test("catching up never gives more at once than may wait", async () => {
  await using server = await FakeServer.start();
  server.limitSessions(130_000);
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await disconnect(ann);
  const text = '"'.repeat(16_384);
  for (let id = 1; id <= 40; id++) {
    await joe.ask(id % 2 ? { type: "public", id, text } : { type: "direct", id, to: "ann", text });
  }
  for (const login of ["resume", "join"] as const) {
    const back = login === "join" ? await server.join("ann") : await server.resume(ann, 0);
    const count = login === "join" ? 20 : 40;
    for (let number = 0; number < count;) {
      const { number: first, messages } = await server.nextOf(back);
      assertEquals(first, number);
      number += (messages as Message[]).length;
      back.send({ type: "ack", delivered: number });
    }
    if (login === "join") await assertNothing(server, back);
    await disconnect(back);
    if (login === "resume") {
      // As if it had acknowledged none of the direct ones.
      for (let id = 1; id <= 20; id++) {
        await joe.ask({ type: "direct", id: 100 + id, to: "ann", text });
      }
    }
  }
});

Deno.test("a direct message that is one too many for a session comes to the others once", async () => {
  await using server = await FakeServer.start();
  const [joe, stuck, good] = [
    await server.join("joe"),
    await server.join("ann"),
    await server.join("ann"),
  ];
  const text = "x".repeat(16_000);
  const seen: string[] = [];
  for (let id = 1; !stuck.connection.closed; id++) {
    await joe.ask({ type: "direct", id, to: "ann", text: `${id} ${text}` });
    seen.push(...await received(server, good, 1));
    good.send({ type: "ack", delivered: seen.length });
    // From now on it is stuck, and nobody waits for it.
    if (id === 1) server.clock.advance(1_001);
  }
  await assertNothing(server, good);
  assertEquals(seen.map((one) => parseInt(one)), seen.map((_, index) => index + 1));
  assert(!seen.some((one) => one.endsWith("(late)")));
  assertEquals((await receivedToTheEnd(server, stuck)).at(-1), "too-slow");
});

Deno.test("a direct message whose session ends goes once to one that still catches up", async () => {
  await using server = await FakeServer.start();
  const [joe, away] = [await server.join("joe"), await server.join("ann")];
  await disconnect(away);
  const text = "x".repeat(15_000);
  for (let id = 1; id <= 300; id++) await joe.ask({ type: "public", id, text });
  const live = await server.join("ann");
  const back = await server.resume(away, 0);
  await joe.ask({ type: "direct", id: 900, to: "ann", text: "one" });
  assertEquals(await received(server, live, 1), ["one"]);
  await disconnect(live);
  const texts: string[] = [];
  while (texts.length < 301) {
    const { messages } = await server.nextOf(back);
    texts.push(...(messages as Message[]).map(({ text }) => text));
    back.send({ type: "ack", delivered: texts.length });
  }
  await assertNothing(server, back);
  assertEquals(texts.filter((text) => text.startsWith("one")), ["one"]);
});

Deno.test("what can't be read ends the session, and the client may come back for it", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await disconnect(ann);
  await joe.ask({ type: "public", id: 1, text: "one" });
  const { messages } = server.services;
  const flow = messages.flow;
  messages.flow = () => {
    throw new Error("the disk is gone");
  };
  const failed = await server.resume(ann, 0);
  const { code, final } = await server.nextOf(failed);
  assertEquals([code, final], ["internal", false]);
  messages.flow = flow;
  assertEquals(await received(server, await server.resume(ann, 0), 1), ["one"]);
});

Deno.test("what a stuck session leaves comes to another one as that takes it", async () => {
  await using server = await FakeServer.start();
  server.limitSessions(130_000);
  const [joe, stuck] = [await server.join("joe"), await server.join("ann")];
  const text = "x".repeat(10_000);
  for (let id = 1; id <= 12; id++) {
    await joe.ask({ type: "direct", id, to: "ann", text: `${id} ${text}` });
    // From now on it is stuck, and nobody waits for it.
    if (id === 1) server.clock.advance(1_001);
  }
  const good = await server.join("ann");
  await joe.ask({ type: "direct", id: 13, to: "ann", text: `13 ${text}` });
  assertEquals((await receivedToTheEnd(server, stuck)).at(-1), "too-slow");
  const seen: number[] = [];
  while (seen.length < 13) {
    const { messages } = await server.nextOf(good);
    seen.push(...(messages as Message[]).map(({ text }) => parseInt(text)));
    good.send({ type: "ack", delivered: seen.length });
  }
  assertEquals(seen.toSorted((a, b) => a - b), Array.from({ length: 13 }, (_, i) => i + 1));
  await assertNothing(server, good);
});

Deno.test("logout gives what was missed before the farewell", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  for (let id = 1; id <= 600; id++) await ann.ask({ type: "public", id, text: "hers" });
  await disconnect(ann);
  await joe.ask({ type: "public", id: 1, text: "his" });
  const back = await server.resume(ann);
  back.send({ type: "logout", id: 700 });
  const all = await receivedWhile(server, back);
  assertEquals(all, ["his", "logged-out"]);
});

Deno.test("a session that ends while it is given what waited leaves nothing behind", async () => {
  await using server = await FakeServer.start({ backlogBytes: 12_000 });
  const [joe, away] = [await server.join("joe"), await server.join("ann")];
  await disconnect(away);
  const text = "x".repeat(8_000);
  for (let id = 1; id <= 2; id++) await joe.ask({ type: "direct", id, to: "ann", text });
  await joe.ask({ type: "public", id: 3, text });
  // More waits for her than may wait for all, so she ends before the public message's turn.
  const back = await server.resume(away, 2);
  assertEquals(await receivedToTheEnd(server, back), ["too-slow"]);
  // What is left counted nowhere: another one gets what fits.
  const bob = await server.join("bob");
  await joe.ask({ type: "public", id: 4, text });
  assertEquals(await received(server, bob, 1), [text]);
  await assertNothing(server, bob);
});

Deno.test("what can't be read of what a session leaves harms nobody", async () => {
  await using server = await FakeServer.start();
  const [joe, one, other] = [
    await server.join("joe"),
    await server.join("ann"),
    await server.join("ann"),
  ];
  await disconnect(one, other);
  await joe.ask({ type: "direct", id: 1, to: "ann", text: "hi" });
  const [holder, heir] = [await server.join("ann"), await server.join("ann")];
  assertEquals(await received(server, holder, 1), ["hi (late)"]);
  const { messages } = server.services;
  const undelivered = messages.undelivered;
  messages.undelivered = () => {
    throw new Error("the disk is gone");
  };
  await disconnect(holder);
  assertEquals((await receivedToTheEnd(server, heir)).at(-1), "internal");
  messages.undelivered = undelivered;
  assertEquals(await received(server, await server.join("ann"), 1), ["hi (late)"]);
});

Deno.test("what was said in a room waits still where a session ended that was given too much of it", async () => {
  await using server = await FakeServer.start();
  const [joe, stuck] = [await server.join("joe"), await server.join("ann")];
  for (const client of [joe, stuck]) await client.ask({ type: "join", id: 10, room: "lab" });
  const texts = ["1", "2", "3"].map((text) => text + "x".repeat(4_000));
  for (const [index, text] of texts.entries()) {
    await joe.ask({ type: "say", id: 11 + index, room: "lab", text });
  }
  server.limitSessions(10_000);
  server.log.length = 0;
  assertEquals(await receivedToTheEnd(server, await server.join("ann")), ["too-slow"]);
  assertEquals(server.log.map((line) => line.replace(/ from.*/, "")), [
    "ann joined",
    "ann left: too much waited to be delivered",
  ]);
  server.limitSessions();
  // Nobody has acknowledged anything.
  await disconnect(stuck);
  const back = await server.join("ann");
  assertEquals(await received(server, back, 3), texts.map((text) => `${text} (late)`));
});
