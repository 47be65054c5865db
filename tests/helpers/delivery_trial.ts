import { assert, assertEquals } from "@std/assert";
import type { CalmRate } from "../../lib/protocol/calm_rate.ts";
import { DeliverySender, type Transmission } from "../../lib/protocol/delivery_sender.ts";
import { concat } from "../../lib/protocol/lines.ts";
import { DATA_HEADER_BYTES } from "../../lib/protocol/payloads.ts";
import { RecordBlock } from "../../lib/protocol/record_block.ts";
import type { Message } from "../../lib/protocol/records.ts";

/** The largest record that fits into a packet, in bytes. */
export const LARGEST = 1_158;
/** A record that is small, in bytes. */
export const SMALL = 60;

/** The probe timeout after a validation of 20 ms: 20 + 4 * 10 + 25. */
export const PROBE_MS = 85;

/** The channel, and the first and the last number. */
export type Sent = [via: "udp" | "tcp", first: number, last: number];

/** A sender that is given messages whose ids are their delivery numbers. */
export class DeliveryTrial {
  readonly sender: DeliverySender;
  /** The number of the next packet. */
  packet = 0;
  #next = 0;

  constructor(sharedRate?: CalmRate) {
    this.sender = new DeliverySender(sharedRate);
  }

  /** A path that took 20 ms to be validated is open. */
  static open(sharedRate?: CalmRate): DeliveryTrial {
    const trial = new DeliveryTrial(sharedRate);
    trial.sender.openPath(20);
    return trial;
  }

  /** Gives it messages of so many bytes each. */
  push(bytes: number, count = 1): void {
    const messages = Array.from({ length: count }, (): Message => {
      const message = { id: this.#next++, from: "joe", sent: 0, text: "" };
      const text = "x".repeat(bytes - JSON.stringify(message).length);
      return { ...message, text };
    });
    this.sender.push(new RecordBlock(messages), 0, count);
  }

  /** What it wants sent now. */
  send(now: number, { tcp = true } = {}): Sent[] {
    const sent: Sent[] = [];
    const next = () => this.sender.next(now, this.packet, tcp ? Infinity : 0);
    for (let one; (one = next()) !== undefined;) {
      if (one.via === "udp") this.packet++;
      sent.push(summary(one));
    }
    return sent;
  }

  /** Gives it messages one by one, and has each sent before the next. */
  pushEach(bytes: number, count: number, now: number): Sent[] {
    return Array.from({ length: count }, () => {
      this.push(bytes);
      return this.send(now);
    }).flat();
  }

  acknowledge(
    now: number,
    largest: number,
    delivered: number,
    ranges: readonly (readonly [number, number])[] = [],
  ): void {
    assert(this.sender.acknowledge({ largest, delay: 0, delivered, ranges }, now));
  }
}

/** Checks that the records are those of the numbers. */
export function summary({ via, number, parts }: Transmission): Sent {
  const text = new TextDecoder().decode(concat([...parts]));
  const ids = (JSON.parse(`[${text}]`) as Message[]).map(({ id }) => id);
  assert(ids.length > 0, "nothing was sent");
  assertEquals(ids, ids.map((_, index) => number + index));
  if (via === "udp") assert(DATA_HEADER_BYTES + concat([...parts]).length <= 1_166);
  else assert(ids.length === 1 || text.length <= 65_536);
  return [via, number, ids.at(-1)!];
}

/** The numbers, each sent by UDP alone. */
export function alone(first: number, last: number): Sent[] {
  return Array.from({ length: last - first + 1 }, (_, i) => ["udp", first + i, first + i]);
}
