import { assert, assertEquals } from "@std/assert";
import { Alarm } from "../../lib/clock.ts";
import { MAX_PAYLOAD_BYTES } from "../../lib/protocol/datagram.ts";
import { DeliveryReceiver } from "../../lib/protocol/delivery_receiver.ts";
import { DeliverySender, type Transmission } from "../../lib/protocol/delivery_sender.ts";
import { MAX_OUTSTANDING, MAX_RUN_BYTES } from "../../lib/protocol/limits.ts";
import { concat } from "../../lib/protocol/lines.ts";
import { decodeAck, decodeData, encodeAck, encodeData } from "../../lib/protocol/payloads.ts";
import { RecordBlock } from "../../lib/protocol/record_block.ts";
import { type Message, parseMessages } from "../../lib/protocol/records.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { LossyLink, seededRandom } from "../helpers/lossy_link.ts";

/** So many runs, or the one whose seed `CHAT_SEED` gives. */
const RUNS = 7_000;
const PUSHES = 30;
/** The id of the message with delivery number 0. */
const FIRST_ID = 10;
/** Over TCP so many bytes may be on their way before it takes no more. */
const TCP_BYTES = 65_536;

const utf8 = new TextDecoder();

/** What goes by UDP, either way. */
type Packet =
  | { type: "data"; number: number; payload: Uint8Array }
  | { type: "ack"; payload: Uint8Array }
  | { type: "challenge" | "response"; at: number };

/** What one run gives. */
interface Run {
  /** How many messages were sent. */
  sent: number;
  /** The ids of those that were shown. */
  shown: number[];
  /** How many acknowledged messages took which channel. */
  via: { udp: number; tcp: number };
  /** How many times UDP was given up, and used again. */
  reopened: number;
}

/**
 * One seeded run over a bad link: UDP loses, repeats and reorders, may be blocked for a while, in one direction or
 * both, and may get another path; TCP is slow. Some runs end in the middle, as a session does.
 */
