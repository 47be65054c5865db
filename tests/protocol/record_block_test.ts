import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { RecordBlock } from "../../lib/protocol/record_block.ts";
import { type Message, parseMessages } from "../../lib/protocol/records.ts";

// One, two, three and four bytes of UTF-8, and what JSON escapes.
const texts = fc.array(
  fc.string({ unit: fc.constantFrom("a", '"', "\n", "é", "世", "🎉", "\ud800"), maxLength: 12 }),
  { minLength: 1, maxLength: 12 },
);

/** A block, and two places in it. */
const cut = texts.chain((texts) =>
  fc.tuple(fc.constant(texts), fc.nat(texts.length - 1)).chain(([texts, from]) =>
    fc.record({
      texts: fc.constant(texts),
      from: fc.constant(from),
      to: fc.integer({ min: from + 1, max: texts.length }),
    })
  )
);

function messagesOf(texts: readonly string[]): Message[] {
  return texts.map((text, index) => ({ id: index + 1, from: "joe", sent: 0, text }));
}

/** The bytes that some messages have to have, by the plainest way there is. */
function joined(messages: readonly Message[]): Uint8Array {
  return new TextEncoder().encode(messages.map((message) => JSON.stringify(message)).join(","));
}

Deno.test("RecordBlock.slice() gives the records with a comma between two", () => {
  fc.assert(fc.property(cut, ({ texts, from, to }) => {
    const messages = messagesOf(texts);
    const block = new RecordBlock(messages);
    const slice = block.slice(from, to);
    assertEquals(slice, joined(messages.slice(from, to)));
    assertEquals(parseMessages(new TextDecoder().decode(slice)), messages.slice(from, to));
    assertEquals([block.length, block.bytes], [texts.length, joined(messages).length]);
    assertEquals(block.size(from, to), slice.length + 1);
  }));
});

Deno.test("RecordBlock.fitting() gives as many as have the size, and no more", () => {
  fc.assert(fc.property(cut, fc.integer({ min: -5, max: 1_000 }), ({ texts, from, to }, bytes) => {
    const block = new RecordBlock(messagesOf(texts));
    let expected = from;
    while (expected < to && block.size(from, expected + 1) <= bytes) expected++;
    assertEquals(block.fitting(from, to, bytes), expected);
  }));
});

Deno.test("RecordBlock.fitting() takes a limit that is just met, and not one byte less", () => {
  const block = new RecordBlock(messagesOf(["é", "世", "🎉"]));
  assertEquals(block.fitting(0, 3, block.size(0, 2)), 2);
  assertEquals(block.fitting(0, 3, block.size(0, 2) - 1), 1);
  assertEquals(block.fitting(0, 3, Infinity), 3);
});
