// The examples of docs/PROTOCOL.md are what the programs send, byte for byte.
import { assert, assertEquals } from "@std/assert";
import {
  PacketOpener,
  PacketSealer,
  PacketType,
  type Protection,
} from "../../lib/protocol/datagram.ts";
import { decodeAck, decodeData, encodeAck, encodeData } from "../../lib/protocol/payloads.ts";
import { RecordBlock } from "../../lib/protocol/record_block.ts";
import {
  deliverFrame,
  encodeMessage,
  encodeRecord,
  parseClientRecord,
  parseMessages,
  parseServerRecord,
} from "../../lib/protocol/records.ts";

const page = await Deno.readTextFile(new URL("../../docs/PROTOCOL.md", import.meta.url));

/** The lines of the code blocks that are marked with `_checked: kind_`. */
function examples(kind: string): string[] {
  const blocks = page.matchAll(
    new RegExp(`_checked: ${kind}_[^\`]*\`\`\`\\w*\\n(.*?)\`\`\``, "gs"),
  );
  return [...blocks].flatMap(([, lines]) => lines!.trim().split("\n"));
}

const keys = {
  session: "0011223344556677",
  client: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
  server: "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
};

Deno.test("encodeRecord() gives the lines of PROTOCOL.md", () => {
  const lines = examples("records");
  assert(lines.length > 20, "the page has lost its examples");
  for (const line of lines) {
    const record = JSON.parse(line);
    const either = [parseClientRecord, parseServerRecord].flatMap((parse) => {
      try {
        const parsed = parse(line);
        return parsed === undefined ? [] : [parsed];
      } catch {
        return [];
      }
    });
    assert(either.some((parsed) => encodeRecord(parsed) === line), `nobody sends ${line}`);
    if (record.type === "deliver") {
      const [before, after] = deliverFrame(record.number);
      assertEquals(before + record.messages.map(encodeMessage).join(",") + after, line);
    }
  }
});

Deno.test("PacketSealer gives the packets of PROTOCOL.md, and PacketOpener takes them", () => {
  const of = (protection: Protection, key: string) => ({ protection, session: keys.session, key });
  const client = new PacketSealer(of("plain", keys.client));
  const server = new PacketSealer(of("plain", keys.server));
  const token = Uint8Array.fromHex("a0a1a2a3a4a5a6a7");
  const messages = [
    { id: 17, from: "renew", sent: 1_769_851_800_000, text: "Hello" },
    { id: 18, from: "renew", to: "joe", sent: 1_769_851_801_000, text: "Hello joe" },
  ];
  const data = encodeData(0, [new RecordBlock(messages).slice(0, 2)]);
  const acks = [
    { largest: 2, delay: 1_500, delivered: 2, ranges: [] },
    { largest: 9, delay: 0, delivered: 4, ranges: [[6, 7], [9, 9]] as [number, number][] },
  ];
  const sealed = new PacketSealer(of("sealed", keys.client));
  const packets = [
    ["bind", client.seal(PacketType.bind)],
    ["challenge", server.seal(PacketType.challenge, token)],
    ["response", client.seal(PacketType.response, token)],
    ["bound", server.seal(PacketType.bound)],
    ["data", server.seal(PacketType.data, ...data)],
    ["ack", client.seal(PacketType.ack, encodeAck(acks[0]!))],
    ["ack", client.seal(PacketType.ack, encodeAck(acks[1]!))],
    ["sealed", sealed.seal(PacketType.ack, encodeAck(acks[0]!))],
  ] as const;

  const written = examples("packets").map((line) => line.split(/ +/));
  assertEquals(
    written.map(([name, ...hex]) => [name, hex.join("")]),
    packets.map(([name, bytes]) => [name, bytes.toHex()]),
  );

  const fromClient = new PacketOpener(of("plain", keys.client));
  const fromServer = new PacketOpener(of("plain", keys.server));
  const fromSealed = new PacketOpener(of("sealed", keys.client));
  assertEquals(decodeAck(fromSealed.open(packets.at(-1)![1])!.payload), acks[0]);
  const opened = packets.slice(0, -1).map(([, bytes]) =>
    fromClient.open(bytes) ?? fromServer.open(bytes)
  );
  assertEquals(opened.map((packet) => packet?.number), [0, 0, 1, 1, 2, 2, 3]);
  const { number, records } = decodeData(opened[4]!.payload)!;
  assertEquals([number, parseMessages(new TextDecoder().decode(records))], [0, messages]);
  assertEquals(decodeAck(opened[5]!.payload), acks[0]);
  assertEquals(decodeAck(opened[6]!.payload), acks[1]);
});

Deno.test("PacketSealer gives the echo packets of PROTOCOL.md", () => {
  const of = (key: string) => ({ protection: "plain" as const, session: keys.session, key });
  const payload = new TextEncoder().encode("ping");
  const packets = [
    ["echo", new PacketSealer(of(keys.client)).seal(PacketType.echo, payload)],
    ["echoed", new PacketSealer(of(keys.server)).seal(PacketType.echoed, payload)],
  ] as const;
  assertEquals(
    examples("echoes").map((line) => line.replaceAll(/ +/g, "")),
    packets.map(([name, bytes]) => name + bytes.toHex()),
  );
});
