import { assertEquals } from "@std/assert";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { systemClock } from "../../lib/clock.ts";
import { assertNothing, disconnect, received } from "../helpers/deliveries.ts";
import { FakeServer } from "../helpers/fake_server.ts";
import { RunningServer } from "../helpers/running_server.ts";

const COST = { ln: 1, r: 8, p: 1 };

/** A server with an account for which a message waits, and what is done to that account. */
async function waiting(server: FakeServer) {
  const joe = await server.join("joe");
  await disconnect(await server.join("ann"));
  await joe.ask({ type: "direct", id: 10, to: "ann", text: "for the first ann" });
  return server.services.accounts;
}

Deno.test("another account of a removed one's name gets nothing of what the old one had", async () => {
  await using server = await FakeServer.start();
  const accounts = await waiting(server);
  await accounts.remove(["ann"]);
  // Its password is the old one's: nothing but the account is another one.
  await accounts.create("ann", "ann");
  const ann = await server.join("ann");
  await assertNothing(server, ann);
  const history = await ann.ask({ type: "history", id: 11, count: 9 });
  assertEquals(history["messages"], []);
});

Deno.test("another account of a removed one's name is told of no deletion in a room of the old one", async () => {
  await using server = await FakeServer.start();
  const joe = await server.join("joe");
  await joe.ask({ type: "join", id: 10, room: "lab" });
  const first = await server.join("ann");
  await first.ask({ type: "join", id: 10, room: "lab" });
  const { message } = await first.ask({ type: "say", id: 11, room: "lab", text: "x" });
  const { accounts } = server.services;
  await accounts.remove(["ann"]);
  await accounts.create("ann", "ann");
  const ann = await server.join("ann");
  const id = 20;
  joe.send({ type: "operate", id, what: "delete", message });
  for (let record = await joe.next(); record["id"] !== id; record = await joe.next());
  await assertNothing(server, ann);
});

Deno.test("an account with a new password is the same one", async () => {
  await using server = await FakeServer.start();
  const accounts = await waiting(server);
  await accounts.setPassword("ann", "another");
  await accounts.setPassword("ann", "ann");
  assertEquals(await received(server, await server.join("ann"), 1), ["for the first ann (late)"]);
});

for (
  const [what, change] of [
    ["removed and made again", ["remove", "create"]],
    ["given a new password", ["setPassword"]],
  ] as const
) {
  Deno.test(`an account that was ${what} while the server did not run`, async () => {
    await using server = await RunningServer.start();
    const joe = await server.join("joe");
    const first = await server.join("ann");
    await first.chat.logout();
    await joe.chat.direct("ann", "for the first ann");
    await server.restart(async () => {
      const accounts = await Accounts.load(server.folder.path, { cost: COST, clock: systemClock });
      for (const step of change) {
        if (step === "remove") await accounts.remove(["ann"]);
        else await accounts[step]("ann", "ann");
      }
    });
    const ann = await server.join("ann");
    await joe.back(1);
    await joe.chat.direct("ann", "for whoever is there");
    const expected = change.length > 1 ? [] : ["for the first ann"];
    const got = await ann.received(expected.length + 1);
    assertEquals(got.map(({ text }) => text), [...expected, "for whoever is there"]);
  });
}
