import { assert, assertEquals } from "@std/assert";
import { Alarm } from "../../lib/clock.ts";
import { DeliveryReceiver } from "../../lib/protocol/delivery_receiver.ts";
import { DeliverySender } from "../../lib/protocol/delivery_sender.ts";
import type { Ack, Frame } from "../../lib/protocol/frames.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { LossyLink, seededRandom } from "../helpers/lossy_link.ts";

/** So many runs, or the one whose seed `CHAT_SEED` gives. */
const RUNS = 7_000;
const MESSAGES = 40;

const utf8 = new TextEncoder();

/** What a packet holds that goes from the sender to the receiver. */
interface DataPacket {
  number: number;
  frames: readonly Frame[];
}

/** What one run gives. */
interface Run {
  sent: string[];
  shown: string[];
  /** How many acknowledged messages took which channel. */
  via: { udp: number; tcp: number };
}

/** One seeded run over a bad link, in the middle of which UDP may be blocked for a while. */
function simulate(seed: number, loss: number): Run {
  const clock = new FakeClock();
  const random = seededRandom(seed);
  const sender = new DeliverySender();
  const receiver = new DeliveryReceiver<string>();
  const shown: string[] = [];
  const link = { loss, duplicate: 0.1, delay: random() * 100, jitter: random() * 100, random };
  let nextPacket = 0;

  const data = new LossyLink<DataPacket>(clock, {
    ...link,
    deliver: ({ number, frames }) => {
      for (const frame of frames) take(frame);
      receiver.packetReceived(number, clock.now());
      acknowledge();
    },
  });
  const acks = new LossyLink<Ack>(clock, {
    ...link,
    deliver: (ack) => {
      assert(sender.acknowledge(ack, clock.now()));
      transmit();
    },
  });
  function take({ number, record }: Frame): void {
    shown.push(...receiver.receive(number, new TextDecoder().decode(record)));
  }
  const ackAlarm = new Alarm(clock, acknowledge);
  function acknowledge(): void {
    const ack = receiver.takeAck(clock.now());
    if (ack !== undefined) acks.send(ack);
    ackAlarm.set(receiver.deadline());
  }
  /** TCP: late, but nothing is lost or reordered; its acknowledgement comes the same way. */
  let tcpFreeAt = 0;
  function sendOverTcp(frame: Frame): void {
    tcpFreeAt = Math.max(tcpFreeAt, clock.now()) + 1;
    clock.after(tcpFreeAt - clock.now() + link.delay, () => {
      take(frame);
      const delivered = receiver.delivered;
      clock.after(link.delay, () => {
        assert(sender.acknowledgeAll(delivered));
        transmit();
      });
    });
  }
  const sendAlarm = new Alarm(clock, () => {
    sender.timeOut(clock.now());
    transmit();
  });
  function transmit(): void {
    for (let next; (next = sender.next(clock.now(), nextPacket)) !== undefined;) {
      if (next.via === "udp") data.send({ number: nextPacket++, frames: next.frames });
      else sendOverTcp(next.frame);
    }
    sendAlarm.set(sender.deadline());
  }

  const sent: string[] = [];
  const via = { udp: 0, tcp: 0 };
  sender.openPath(20);
  for (let index = 0; index < MESSAGES; index++) {
    clock.after(random() * 3_000, () => {
      const text = `message ${index} `.repeat(1 + random() * 30);
      sent.push(text);
      sender.push(utf8.encode(text), {
        acknowledged: (channel) => via[channel]++,
        lost: () => assert(false, "a receipt was lost"),
      });
      transmit();
    });
  }
  clock.advance(60_000);
  assertEquals(sender.backlogBytes, 0, `seed ${seed}: something was never acknowledged`);
  return { sent, shown, via };
}

Deno.test("delivery shows every message once and in order over links that lose 0 to 60 %", () => {
  const only = Deno.env.get("CHAT_SEED");
  const seeds = only === undefined ? Array.from({ length: RUNS }, (_, i) => i + 1) : [Number(only)];
  const total = Array.from({ length: 7 }, () => ({ runs: 0, udp: 0, tcp: 0 }));
  for (const seed of seeds) {
    const { sent, shown, via } = simulate(seed, (seed % 7) / 10);
    assertEquals(shown, sent, `to see this again: CHAT_SEED=${seed}`);
    const sum = total[seed % 7]!;
    sum.runs++;
    sum.udp += via.udp;
    sum.tcp += via.tcp;
  }
  for (const [tenth, { runs, udp, tcp }] of total.entries()) {
    if (runs === 0) continue;
    const share = Math.round(100 * udp / (udp + tcp));
    console.log(
      `${tenth * 10} % lost: ${runs} runs, ${udp + tcp} messages, ${share} % by UDP alone`,
    );
  }
});
