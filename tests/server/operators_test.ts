// What operators of the server may do, what others may not, and what those are told to whom it is done.
import { assert, assertEquals } from "@std/assert";
import { OPERATION_NAMES, OPERATIONS } from "../../lib/protocol/roles.ts";
import { answerControl, CONTROL_LISTS } from "../../lib/server/control.ts";
import { FakeServer } from "../helpers/fake_server.ts";
import { appoint, ask, crowd, next, operate, outcome, told } from "../helpers/operators.ts";

Deno.test("each command of operators is refused to users, and done for operators", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await crowd(server, "Ann", "bob", "eve");
  const requests: [Record<string, unknown>, string][] = [
    // Who may delete a message, its room knows.
    ...OPERATION_NAMES.filter((what) => what !== "delete").map((what) =>
      [
        operate(what, OPERATIONS[what].takes === "user" ? "eve" : undefined, {
          text: "why",
          address: "192.0.2.7",
        }),
        "operated",
      ] as [Record<string, unknown>, string]
    ),
    [{ type: "operations", count: 100 }, "operations"],
    [{ type: "restrictions" }, "restrictions"],
    [{ type: "whois", user: "eve" }, "whois"],
  ];
  const log = () => ask(server, ann!, { type: "operations", count: 100 });
  const before = await log();
  for (const [request] of requests) {
    const { code, message } = await ask(server, bob!, request);
    assertEquals([code, message], [
      "not-allowed",
      "this takes an operator of the server, and you are a user",
    ]);
  }
  assertEquals((await log())["operations"], before["operations"]);
  for (const [request, answer] of requests) {
    assertEquals(await outcome(server, ann!, request), answer, JSON.stringify(request));
  }
  await appoint(server, "bob");
  for (const [request] of requests) {
    assertEquals(await outcome(server, ann!, request), "not-allowed");
  }
  assertEquals(await outcome(server, bob!, operate("mute", "ann")), "operated");
});

Deno.test("who is kicked is told why, is gone for good, and may log in again", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await crowd(server, "ann", "bob");
  const twin = await server.join("bob");
  assertEquals(await outcome(server, ann!, operate("kick", "BOB", { text: "spam" })), "operated");
  for (const client of [bob!, twin]) {
    const { type, code, message, final } = await server.nextOf(client);
    assertEquals([type, code, final], ["farewell", "kicked", true]);
    assertEquals(message, "you were sent away by an operator: spam");
  }
  assertEquals((await server.resume(bob!)).welcome["code"], "bad-token");
  const { code, message } = await ask(server, ann!, operate("kick", "bob"));
  assertEquals([code, message], ["not-here", "bob is not here"]);
  assertEquals((await server.join("bob")).welcome["type"], "welcome");
});

Deno.test("who is muted is told until when and why, and may write to operators only", async () => {
  await using server = await FakeServer.start();
  const [ann, bob, eve] = await crowd(server, "ann", "bob", "eve");
  await ask(server, bob!, { type: "join", room: "lab" });
  const mute = operate("mute", "bob", { seconds: 10, text: "spam" });
  const until = server.clock.date().getTime() + 10_000;
  assertEquals((await ask(server, ann!, mute))["until"], until);
  const why = "you are muted until 2026-01-31 09:31 UTC: spam";
  assertEquals(await told(server, bob!), ["notice", why]);
  const requests: Record<string, unknown>[] = [
    { type: "public", text: "x" },
    { type: "say", room: "lab", text: "x" },
    { type: "direct", to: "eve", text: "x" },
    { type: "act", room: "lab", what: "topic", text: "x" },
    { type: "act", room: "lab", what: "invite", user: "eve" },
    { type: "join", room: "x" },
  ];
  for (const request of requests) {
    const { code, message } = await ask(server, bob!, request);
    assertEquals([code, message], ["muted", why], `${request["type"]}`);
  }
  assertEquals(await outcome(server, bob!, { type: "direct", to: "ann", text: "why?" }), "sent");
  assertEquals(await outcome(server, bob!, { type: "join", room: "lab" }), "joined");
  assertEquals(await outcome(server, eve!, { type: "public", text: "x" }), "sent");

  server.clock.advance(10_000);
  const done = ["sent", "sent", "sent", "acted", "acted", "joined"];
  for (const [i, request] of requests.entries()) {
    assertEquals(await outcome(server, bob!, request), done[i]);
  }
  assertEquals(await outcome(server, ann!, operate("unmute", "bob")), "not-allowed");
  await ask(server, ann!, operate("mute", "bob"));
  const { message } = await ask(server, bob!, requests[0]!);
  assertEquals(message, "you are muted until an operator ends that");
  assertEquals(await outcome(server, ann!, operate("unmute", "bob")), "operated");
  assertEquals(await outcome(server, bob!, requests[0]!), "sent");
});

