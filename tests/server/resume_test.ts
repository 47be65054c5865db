import { assert, assertEquals } from "@std/assert";
import { type FakeClient, FakeServer } from "../helpers/fake_server.ts";

/** The next `count` messages, each with its text and whether it is late. */
async function received(server: FakeServer, client: FakeClient, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { type, message } = await server.nextOf(client);
    assertEquals(type, "deliver");
    const { text, late } = message as { text: string; late?: boolean };
    texts.push(late ? `${text} (late)` : text);
  }
  return texts;
}

/** Every message until the end of the session, with its text and whether it is late; then the code. */
async function receivedToTheEnd(server: FakeServer, client: FakeClient): Promise<string[]> {
  const received: string[] = [];
  for (;;) {
    const { type, message, code } = await server.nextOf(client);
    if (type === "farewell") return [...received, `${code}`];
    const { text, late } = message as { text: string; late?: boolean };
    received.push(late ? `${text} (late)` : text);
  }
}

/** Nothing has come but the answer to this. */
async function assertNothing(server: FakeServer, client: FakeClient): Promise<void> {
  client.send({ type: "ping" });
  assertEquals(await server.nextOf(client), { type: "pong" });
}

function disconnect(...clients: FakeClient[]): Promise<void> {
  for (const { connection } of clients) connection.disconnect();
  // The server sees the end a few turns later.
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("a client that comes back gets what it missed, in order, and then what is sent", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await joe.ask({ type: "public", id: 10, text: "seen" });
  await received(server, ann, 1);
  await disconnect(ann);
  await joe.ask({ type: "public", id: 11, text: "one" });
  await joe.ask({ type: "direct", id: 12, to: "ann", text: "two" });
  await joe.ask({ type: "direct", id: 13, to: "joe", text: "not hers" });
  const back = await server.resume(ann, 1);
  assertEquals([back.welcome["type"], back.welcome["latest"]], ["welcome", 4]);
  await server.nextOf(joe);
  await joe.ask({ type: "public", id: 14, text: "three" });
  // Nobody but she acknowledged "seen", and she says that she has it.
  assertEquals(await received(server, back, 3), ["one", "two", "three"]);
  await assertNothing(server, back);
  assert(server.log.some((line) => line.startsWith("ann came back from")));
});

Deno.test("a client that comes back takes the place of its session that seems to be there", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  const back = await server.resume(ann);
  assertEquals((await ann.next())["code"], "resumed");
  assertEquals(server.services.hub.sessionsOf("ann"), 1);
  await joe.ask({ type: "public", id: 10, text: "one" });
  assertEquals(await received(server, back, 1), ["one"]);
  const again = await server.resume(back, 1);
  await assertNothing(server, again);
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
  assertEquals(server.services.messages.undelivered("ann", { after: 0, upTo: 9, limit: 9 }), []);
});

Deno.test("a direct message that nobody acknowledged goes to the next session, marked", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await joe.ask({ type: "direct", id: 10, to: "ann", text: "one" });
  await received(server, ann, 1);
  await disconnect(ann);
  const other = await server.join("ann");
  assertEquals(await received(server, other, 1), ["one (late)"]);
  // The other session has it now; who comes back gets it if that one ends.
  const back = await server.resume(ann, 1);
  await assertNothing(server, back);
  await disconnect(other);
  assertEquals(await received(server, back, 1), ["one (late)"]);
});

Deno.test("a client that comes back gets a thousand messages at its pace, and what is sent meanwhile", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await disconnect(ann);
  const text = "x".repeat(10_000);
  for (let id = 1; id <= 1_000; id++) await joe.ask({ type: "public", id, text });
  const back = await server.resume(ann);
  let newest = 1_000;
  for (let number = 0; number < newest; number++) {
    const { type, message } = await server.nextOf(back);
    assertEquals([type, (message as { id: number }).id], ["deliver", number + 1]);
    if (number % 50 === 0) back.send({ type: "ack", delivered: number + 1 });
    if (number % 200 === 0) await joe.ask({ type: "public", id: ++newest, text });
  }
  await assertNothing(server, back);
});