function simulate(seed: number, loss: number): Run {
  const clock = new FakeClock();
  const random = seededRandom(seed);
  const sender = new DeliverySender();
  const receiver = new DeliveryReceiver<Message>();
  const shown: number[] = [];
  let ended = false;
  let reopened = 0;

  const link = { loss, duplicate: 0.1, delay: random() * 100, jitter: random() * 100, random };
  const toReceiver = new LossyLink<Packet>(clock, { ...link, deliver: receive });
  const toSender = new LossyLink<Packet>(clock, { ...link, deliver: takeAnswer });

  function take(number: number, records: Uint8Array): void {
    for (const { id } of receiver.receive(number, parseMessages(utf8.decode(records)))) {
      shown.push(id);
    }
  }
  function receive(packet: Packet): void {
    if (packet.type === "challenge") toSender.send({ type: "response", at: packet.at });
    if (packet.type !== "data") return;
    const { number, records } = decodeData(packet.payload)!;
    take(number, records);
    receiver.packetReceived(packet.number, clock.now());
    acknowledge();
  }
  const ackAlarm = new Alarm(clock, acknowledge);
  function acknowledge(): void {
    const ack = receiver.takeAck(clock.now());
    if (ack !== undefined) toSender.send({ type: "ack", payload: encodeAck(ack) });
    ackAlarm.set(receiver.deadline());
  }
  function takeAnswer(packet: Packet): void {
    if (ended) return;
    if (packet.type === "ack") {
      assert(sender.acknowledge(decodeAck(packet.payload)!, clock.now()));
    } else if (packet.type === "response" && !sender.pathOpen) {
      reopened++;
      sender.openPath(clock.now() - packet.at);
    }
    transmit();
  }

  /** TCP: late, but nothing is lost or reordered; its acknowledgement comes the same way. */
  let tcpFreeAt = 0;
  let tcpBytes = 0;
  const overTcp = new Set<number>();
  function sendOverTcp(number: number, records: Uint8Array): void {
    const messages = parseMessages(utf8.decode(records));
    assert(records.length <= MAX_RUN_BYTES || messages.length === 1);
    for (const { id } of messages) {
      assert(!overTcp.has(id), "a message goes over TCP once");
      overTcp.add(id);
    }
    tcpBytes += records.length;
    tcpFreeAt = Math.max(tcpFreeAt, clock.now()) + records.length / 5_000;
    clock.after(tcpFreeAt - clock.now() + link.delay, () => {
      tcpBytes -= records.length;
      take(number, records);
      const { delivered } = receiver;
      clock.after(link.delay, () => {
        if (!ended) assert(sender.acknowledgeAll(delivered));
        transmit();
      });
    });
  }

  let nextPacket = 0;
  const sendAlarm = new Alarm(clock, () => {
    sender.timeOut(clock.now());
    transmit();
  });
  const challengeAlarm = new Alarm(clock, challenge);
  function challenge(): void {
    if (sender.pathOpen || ended) return;
    toReceiver.send({ type: "challenge", at: clock.now() });
    challengeAlarm.set(clock.now() + 500);
  }
  function transmit(): void {
    if (ended) return;
    const next = () => sender.next(clock.now(), nextPacket, TCP_BYTES - tcpBytes);
    for (let one; (one = next()) !== undefined;) give(one);
    if (!sender.pathOpen) challengeAlarm.set(clock.now() + 500);
    sendAlarm.set(sender.deadline());
  }
  function give({ via, number, parts }: Transmission): void {
    const payload = concat(encodeData(number, parts));
    const { records } = decodeData(payload)!;
    if (via === "tcp") return sendOverTcp(number, records);
    assert(payload.length <= MAX_PAYLOAD_BYTES);
    toReceiver.send({ type: "data", number: nextPacket++, payload });
  }

  let sent = 0;
  sender.openPath(2 * link.delay);
  /** A part of a block, as a session gets what is not its own. */
  function push(count: number, length: number): void {
    if (ended) return;
    const skipped = Math.floor(random() * 3);
    const block = new RecordBlock(
      Array.from({ length: skipped + count + 1 }, (_, index) => ({
        id: FIRST_ID + sent + index - skipped,
        from: "joe",
        sent: 0,
        text: "ü".repeat(random() * length),
      })),
    );
    assertEquals(sender.push(block, skipped, skipped + count), sent);
    sent += count;
    transmit();
  }
  const span = random() < 0.2 ? 15_000 : 3_000;
  const sometime = () => random() * span;
  for (let index = 0; index < PUSHES; index++) {
    clock.after(sometime(), () => push(1 + Math.floor(random() * 3), 300));
  }
  // More than goes by UDP; now and then more than may be unacknowledged.
  if (random() < 0.05) clock.after(sometime(), () => push(1_500, 100));
  if (random() < 0.002) clock.after(sometime(), () => push(MAX_OUTSTANDING + 500, 10));
  if (random() < 0.3) {
    const blocked = [[toReceiver], [toSender], [toReceiver, toSender]][Math.floor(random() * 3)]!;
    clock.after(sometime(), () => {
      for (const link of blocked) link.options = { ...link.options, loss: 1 };
    });
    clock.after(sometime() + 3_000, () => {
      for (const link of blocked) link.options = { ...link.options, loss };
    });
  }
  if (random() < 0.1) clock.after(sometime(), () => sender.openPath(2 * link.delay));
  if (random() < 0.1) {
    clock.after(sometime(), () => {
      for (const { number, parts } of sender.drain()) sendOverTcp(number, concat([...parts]));
      ended = true;
    });
  }
  clock.advance(60_000);
  assertEquals(sender.backlogBytes, 0, `seed ${seed}: something was never acknowledged`);
  const tcp = overTcp.size;
  return { sent, shown, via: { udp: sent - tcp, tcp }, reopened };
}

Deno.test("delivery shows every message once and in order over links that lose 0 to 60 %", () => {
  const only = Deno.env.get("CHAT_SEED");
  const seeds = only === undefined ? Array.from({ length: RUNS }, (_, i) => i + 1) : [Number(only)];
  const total = Array.from({ length: 7 }, () => ({ runs: 0, udp: 0, tcp: 0, reopened: 0 }));
  for (const seed of seeds) {
    const { sent, shown, via, reopened } = simulate(seed, (seed % 7) / 10);
    const all = Array.from({ length: sent }, (_, index) => FIRST_ID + index);
    assertEquals(shown, all, `to see this again: CHAT_SEED=${seed}`);
    const sum = total[seed % 7]!;
    sum.runs++;
    sum.udp += via.udp;
    sum.tcp += via.tcp;
    sum.reopened += reopened;
  }
  for (const [tenth, { runs, udp, tcp, reopened }] of total.entries()) {
    if (runs === 0) continue;
    const share = Math.round(100 * udp / (udp + tcp));
    console.log(
      `${tenth * 10} % lost: ${runs} runs, ${udp + tcp} messages, ${share} % by UDP alone; ` +
        `${reopened} paths came back`,
    );
    if (only === undefined) assert(udp > 0 && tcp > 0 && reopened > 0);
  }
});
