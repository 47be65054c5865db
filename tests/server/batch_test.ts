import { assert, assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import type { HeldMemory } from "../../lib/protocol/record_block.ts";
import type { StoredMessage } from "../../lib/journal/projection.ts";
import { type Message, parseMessages } from "../../lib/protocol/records.ts";
import { Batch } from "../../lib/server/batch.ts";

const name = fc.constantFrom("ann", "Bob", "joe", "Zoë");
const ROOMS = [1, 2, 3];
const messages: fc.Arbitrary<StoredMessage[]> = fc.array(
  fc.record({
    from: name,
    to: fc.option(name, { nil: undefined }),
    room: fc.constantFrom(undefined, ...ROOMS),
    text: fc.string(),
  }),
  { minLength: 1, maxLength: 40 },
).map((drafts) =>
  drafts.map(({ room, to, ...draft }, index) => {
    const where = to === undefined ? room : undefined;
    const message: Message = { id: 10 + index, sent: 0, ...draft, to };
    return {
      room: where,
      message: where === undefined ? message : { ...message, room: `${where}` },
    };
  })
);
/** The rooms that each account is in. */
const memberships = fc.record(Object.fromEntries(
  ["ann", "bob", "joe", "zoë", "eve"].map((account) => [account, fc.subarray(ROOMS)]),
));

Deno.test("Batch.sharesOf() gives each account what is for it, in order, with the ids", () => {
  const utf8 = new TextDecoder();
  fc.assert(fc.property(messages, memberships, (messages, memberships) => {
    const batch = new Batch(messages, { bytes: 0 });
    for (const [account, rooms] of Object.entries(memberships)) {
      const expected = messages.filter(({ room, message: { from, to } }) =>
        to === undefined
          ? from.toLowerCase() !== account && (room === undefined || rooms!.includes(room))
          : to.toLowerCase() === account
      ).map(({ message }) => message);
      let audience = batch.lobby;
      for (const room of batch.rooms) if (rooms!.includes(room)) audience = audience.with(room);
      const got: Message[] = [];
      for (const { block, from, to, ids, kind } of batch.sharesOf(account, audience)) {
        const records = parseMessages(utf8.decode(block.slice(from, to)));
        assertEquals(ids.slice(from, to), records.map(({ id }) => id));
        for (const record of records) {
          assertEquals(record.to === undefined, kind === "public" || kind === "room");
          if (record.room !== undefined) assertEquals(kind, "room");
        }
        got.push(...records);
      }
      assertEquals(got.map(({ id }) => id), expected.map(({ id }) => id));
      assertEquals(got.map(({ text }) => text), expected.map(({ text }) => text));
    }
    const addressees = new Set(messages.flatMap(({ message: { to } }) => to ?? []));
    assertEquals(new Set(batch.addressees), new Set([...addressees].map((to) => to.toLowerCase())));
  }));
});

Deno.test("Audience.with() gives all who are in the same rooms the same bytes", () => {
  const said = [1, 2, undefined, 1].map((room, at) => ({
    room,
    message: { id: at + 1, from: "joe", sent: 0, text: "hi" },
  }));
  const batch = new Batch(said, { bytes: 0 });
  const [one, two] = [batch.lobby.with(1), batch.lobby.with(1)];
  assert(one === two && batch.lobby.with(1).with(2) !== one);
  const [share, ...none] = batch.sharesOf("ann", one);
  assertEquals([share!.ids, share!.from, share!.to, none.length], [[1, 3, 4], 0, 3, 0]);
  assert(batch.sharesOf("bob", two)[0]!.block === share!.block);
});

Deno.test("Batch.sharesOf() gives all who get the same the same bytes, which count once", () => {
  const held: HeldMemory = { bytes: 0 };
  const batch = new Batch(
    [{ message: { id: 1, from: "joe", sent: 0, text: "hi", to: undefined } }],
    held,
  );
  const [[one], [two]] = [batch.sharesOf("ann"), batch.sharesOf("bob")];
  assert(one!.block === two!.block);
  one!.block.hold();
  const { bytes } = held;
  two!.block.hold();
  assertEquals([bytes, held.bytes], [one!.block.bytes, bytes]);
  one!.block.release();
  two!.block.release();
  assertEquals(held.bytes, 0);
});