Deno.test("a token that is forged, somebody else's, too old or used up brings nobody back", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  const token = ann.welcome["token"] as string;
  const forged = token.startsWith("0") ? `1${token.slice(1)}` : `0${token.slice(1)}`;
  const attempts: [username: string, token: unknown][] = [
    ["ann", forged],
    ["ann", joe.welcome["token"]],
    ["nobody", token],
  ];
  const refused = async (username: string, token: unknown) => {
    const client = await server.greet();
    const answer = await client.ask({ type: "resume", id: 7, username, token, last: 0 });
    assertEquals([answer["type"], answer["id"], answer["code"]], ["error", 7, "bad-token"]);
    // Nothing has changed: the client may log in with the password.
    const { exists } = await client.ask({ type: "identify", id: 8, username: "ann" });
    assertEquals(exists, true);
    client.connection.disconnect();
  };
  for (const [username, token] of attempts) await refused(username, token);
  assertEquals(server.services.hub.sessionsOf("ann"), 1);
  assert(server.log.some((line) => line.includes("resume refused: no such token")));
  assert(!server.log.some((line) => line.includes(token)));

  await ann.ask({ type: "logout", id: 9 });
  await refused("ann", token);

  const changed = await server.join("ann");
  await disconnect(changed);
  await server.services.accounts.setPassword("ann", "another");
  await refused("ann", changed.welcome["token"]);

  await disconnect(joe);
  server.clock.advance(24 * 3_600_000);
  await refused("joe", joe.welcome["token"]);
});