Deno.test("a message that was stored before its sender was muted is not refused when it comes again", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await crowd(server, "ann", "bob");
  const first = await bob!.ask({ type: "public", id: 50, text: "x" });
  assertEquals(await outcome(server, ann!, operate("mute", "bob")), "operated");
  const again = await server.resume(bob!);
  again.send({ type: "public", id: 50, text: "x" });
  assertEquals((await next(server, again, "sent"))["message"], first["message"]);
});

Deno.test("when the chat is quiet only operators write, and each is told until when", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await crowd(server, "ann", "bob");
  assertEquals(await outcome(server, ann!, operate("unquiet")), "not-allowed");
  await ask(server, ann!, operate("quiet", undefined, { seconds: 60, text: "exam" }));
  const why = "the chat is quiet for everybody but operators until 2026-01-31 09:31 UTC: exam";
  assertEquals(await told(server, bob!), ["notice", why]);
  const { code, message } = await ask(server, bob!, { type: "public", text: "x" });
  assertEquals([code, message], ["muted", why]);
  assertEquals(await outcome(server, ann!, { type: "public", text: "x" }), "sent");
  assertEquals(await outcome(server, ann!, operate("unquiet")), "operated");
  assertEquals(await outcome(server, bob!, { type: "public", text: "x" }), "sent");
});

Deno.test("an announcement is a message that says so, and no user's text can be one", async () => {
  await using server = await FakeServer.start();
  const [ann, bob] = await crowd(server, "ann", "bob");
  await ask(server, ann!, operate("announce", undefined, { text: "exam at ten" }));
  const { messages } = await next(server, bob!, "deliver");
  const [{ from, text, announcement }] = messages as [Record<string, unknown>];
  assertEquals([from, text, announcement], ["ann", "exam at ten", true]);
  await ask(server, bob!, { type: "public", text: "pause", announcement: true });
  const history = await ask(server, bob!, { type: "history", count: 10 });
  const kinds = (history["messages"] as Record<string, unknown>[])
    .map(({ text, announcement }) => [text, announcement]);
  assertEquals(kinds, [["exam at ten", true], ["pause", undefined]]);
  assertEquals(
    await outcome(server, ann!, operate("announce", undefined, { text: " " })),
    "bad-text",
  );
});

Deno.test("a message is deleted for all: who is here is told, and who comes gets a mark in its place", async () => {
  await using server = await FakeServer.start();
  const [ann, bob, eve] = await crowd(server, "ann", "bob", "eve");
  await ask(server, bob!, { type: "join", room: "lab" });
  await ask(server, eve!, { type: "join", room: "lab" });
  const inRoom = (await ask(server, eve!, { type: "say", room: "lab", text: "x" }))["message"];
  const message = (await ask(server, bob!, { type: "public", text: "x" }))["message"];
  const sent = server.clock.date().getTime();
  const order = operate("delete", undefined, { message, text: "spam" });
  const refused = await ask(server, bob!, order);
  assertEquals([refused["code"], refused["message"]], [
    "not-allowed",
    "this takes an operator of the server, or a moderator of the room where the message was said",
  ]);
  const { type, user } = await ask(server, ann!, order);
  assertEquals([type, user], ["operated", "bob"]);
  const deleted = { type: "deleted", message, from: "bob", sent, by: "ann", why: "spam" };
  for (const client of [ann!, bob!, eve!]) {
    if (client !== ann) assertEquals(await next(server, client, "deleted"), deleted);
  }
  // In a room its owner may; who is not in it is told nothing.
  const byOwner = operate("delete", undefined, { message: inRoom });
  assertEquals(await outcome(server, bob!, byOwner), "operated");
  const { room, by } = await next(server, eve!, "deleted");
  assertEquals([room, by], ["lab", "bob"]);
  assertEquals(await outcome(server, ann!, order), "not-allowed");
  assertEquals(await outcome(server, ann!, operate("delete")), "no-such-message");

  const { messages } = await ask(server, eve!, { type: "history", count: 9 });
  assertEquals(messages, [{ id: message, from: "bob", sent, text: "", deleted: "ann" }]);
  const { operations } = await ask(server, ann!, { type: "operations", count: 9 });
  const listed = (operations as Record<string, unknown>[])
    .map(({ what, by, user, message, why }) => [what, by, user, message, why]);
  // What users do in their rooms, as often as they like, does not push out what operators did.
  assertEquals(listed, [
    ["operator", undefined, "ann", undefined, undefined],
    ["delete", "ann", "bob", message, "spam"],
  ]);
});

