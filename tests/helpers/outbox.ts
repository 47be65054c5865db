import { assertEquals } from "@std/assert";
import { Deadlines } from "../../lib/deadlines.ts";
import { PacketOpener, PacketSealer, PacketType } from "../../lib/protocol/datagram.ts";
import { encodeAck } from "../../lib/protocol/payloads.ts";
import { RecordBlock } from "../../lib/protocol/record_block.ts";
import { newParameters, Outbox, type OutboxSession } from "../../lib/server/outbox.ts";
import { FakeClock } from "./fake_clock.ts";

export const here = { hostname: "127.0.0.1", port: 5_000 };
export const there = { hostname: "192.0.2.1", port: 53 };
const message = { id: 1, from: "joe", sent: 0, text: "hi" };
/** What is sent, as it is sent. */
export const RECORD = JSON.stringify(message);

/** An outbox with sealed packets, and what its client has. */
export function openOutbox() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const sent: { datagram: Uint8Array; to: typeof here }[] = [];
  const utf8 = new TextDecoder();
  const connection = {
    writableBytes: Infinity,
    send: (...parts: (string | Uint8Array)[]) => {
      lines.push(parts.map((part) => typeof part === "string" ? part : utf8.decode(part)).join(""));
    },
  };
  let acknowledged = 0;
  const parameters = newParameters("sealed");
  const session: OutboxSession = {
    connection,
    overflow: () => {},
    acknowledged: () => acknowledged = outbox.deliveries.delivered,
  };
  const outbox: Outbox = new Outbox(parameters, session, {
    clock,
    deadlines: new Deadlines(clock, 2),
    sendDatagram: (datagram, to) => sent.push({ datagram, to }),
    maxBacklogBytes: 1_000_000,
  });
  const push = (text = "hi", count = 1) => {
    const block = new RecordBlock(Array(count).fill({ ...message, text }));
    clock.soon(() => outbox.flush());
    return outbox.push(block, 0, count);
  };
  const { clientKey, serverKey, ...channel } = parameters;
  const sealer = new PacketSealer({ ...channel, key: clientKey });
  const opener = new PacketOpener({ ...channel, key: serverKey });
  const take = () => sent.splice(0).map(({ datagram, to }) => ({ ...opener.open(datagram)!, to }));
  return {
    clock,
    lines,
    sent,
    outbox,
    sealer,
    take,
    connection,
    push,
    acknowledged: () => acknowledged,
  };
}

/** The client binds a path, from an address. */
export function bind({ outbox, sealer, take }: ReturnType<typeof openOutbox>, from = here): void {
  outbox.receive(sealer.seal(PacketType.bind), from);
  const [challenge] = take();
  assertEquals([challenge?.type, challenge?.to], [PacketType.challenge, from]);
  outbox.receive(sealer.seal(PacketType.response, challenge!.payload), from);
  assertEquals(take().map(({ type, to }) => [type, to]), [[PacketType.bound, from]]);
}

/** A message goes to a client with a path. @returns the number of its packet */
export function sendOne(all: ReturnType<typeof openOutbox>): number {
  bind(all);
  all.push();
  all.clock.endTurn();
  return all.take()[0]!.number;
}

/** The client acknowledges packets up to one, and so many messages. */
export function acknowledge(
  { outbox, sealer }: ReturnType<typeof openOutbox>,
  { largest, delivered, ranges = [] }: {
    largest: number;
    delivered: number;
    ranges?: [number, number][];
  },
): void {
  const ack = encodeAck({ largest, delay: 0, delivered, ranges });
  outbox.receive(sealer.seal(PacketType.ack, ack), here);
}
