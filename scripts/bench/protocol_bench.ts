// What one packet and one record cost.
import { runtimeAead } from "../../lib/protocol/aead.ts";
import { PacketOpener, PacketSealer, PacketType } from "../../lib/protocol/datagram.ts";
import { DeliverySender } from "../../lib/protocol/delivery_sender.ts";
import { encodeData } from "../../lib/protocol/payloads.ts";
import { RecordBlock } from "../../lib/protocol/record_block.ts";
import { type Message, parseClientRecord, parseMessages } from "../../lib/protocol/records.ts";
import { loadSodiumAead } from "../../lib/protocol/sodium_aead.ts";

const AEADS = { libsodium: await loadSodiumAead(), "the runtime": runtimeAead };
const protection = {
  protection: "sealed",
  session: "00ff00ff00ff00ff",
  key: "ab".repeat(32),
} as const;
const messages = Array.from({ length: 1_000 }, (_, index): Message => ({
  id: index + 1,
  from: "renew",
  sent: 1_769_851_800_000,
  text: "Hello guys",
}));
const block = new RecordBlock(messages);
const payload = encodeData(0, [block.slice(0, 10)]);

for (const [by, aead] of Object.entries(AEADS)) {
  Deno.bench(`seal a packet of 10 messages, by ${by}`, { group: "packet" }, (bench) => {
    const sealer = new PacketSealer({ ...protection, aead });
    bench.start();
    for (let i = 0; i < 1_000; i++) sealer.seal(PacketType.data, ...payload);
    bench.end();
  });

  Deno.bench(`seal and open a packet of 10 messages, by ${by}`, { group: "packet" }, (bench) => {
    const sealer = new PacketSealer({ ...protection, aead });
    const opener = new PacketOpener({ ...protection, aead });
    bench.start();
    for (let i = 0; i < 1_000; i++) opener.open(sealer.seal(PacketType.data, ...payload));
    bench.end();
  });
}

Deno.bench("parse a public record", { group: "record" }, (bench) => {
  const line = '{"type":"public","id":6,"text":"Hello guys"}';
  bench.start();
  for (let i = 0; i < 1_000; i++) parseClientRecord(line);
  bench.end();
});

Deno.bench("encode 1,000 messages", { group: "record" }, () => {
  new RecordBlock(messages);
});

Deno.bench("parse 1,000 messages", { group: "record" }, () => {
  parseMessages(new TextDecoder().decode(block.slice(0, 1_000)));
});

/** Sends the block in runs of `length` messages, each acknowledged by UDP or over TCP. */
function exchange(length: number): void {
  const sender = new DeliverySender();
  sender.openPath(1);
  let packet = 0;
  for (let from = 0, now = 0; from < block.length; from += length, now += 10) {
    sender.push(block, from, from + length);
    for (let next; (next = sender.next(now, packet, Infinity)) !== undefined;) {
      if (next.via === "udp") packet++;
    }
    const delivered = from + length;
    const ack = { largest: packet - 1, delay: 0, delivered, ranges: [] };
    if (packet === 0 || !sender.acknowledge(ack, now)) sender.acknowledgeAll(delivered);
  }
}

Deno.bench("send and acknowledge 1,000 messages, 10 a packet", { group: "delivery" }, () => {
  exchange(10);
});

Deno.bench("the same in one run over TCP", { group: "delivery" }, () => {
  exchange(1_000);
});