Deno.test("no command shows an operator a direct message of others, or a room that the operator is not in", async () => {
  await using server = await FakeServer.start();
  const [ann, bob, eve] = await crowd(server, "ann", "bob", "eve");
  await ask(server, bob!, { type: "join", room: "lab" });
  const sent = [
    await ask(server, bob!, { type: "direct", to: "eve", text: "SECRET" }),
    await ask(server, bob!, { type: "say", room: "lab", text: "SECRET" }),
  ];
  const [id] = sent.map(({ message }) => message);
  const answers = [];
  for (const user of ["bob", "eve"]) {
    answers.push(await ask(server, ann!, { type: "history", count: 100, with: user }));
    answers.push(await ask(server, ann!, { type: "whois", user }));
    answers.push(await answerControl(server.services, `{"command":"whois","user":"${user}"}`));
  }
  for (
    const request of [
      { type: "history", count: 100 },
      { type: "history", count: 100, room: "lab" },
      { type: "search", text: "secret", count: 100 },
      { type: "status", message: id },
      { type: "operations", count: 100 },
      { type: "restrictions" },
      operate("delete", undefined, { message: id }),
    ]
  ) answers.push(await ask(server, ann!, request));
  for (const command of CONTROL_LISTS) {
    answers.push(await answerControl(server.services, JSON.stringify({ command, message: id })));
  }
  answers.push(await answerControl(server.services, `{"command":"delete","message":${id}}`));
  assert(!JSON.stringify(answers).includes("SECRET"));
  assertEquals(answers.at(-1), { error: `there is no message ${id} to everybody or in a room` });
  // They are there, for those who may read them.
  const own = await ask(server, eve!, { type: "history", count: 100, with: "bob" });
  assert(JSON.stringify(own).includes("SECRET"));
});

Deno.test("nobody acts on themselves, on an operator, or on who is not there, and nothing is half done", async () => {
  await using server = await FakeServer.start();
  const [ann] = await crowd(server, "Ann", "bob", "zoe");
  await appoint(server, "ann", "zoe");
  const list = async () => await ask(server, ann!, { type: "operations", count: 100 });
  const before = (await list())["operations"];
  for (const what of OPERATION_NAMES.filter((what) => OPERATIONS[what].takes === "user")) {
    assertEquals(await outcome(server, ann!, operate(what, "ANN")), "not-allowed", what);
    assertEquals(await outcome(server, ann!, operate(what, "zoe")), "not-allowed", what);
    assertEquals(await outcome(server, ann!, operate(what, "nobody")), "no-such-user", what);
    assertEquals(await outcome(server, ann!, operate(what)), "no-such-user", what);
  }
  const bad: [Record<string, unknown>, string][] = [
    [{ text: "two\nlines" }, "bad-text"],
    [{ text: "x".repeat(201) }, "bad-text"],
    [{ seconds: 3_650 * 86_400 + 1 }, "bad-duration"],
  ];
  for (const [more, code] of bad) {
    assertEquals(await outcome(server, ann!, operate("mute", "bob", more)), code);
  }
  assertEquals((await list())["operations"], before);
  assertEquals((await ask(server, ann!, { type: "restrictions" }))["restrictions"], []);
});

Deno.test("what operators did, what holds, and who somebody is can be looked up by operators", async () => {
  await using server = await FakeServer.start();
  const [ann] = await crowd(server, "ann", "bob");
  const at = server.clock.date().getTime();
  await ask(server, ann!, operate("mute", "bob", { seconds: 60, text: "spam" }));
  await ask(server, ann!, operate("announce", undefined, { text: "hello" }));
  await server.join("bob");
  const mute = { what: "mute", user: "bob", by: "ann", at, until: at + 60_000, why: "spam" };
  const { restrictions } = await ask(server, ann!, { type: "restrictions" });
  assertEquals(restrictions, [mute]);
  const { operations } = await ask(server, ann!, { type: "operations", count: 100 });
  assertEquals(
    (operations as { id?: number }[]).map(({ id, ...rest }) => (assert(id! > 0), rest)),
    [
      { what: "operator", user: "ann", at },
      mute,
      { what: "announce", by: "ann", at, why: "hello" },
    ],
  );
  const { id: _, created, ...found } = await ask(server, ann!, { type: "whois", user: "BOB" });
  assert((created as number) > 0);
  const session = { address: "127.0.0.1", since: at };
  const rest = { sessions: [session, session], elsewhere: 0, restrictions: [mute] };
  assertEquals(found, { type: "whois", user: "bob", role: "user", ...rest });
});
