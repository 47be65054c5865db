// What one packet and one record cost.
import { PacketOpener, PacketSealer, PacketType } from "../../lib/protocol/datagram.ts";
import { DeliverySender } from "../../lib/protocol/delivery_sender.ts";
import { encodeFrames } from "../../lib/protocol/frames.ts";
import { encodeMessage, parseClientRecord, parseMessage } from "../../lib/protocol/records.ts";

const protection = {
  protection: "sealed",
  session: "00ff00ff00ff00ff",
  key: "ab".repeat(32),
} as const;
const message = encodeMessage({
  id: 17,
  kind: "public",
  from: "renew",
  to: undefined,
  sent: "2026-01-31T09:30:00.000Z",
  text: "Hello guys",
});
const record = new TextEncoder().encode(message);
const frames = encodeFrames(Array.from({ length: 10 }, (_, number) => ({ number, record })));

Deno.bench("seal a packet of 10 messages", { group: "packet" }, (bench) => {
  const sealer = new PacketSealer(protection);
  bench.start();
  for (let i = 0; i < 1_000; i++) sealer.seal(PacketType.data, frames);
  bench.end();
});

Deno.bench("seal and open a packet of 10 messages", { group: "packet" }, (bench) => {
  const sealer = new PacketSealer(protection);
  const opener = new PacketOpener(protection);
  bench.start();
  for (let i = 0; i < 1_000; i++) opener.open(sealer.seal(PacketType.data, frames));
  bench.end();
});

Deno.bench("parse a public record", { group: "record" }, (bench) => {
  const line = '{"type":"public","id":6,"text":"Hello guys"}';
  bench.start();
  for (let i = 0; i < 1_000; i++) parseClientRecord(line);
  bench.end();
});

Deno.bench("parse a message", { group: "record" }, (bench) => {
  bench.start();
  for (let i = 0; i < 1_000; i++) parseMessage(message);
  bench.end();
});

Deno.bench("send and acknowledge 1,000 messages", { group: "delivery" }, () => {
  const sender = new DeliverySender();
  sender.openPath(1);
  let packet = 0;
  for (let turn = 0; turn < 100; turn++) {
    for (let i = 0; i < 10; i++) sender.push(record);
    while (sender.next(turn, packet) !== undefined) packet++;
    const delivered = (turn + 1) * 10;
    sender.acknowledge({ largest: packet - 1, delay: 0, delivered, ranges: [] }, turn);
  }
});
