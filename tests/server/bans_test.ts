// Who gets in no more: bans of accounts and addresses, and the lock that keeps out who is new.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeServer } from "../helpers/fake_server.ts";
import { ask, crowd, operate, outcome, told } from "../helpers/operators.ts";

Deno.test("who is banned is sent away, and does not get in until that ends", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await crowd(server, "ann", "bob");
  const ban = operate("ban", "bob", { seconds: 10, text: "spam" });
  assertEquals(await outcome(server, ann!, ban), "operated");
  const why = "you are banned until 2026-01-31 09:31 UTC: spam";
  assertEquals(await told(server, bob!), ["banned", why]);
  const { code, message } = (await server.join("bob")).welcome;
  assertEquals([code, message], ["banned", why]);
  assertMatch(server.log.join("\n"), /login refused: banned \(bob\)/);
  // Nobody learns of it who does not know the password.
  const stranger = await server.greet();
  await stranger.ask({ type: "identify", id: 1, username: "bob" });
  const wrong = await stranger.ask({ type: "authenticate", id: 2, password: "x" });
  assertEquals(wrong["code"], "wrong-password");

  server.clock.advance(10_000);
  assertEquals((await server.join("bob")).welcome["type"], "welcome");
  // Who is away can be banned, too.
  const eve = await server.join("eve");
  eve.connection.disconnect();
  assertEquals(await outcome(server, ann!, operate("ban", "eve")), "operated");
  assertEquals((await server.resume(eve)).welcome["code"], "banned");
  assertEquals(await outcome(server, ann!, operate("unban", "eve")), "operated");
  assertEquals((await server.join("eve")).welcome["type"], "welcome");
});

Deno.test("who is banned with the address does not come back under a new name, and others there stay", async () => {
  await using server = await FakeServer.start();
  // Accounts are made by the system's clock: before the ban.
  server.clock.advance(Date.now() + 60_000 - server.clock.date().getTime());
  const [ann, bob, eve] = await crowd(server, "ann", "bob", "eve");
  const ban = { seconds: 600, text: "spam" };
  const address = "127.0.0.1";
  assertEquals(await outcome(server, ann!, operate("ban", "bob")), "operated");
  const answer = await ask(server, ann!, operate("ban-address", undefined, { ...ban, address }));
  assertEquals([answer["type"], answer["address"]], ["operated", address]);
  assertEquals(await told(server, bob!), ["banned", "you are banned until an operator ends that"]);
  const again = await server.greet();
  const refused = await again.ask({ type: "identify", id: 1, username: "bob2" });
  assertEquals(refused["code"], "banned");
  assertMatch(
    `${refused["message"]}`,
    /^no new accounts are taken from your address until .*: spam$/,
  );
  // Others from there are who they were, and other addresses are not concerned.
  assertEquals(await outcome(server, eve!, { type: "public", text: "x" }), "sent");
  assertEquals((await server.join("eve")).welcome["type"], "welcome");
  const elsewhere = await server.greet("192.0.2.7");
  assertEquals(
    (await elsewhere.ask({ type: "identify", id: 1, username: "bob3" }))["exists"],
    false,
  );
  const restrictions = await ask(server, ann!, { type: "restrictions" });
  const kinds = (restrictions["restrictions"] as Record<string, unknown>[])
    .map(({ what, user, address }) => [what, user, address]);
  assertEquals(kinds, [["ban", "bob", undefined], ["address", undefined, address]]);
  const unban = operate("unban-address", undefined, { address });
  assertEquals(await outcome(server, ann!, unban), "operated");
  assertEquals(await outcome(server, ann!, unban), "not-allowed");
  assertEquals((await again.ask({ type: "identify", id: 2, username: "bob2" }))["exists"], false);
  for (
    const address of [undefined, "", "bob", "192.0.2", "192.0.2.7/24", "192.0.2.7/64", "::1/64/64"]
  ) {
    const wrong = operate("ban-address", undefined, { address });
    assertEquals(await outcome(server, ann!, wrong), "bad-address", address);
  }
  const network = operate("ban-address", undefined, { address: "2001:db8:1:2::7" });
  assertEquals((await ask(server, ann!, network))["address"], "2001:db8:1:2::/64");
  const listed = operate("unban-address", undefined, { address: "2001:db8:1:2::/64" });
  assertEquals(await outcome(server, ann!, listed), "operated");
});

Deno.test("when the chat is locked nobody new gets in, whoever has an account goes on, and each is told until when", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await crowd(server, "ann", "bob");
  const hasty = await server.greet();
  await hasty.ask({ type: "identify", id: 1, username: "hasty" });
  assertEquals(await outcome(server, ann!, operate("unlock")), "not-allowed");
  const order = { seconds: 10, text: "exam" };
  assertEquals(await outcome(server, ann!, operate("lock", undefined, order)), "operated");
  const why = "the chat is locked: no new accounts are taken until 2026-01-31 09:31 UTC: exam";
  const stranger = await server.greet();
  const refused = [
    await stranger.ask({ type: "identify", id: 1, username: "eve" }),
    await hasty.ask({ type: "register", id: 2, password: "x" }),
  ];
  for (const { code, message } of refused) {
    assertEquals([code, message], ["registration-refused", why]);
  }
  assertEquals(await outcome(server, bob!, { type: "public", text: "x" }), "sent");
  assertEquals((await server.join("bob")).welcome["type"], "welcome");
  assertEquals((await server.resume(bob!)).welcome["type"], "welcome");
  const { restrictions } = await ask(server, ann!, { type: "restrictions" });
  const at = server.clock.date().getTime();
  assertEquals(restrictions, [{ what: "lock", by: "ann", at, until: at + 10_000, why: "exam" }]);

  server.clock.advance(10_000);
  const later = await server.greet();
  assertEquals((await later.ask({ type: "identify", id: 1, username: "eve" }))["exists"], false);
  assertEquals(await outcome(server, ann!, operate("lock")), "operated");
  assertEquals(await outcome(server, ann!, operate("unlock")), "operated");
  assertEquals((await server.join("eve")).welcome["type"], "welcome");
});

Deno.test("who chose a password while the chat was locked, or the address banned, gets no account", async () => {
  const banned = operate("ban-address", undefined, { address: "127.0.0.1" });
  for (
    const [order, expected] of [
      [operate("lock"), "registration-refused"],
      [banned, "banned"],
    ] as const
  ) {
    await using server = await FakeServer.start();
    const [ann] = await crowd(server, "ann");
    const eve = await server.greet();
    await eve.ask({ type: "identify", id: 1, username: "eve" });
    // The hash is under way when that is stored.
    const { accounts } = server.services;
    const create = accounts.create.bind(accounts);
    accounts.create = async (...of) => {
      assertEquals(await outcome(server, ann!, order), "operated");
      return await create(...of);
    };
    const { code } = await eve.ask({ type: "register", id: 2, password: "x" });
    assertEquals([code, accounts.find("eve")], [expected, undefined]);
  }
});

Deno.test("an account that was made after its address was banned does not get in from there", async () => {
  await using server = await FakeServer.start();
  // Accounts are made by the system's clock: after the ban.
  assert(server.clock.date().getTime() < Date.now());
  const [ann, eve] = await crowd(server, "ann", "eve");
  const ban = operate("ban-address", undefined, { address: "127.0.0.1" });
  assertEquals(await outcome(server, ann!, ban), "operated");
  assertEquals((await server.join("eve")).welcome["code"], "banned");
  assertEquals((await server.resume(eve!)).welcome["code"], "banned");
});
