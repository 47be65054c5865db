import { assert, assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import type { HeldMemory } from "../../lib/protocol/record_block.ts";
import { type Message, parseMessages } from "../../lib/protocol/records.ts";
import { Batch } from "../../lib/server/batch.ts";

const name = fc.constantFrom("ann", "Bob", "joe", "Zoë");
const messages: fc.Arbitrary<Message[]> = fc.array(
  fc.record({ from: name, to: fc.option(name, { nil: undefined }), text: fc.string() }),
  { minLength: 1, maxLength: 40 },
).map((drafts) => drafts.map((draft, index) => ({ id: 10 + index, sent: 0, ...draft })));

Deno.test("Batch.sharesOf() gives each account what is for it, in order, with the ids", () => {
  const utf8 = new TextDecoder();
  fc.assert(fc.property(messages, (messages) => {
    const batch = new Batch(messages, { bytes: 0 });
    for (const account of ["ann", "bob", "joe", "zoë", "eve"]) {
      const expected = messages.filter(({ from, to }) =>
        to === undefined ? from.toLowerCase() !== account : to.toLowerCase() === account
      );
      const got: Message[] = [];
      for (const { block, from, to, ids, kind } of batch.sharesOf(account)) {
        const records = parseMessages(utf8.decode(block.slice(from, to)));
        assertEquals(ids.slice(from, to), records.map(({ id }) => id));
        for (const record of records) assertEquals(record.to === undefined, kind === "public");
        got.push(...records);
      }
      assertEquals(got.map(({ id }) => id), expected.map(({ id }) => id));
      assertEquals(got.map(({ text }) => text), expected.map(({ text }) => text));
    }
    const addressees = new Set(messages.flatMap(({ to }) => to === undefined ? [] : [to]));
    assertEquals(new Set(batch.addressees), new Set([...addressees].map((to) => to.toLowerCase())));
  }));
});

Deno.test("Batch.sharesOf() gives all who get the same the same bytes, which count once", () => {
  const held: HeldMemory = { bytes: 0 };
  const batch = new Batch([{ id: 1, from: "joe", sent: 0, text: "hi", to: undefined }], held);
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
