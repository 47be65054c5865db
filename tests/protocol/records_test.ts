import { assertEquals, assertThrows } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import {
  deliverFrame,
  encodeMessage,
  encodeRecord,
  parseClientRecord,
  parseMessages,
  parseServerRecord,
} from "../../lib/protocol/records.ts";

Deno.test("parseClientRecord() names what is wrong with a record", () => {
  const wrong = {
    "": "not JSON",
    "{": "not JSON",
    "null": "a JSON object",
    "[]": "a JSON object",
    "7": "a JSON object",
    "{}": `must have a "type"`,
    '{"type":7}': `must have a "type"`,
    '{"type":"constructor"}': `no record type "constructor"`,
    '{"type":"__proto__"}': `no record type "__proto__"`,
    '{"type":"welcome","id":1}': `no record type "welcome"`,
    '{"type":"users"}': `"id" must be an integer from 1`,
    '{"type":"users","id":0}': `"id" must be an integer from 1`,
    '{"type":"users","id":1.5}': `"id" must be an integer from 1`,
    '{"type":"users","id":9007199254740992}': `"id" must be an integer from 1`,
    '{"type":"users","id":"1"}': `"id" must be an integer from 1`,
    '{"type":"public","id":1}': `"text" must be a string`,
    '{"type":"public","id":1,"text":null}': `"text" must be a string`,
    '{"type":"ack","delivered":-1}': `"delivered" must be an integer from 0`,
    '{"type":"hello","protocol":1}': `"software" must be a string of at most 100`,
  };
  for (const [line, problem] of Object.entries(wrong)) {
    assertThrows(() => parseClientRecord(line), ProtocolError, problem);
  }
});

Deno.test("parseClientRecord() quotes little of what it refuses, and no control characters", () => {
  const type = "\u001b[2J".padEnd(5_000, "x");
  const error = assertThrows(() => parseClientRecord(JSON.stringify({ type })), ProtocolError);
  assertEquals(error.message.length < 100, true);
  assertEquals(error.message.includes("\u001b"), false);
});

Deno.test("parseClientRecord() never quotes a line that is no JSON: it may hold a password", () => {
  const error = assertThrows(() => parseClientRecord('{"password":"hunter2'), ProtocolError);
  assertEquals(`${error.message}${error.stack}${error.cause}`.includes("hunter2"), false);
});

Deno.test("parseClientRecord() leaves out the fields it does not know", () => {
  const line = '{"type":"users","id":3,"__proto__":{"a":1},"extra":[1]}';
  assertEquals(parseClientRecord(line), { type: "users", id: 3 });
});

Deno.test("parseServerRecord() names fields inside of fields", () => {
  assertThrows(
    () => parseServerRecord('{"type":"users","id":1,"users":["a",2]}'),
    ProtocolError,
    `"users[1]" must be a string`,
  );
  assertThrows(
    () => parseServerRecord('{"type":"deliver","number":0,"messages":[{"id":1,"from":7}]}'),
    ProtocolError,
    `"messages[0].from" must be a string`,
  );
});

const messages = [
  { id: 1, from: "joe", sent: 1_769_851_800_000, text: '], "ü"' },
  { id: 2, from: "joe", to: "ann", sent: 1_769_851_800_001, text: "{", late: true },
];

Deno.test("parseMessages() takes what encodeMessage() makes, with a comma between two", () => {
  assertEquals(parseMessages(messages.map(encodeMessage).join(",")), messages);
  for (const wrong of ["{", "{},", "{}{}", `"a"`, "1", "[]", '{"id":1}']) {
    assertThrows(() => parseMessages(wrong), ProtocolError);
  }
});

Deno.test("deliverFrame() makes a record of what a packet carries", () => {
  const [before, after] = deliverFrame(7);
  const line = `${before}${messages.map(encodeMessage).join(",")}${after}`;
  assertEquals(parseServerRecord(line), { type: "deliver", number: 7, messages });
  assertEquals(encodeRecord({ type: "deliver", number: 7, messages }), line);
});

Deno.test("parseClientRecord() takes back what encodeRecord() makes, in one line", () => {
  const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const text = fc.string({ unit: "binary" });
  const record = fc.oneof(
    fc.record({ type: fc.constant("public" as const), id, text }),
    fc.record({ type: fc.constant("direct" as const), id, to: text, text }),
    fc.record({ type: fc.constant("ack" as const), delivered: fc.maxSafeNat() }),
  );
  fc.assert(fc.property(record, (record) => {
    const line = encodeRecord(record);
    assertEquals(/[\r\n]/.test(line), false);
    assertEquals(parseClientRecord(line), record as ReturnType<typeof parseClientRecord>);
  }));
});

Deno.test("the record parsers throw nothing but ProtocolError", () => {
  const nearly = fc.json().map((json) => `{"type":"public","id":1,"text":${json}}`);
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), nearly), (line) => {
    for (const parse of [parseClientRecord, parseServerRecord, parseMessages]) {
      try {
        parse(line);
      } catch (error) {
        assertEquals(error instanceof ProtocolError, true, String(error));
      }
    }
  }));
});