Deno.test("a client that claims to have a message that is not there yet does not come back", async () => {
  await using server = await FakeServer.start();
  const ann = await server.join("ann");
  const back = await server.resume(ann, 1);
  assertEquals(back.welcome, {
    type: "error",
    id: 1,
    code: "no-such-message",
    message: "there is no message 1 yet: the newest is 0",
  });
  assertEquals((await server.resume(ann, 0)).welcome["type"], "welcome");
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

Deno.test("a request that comes again after the client came back is recognised", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  const sent = await joe.ask({ type: "public", id: 10, text: "once" });
  const back = await server.resume(joe);
  assertEquals(await back.ask({ type: "public", id: 10, text: "once" }), sent);
  const other = await back.ask({ type: "direct", id: 10, to: "ann", text: "once" });
  assertEquals([other["code"], other["id"]], ["duplicate-id", 10]);
  assertEquals(await received(server, ann, 1), ["once"]);
  await assertNothing(server, ann);
});

Deno.test("status says how far a message got, to its sender alone", async () => {
  await using server = await FakeServer.start();
  const [joe, ann, bob] = [
    await server.join("joe"),
    await server.join("ann"),
    await server.join("bob"),
  ];
  const second = await server.join("bob");
  await joe.ask({ type: "public", id: 10, text: "to all" });
  const status = async (message = 1) => {
    const answer = await joe.ask({ type: "status", id: 11, message });
    return answer["progress"] as Record<string, number>;
  };
  assertEquals(await status(), { users: 2, udp: 0, tcp: 0 });
  for (const client of [ann, bob, second]) await received(server, client, 1);
  for (const client of [bob, second]) {
    client.send({ type: "ack", delivered: 1 });
    await assertNothing(server, client);
  }
  assertEquals(await status(), { users: 2, udp: 0, tcp: 1 });
  // Who has gone without a word gets it when coming back.
  await disconnect(ann);
  assertEquals(await status(), { users: 1, udp: 0, tcp: 1 });
  const back = await server.resume(ann, 0);
  await received(server, back, 1);
  back.send({ type: "ack", delivered: 1 });
  await assertNothing(server, back);
  assertEquals(await status(), { users: 2, udp: 0, tcp: 2 });

  await joe.ask({ type: "direct", id: 12, to: "ann", text: "one" });
  assertEquals(await status(2), { users: 1, udp: 0, tcp: 0 });
  for (const [client, message] of [[joe, 99], [bob, 1]] as const) {
    const answer = await client.ask({ type: "status", id: 13, message });
    assertEquals([answer["code"], answer["id"]], ["no-such-message", 13]);
  }
});

Deno.test("a session that ends while it catches up is not live, and harms nobody", async () => {
  await using server = await FakeServer.start();
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await disconnect(ann);
  for (let id = 1; id <= 300; id++) {
    await joe.ask({ type: "public", id, text: "x".repeat(16_000) });
  }
  const back = await server.resume(ann, 0);
  await received(server, back, 1);
  await disconnect(back);
  assertEquals(server.services.hub.sessionsOf("ann"), 0);
  const other = await server.join("ann");
  await joe.ask({ type: "direct", id: 900, to: "ann", text: "one" });
  assertEquals(await received(server, other, 1), ["one"]);
  await disconnect(other);
  assertEquals(await received(server, await server.join("ann"), 1), ["one (late)"]);
});

Deno.test("catching up never gives more at once than may wait", async () => {
  await using server = await FakeServer.start();
  server.services.limits = { ...server.services.limits, sessionBytes: 131_072 };
  const [joe, ann] = [await server.join("joe"), await server.join("ann")];
  await disconnect(ann);
  const text = '"'.repeat(16_384);
  for (let id = 1; id <= 40; id++) {
    await joe.ask(id % 2 ? { type: "public", id, text } : { type: "direct", id, to: "ann", text });
  }
  for (const login of ["resume", "join"] as const) {
    const back = login === "join" ? await server.join("ann") : await server.resume(ann, 0);
    const count = login === "join" ? 20 : 40;
    for (let number = 0; number < count; number++) {
      assertEquals((await server.nextOf(back))["number"], number);
      // It takes all, and has acknowledged no direct message in the end.
      if (login === "resume") {
        back.send({ type: "ack", delivered: number % 2 === 0 ? number + 1 : 0 });
      }
      if (login === "join") back.send({ type: "ack", delivered: number + 1 });
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
  for (let number = 0; number < 301; number++) {
    texts.push(...await received(server, back, 1));
    if (number % 20 === 0) back.send({ type: "ack", delivered: number + 1 });
  }
  await assertNothing(server, back);
  assertEquals(texts.filter((text) => text.startsWith("one")), ["one"]);
});

Deno.test("coming back does not make an account's commands any faster", async () => {
  await using server = await FakeServer.start({ burst: 30, perSecond: 1 });
  const ann = await server.join("ann");
  for (let id = 1; id <= 5; id++) await ann.ask({ type: "users", id });
  await disconnect(ann);
  await disconnect(await server.resume(ann));
  // 5 + 10 are gone, and coming back takes 10 again.
  const back = await server.resume(ann);
  for (let id = 10; id < 15; id++) assertEquals((await back.ask({ type: "users", id }))["id"], id);
  back.send({ type: "users", id: 15 });
  await assertSlow(server, back);
});

/** The answer comes only when a second has passed. */
async function assertSlow(server: FakeServer, client: FakeClient): Promise<void> {
  const answer = client.next();
  let there = false;
  answer.then(() => there = true);
  for (let turn = 0; turn < 5; turn++) await disconnect();
  assertEquals(there, false);
  server.clock.advance(1_000);
  assertEquals((await answer)["type"], "users");
}

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

Deno.test("a new account of an old name may not ask how far the old one's messages got", async () => {
  await using server = await FakeServer.start();
  const joe = await server.join("joe");
  await joe.ask({ type: "public", id: 1, text: "one" });
  await server.services.accounts.remove("joe");
  await disconnect(joe);
  const heir = await server.join("joe");
  assertEquals((await heir.ask({ type: "status", id: 5, message: 1 }))["code"], "no-such-message");
});

Deno.test("coming back waits for no other session of the account, whatever that one asks for", async () => {
  await using server = await FakeServer.start({ burst: 10, perSecond: 10 });
  const [flood, phone] = [await server.join("ann"), await server.join("ann")];
  for (let id = 1; id <= 100; id++) flood.send({ type: "users", id });
  await disconnect(phone);
  let back = false;
  server.resume(phone).then(() => back = true);
  const pass = async () => {
    server.clock.advance(100);
    await disconnect();
  };
  let ms = 0;
  for (; !back && ms < 5_000; ms += 100) await pass();
  // Until all have been served.
  for (let tenths = 0; tenths < 120; tenths++) await pass();
  assert(ms <= 2_000, `${ms} ms`);
});

Deno.test("what a stuck session leaves comes to another one as that takes it", async () => {
  await using server = await FakeServer.start();
  server.services.limits = { ...server.services.limits, sessionBytes: 131_072 };
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
    seen.push(parseInt((await received(server, good, 1))[0]!));
    good.send({ type: "ack", delivered: seen.length });
  }
  assertEquals(seen.toSorted((a, b) => a - b), Array.from({ length: 13 }, (_, i) => i + 1));
  await assertNothing(server, good);
});

Deno.test("a new account of a removed user's name gets nothing of the old one's, however it begins", async () => {
  await using server = await FakeServer.start();
  const [joe, bob] = [await server.join("joe"), await server.join("bob")];
  await disconnect(bob);
  await joe.ask({ type: "direct", id: 1, to: "bob", text: "secret" });
  await server.services.accounts.remove("bob");
  // The registration ends as soon as there is the account.
  const { accounts } = server.services;
  const create = accounts.create;
  const client = await server.greet();
  accounts.create = async (...args) => {
    const created = await create.apply(accounts, args);
    client.session.end("server-closing", "the end");
    return created;
  };
  await client.ask({ type: "identify", id: 1, username: "bob" });
  await client.ask({ type: "register", id: 2, password: "bob" });
  accounts.create = create;
  const heir = await server.join("bob");
  assertEquals(heir.welcome["type"], "welcome");
  await assertNothing(server, heir);
  assertEquals((await heir.ask({ type: "history", id: 3, count: 9 }))["messages"], []);
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

/** What comes to the end, acknowledged as it comes. */
async function receivedWhile(server: FakeServer, client: FakeClient): Promise<string[]> {
  const received: string[] = [];
  for (;;) {
    const { type, message, code } = await server.nextOf(client);
    if (type === "farewell") return [...received, `${code}`];
    received.push((message as { text: string }).text);
    client.send({ type: "ack", delivered: received.length });
  }
}
