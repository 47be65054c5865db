import { assertEquals, assertRejects } from "@std/assert";
import type { OperationEvent } from "../../lib/journal/events.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { pub, TestStore } from "../helpers/test_store.ts";

/** A store with the accounts ann, an operator, and bob. */
async function open(): Promise<TestStore> {
  const store = new TestStore();
  await store.done(store.enter("ann", "a1"), store.enter("bob", "b1"));
  await store.done(appoint(store, "ann", "a1"));
  return store;
}

function appoint({ journal, clock }: TestStore, account: string, identity: string) {
  const at = clock.date().getTime();
  return journal.append({ type: "account-changed", account, identity, role: "operator", at });
}

function operate(store: TestStore, what: OperationEvent["what"], user?: string, by?: string) {
  const at = store.clock.date().getTime();
  return store.journal.append({ type: "operation", what, by, at, user });
}

Deno.test("OperatorTable: a new account of an old name is no operator, and neither muted nor banned", async () => {
  using store = await open();
  const { operators } = store.projection;
  await store.done(operate(store, "mute", "bob", "ann"), operate(store, "ban", "bob", "ann"));
  assertEquals(operators.restrictions(0).map(({ what }) => what), ["mute", "ban"]);
  await store.done(store.leave("bob"), store.enter("ann", "a2"));
  await store.done(store.enter("bob", "b2"));
  assertEquals(operators.restrictions(0), []);
  assertEquals(operators.isOperator("ann"), false);
  // What was done stays done.
  assertEquals(operators.recent(10).map(({ what }) => what), ["operator", "mute", "ban"]);
});

Deno.test("OperatorTable judges by the order of the events: who is no operator any more does nothing", async () => {
  using store = await open();
  const { operators } = store.projection;
  const dismissed = store.journal.append({
    ...{ type: "account-changed", account: "ann", identity: "a1", role: "user", at: 1 },
  });
  const late = assertRejects(
    () => operate(store, "mute", "bob", "ann"),
    ProtocolError,
    "you are none",
  );
  await store.done(dismissed, late);
  assertEquals(operators.restrictions(0), []);
  // Who is on the server's own machine needs no role.
  await store.done(operate(store, "mute", "bob"));
  const muted = assertRejects(() => store.send(pub("bob", "x")), ProtocolError, "you are muted");
  await store.done(muted, store.send(pub("ann", "x")));
});

Deno.test("OperatorTable: what operators did is forgotten with the messages of then, what holds is not", async () => {
  using store = await open();
  const { operators } = store.projection;
  await store.done(operate(store, "mute", "bob", "ann"));
  await store.done(
    store.journal.append({ type: "messages-expired", before: store.journal.last + 1 }),
  );
  assertEquals(operators.recent(10), []);
  assertEquals(operators.restrictions(0).length, 1);
});

Deno.test("OperatorTable.takeBack() undoes what the disk refused, in memory too", async () => {
  using store = await open();
  const { operators } = store.projection;
  await store.done(operate(store, "mute", "bob", "ann"));
  const before = [operators.restrictions(0), operators.recent(10), [...operators.operators]];
  const at = 1;
  operators.apply(1_000, { type: "operation", what: "unmute", by: "ann", at, user: "bob" });
  operators.apply(1_001, { type: "operation", what: "quiet", by: "ann", at });
  operators.setRole("bob", "operator", { number: 1_002, at });
  operators.removeAccount("ann");
  operators.takeBack();
  assertEquals([operators.restrictions(0), operators.recent(10), [...operators.operators]], before);
});
