import { assert, assertEquals, assertThrows } from "@std/assert";
import { ExitError } from "../../lib/exit.ts";
import type { HistoryRule } from "../../lib/messages/mailboxes.ts";
import { parseHistoryRule } from "../../lib/server/usage.ts";
import { assertNothing, disconnect, received } from "../helpers/deliveries.ts";
import { type FakeClient, FakeServer } from "../helpers/fake_server.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { direct, pub, TestStore, texts } from "../helpers/test_store.ts";

type Texts = { text: string }[];

/** The texts of the answer to a request; otherwise its error code. */
async function read(client: FakeClient, request: Record<string, unknown>): Promise<unknown> {
  const { messages, code } = await client.ask({ id: 500, count: 9, ...request });
  return (messages as Texts | undefined)?.map(({ text }) => text) ?? code;
}

function overviewOf({ welcome }: FakeClient): { texts: string[]; seen: unknown } {
  const { messages, seen } = welcome["overview"] as { messages: Texts; seen: unknown };
  return { texts: messages.map(({ text }) => text), seen };
}

const readable = {
  joined: { before: [], byJoe: [], since: "its own" },
  all: { before: ["to all", "by the first ann"], byJoe: ["to all"], since: 0 },
};

for (const history of ["joined", "all"] as const) {
  const { before, byJoe, since } = readable[history];

  Deno.test(`with ${history}, an account has nothing of an earlier one of its name but what all may read`, async () => {
    await using server = await FakeServer.start({ history });
    const { accounts } = server.services;
    const [joe, first] = [await server.join("joe"), await server.join("ann")];
    await joe.ask({ type: "direct", id: 10, to: "ann", text: "all to the first ann" });
    await received(server, first, 1);
    await joe.ask({ type: "public", id: 11, text: "to all" });
    await received(server, first, 1);
    await first.ask({ type: "direct", id: 10, to: "joe", text: "all to joe" });
    const { message } = await first.ask({ type: "public", id: 11, text: "by the first ann" });
    await disconnect(first);
    await joe.ask({ type: "direct", id: 12, to: "ann", text: "all, and it waits" });
    await accounts.remove(["ann"]);
    await accounts.create("ann", "ann");

    const ann = await server.join("ann", 9);
    await assertNothing(server, ann);
    assertEquals(overviewOf(ann), { texts: before, seen: undefined });
    assertEquals(await read(ann, { type: "history" }), before);
    assertEquals(await read(ann, { type: "history", with: "joe" }), byJoe);
    assertEquals(await read(ann, { type: "history", with: "ann" }), before.slice(1));
    assertEquals(await read(ann, { type: "search", text: "all" }), byJoe);
    assertEquals((await ann.ask({ type: "status", id: 12, message }))["code"], "no-such-message");
    const answer = await ann.ask({ type: "history", id: 13, count: 1 });
    assertEquals(answer["since"], since === 0 ? 0 : accounts.created("ann")?.getTime());
  });

  Deno.test(`with ${history}, what is delivered and what is unread begins with the account`, async () => {
    await using server = await FakeServer.start({ history });
    const joe = await server.join("joe");
    const { message: old } = await joe.ask({ type: "public", id: 10, text: "old" });
    const ann = await server.join("ann");
    await assertNothing(server, ann);
    const { message: first } = await joe.ask({ type: "public", id: 11, text: "first" });
    assertEquals(await received(server, ann, 1), ["first"]);
    // Also one that claims to have seen nothing gets nothing from before.
    const resumed = await server.resume(ann, 0, 9);
    assertEquals(overviewOf(resumed).texts, []);
    assertEquals(await received(server, resumed, 1), ["first"]);
    await assertNothing(server, resumed);
    await disconnect(resumed);
    const { message: unread } = await joe.ask({ type: "public", id: 12, text: "unread" });
    await joe.ask({ type: "direct", id: 13, to: "ann", text: "waits" });
    const back = await server.join("ann", 9);
    const past = history === "all" ? ["old", "first", "unread"] : ["first", "unread"];
    const { texts, seen } = overviewOf(back);
    assertEquals(texts, past);
    assert(Number(first) <= Number(seen) && Number(seen) < Number(unread));
    assertEquals(await received(server, back, 1), ["waits (late)"]);
    assertEquals(
      (await back.ask({ type: "status", id: 14, message: old }))["code"],
      "no-such-message",
    );
  });
}

Deno.test("the rule for the history is the server's choice at each start", async () => {
  await using folder = await TempFolder.create();
  const open = (history: HistoryRule) => new TestStore(folder.file("messages.db"), { history });
  {
    using store = open("all");
    store.append(pub("joe", "before"), direct("joe", "ann", "to an earlier ann"));
    void store.leave("ann");
    void store.enter("ann", "1");
    store.append(pub("joe", "after"), direct("joe", "ann", "to ann"));
  }
  const seen = (history: HistoryRule) => {
    using store = open(history);
    return texts(store.messages.history.of("ann", { count: 9 }));
  };
  assertEquals(seen("joined"), ["after", "to ann"]);
  assertEquals(seen("all"), ["before", "after", "to ann"]);
  assertEquals(seen("joined"), ["after", "to ann"]);
});

Deno.test("parseHistoryRule() says what --history takes", () => {
  assertEquals([undefined, "joined", "all"].map((text) => parseHistoryRule(text)), [
    "joined",
    "joined",
    "all",
  ]);
  for (const wrong of ["", "All", "none"]) {
    assertThrows(() => parseHistoryRule(wrong), ExitError, "--history is one of: joined, all");
  }
});
