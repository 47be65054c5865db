import { assert, assertEquals } from "@std/assert";
import type { MsgHdrs } from "../../lib/cluster/nats.ts";
import { OrderedPublisher } from "../../lib/cluster/ordered_publisher.ts";
import type { ClusterStream } from "../../lib/cluster/stream.ts";
import { EARLY, parseTurn, REPEATED, TURN, type Turn, Turns } from "../../lib/cluster/turns.ts";
import { decodeEvent } from "../../lib/cluster/wire.ts";
import type { JournalEvent } from "../../lib/journal/events.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { seededRandom } from "../helpers/lossy_link.ts";
import { TestStore } from "../helpers/test_store.ts";

const ANSWER_MS = 2_000;

/** A stream that loses events, or its answers, and lets later events overtake, as long as it is bad. */
class BadStream {
  readonly name = "chat";
  readonly answerMs = ANSWER_MS;
  readonly client = {
    publish: (_subject: string, data: string, { headers }: { headers: MsgHdrs }) =>
      this.#publish(data, headers),
  };
  isBad = true;
  published = 0;
  /** The events that count, in order. */
  readonly counted: number[] = [];
  newest: Turn | undefined;
  #numbers = 0;
  readonly #clock: FakeClock;
  readonly #random: () => number;
  readonly #turns: Turns;
  publisher!: OrderedPublisher;

  constructor(clock: FakeClock, random: () => number, turns: Turns) {
    this.#clock = clock;
    this.#random = random;
    this.#turns = turns;
  }

  #publish(data: string, headers: MsgHdrs): Promise<void> {
    this.published++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isStored = !this.isBad || this.#random() < 0.7;
    const isAnswered = isStored && (!this.isBad || this.#random() < 0.8);
    const delay = this.isBad ? this.#random() * 100 : 1;
    if (isStored) this.#clock.after(delay, () => this.#store(data, headers));
    if (isAnswered) this.#clock.after(delay + 1, resolve);
    else this.#clock.after(ANSWER_MS, () => reject(new Error("timeout")));
    return promise;
  }

  #store(data: string, headers: MsgHdrs): void {
    const number = ++this.#numbers;
    const turn = parseTurn(headers.get(TURN))!;
    const event = decodeEvent(new TextEncoder().encode(data));
    const entry = { number, event, outcome: number as number | Error, turn };
    this.#turns.judge([entry]);
    // Nobody knows whether that was stored, so it is applied again.
    if (this.isBad && this.#random() < 0.2) {
      entry.outcome = number;
      this.#turns.judge([entry]);
    }
    this.#turns.keep();
    if (entry.outcome === EARLY) return this.publisher.early(turn);
    if (entry.outcome === REPEATED) return;
    this.newest = turn;
    this.counted.push((event as { login: number }).login);
    this.publisher.take(turn)?.settled(number);
  }
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let i = 0; i < ms; i += 10) {
    clock.advance(10);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

function setUp(seed: number) {
  const store = new TestStore();
  const clock = new FakeClock();
  const stream = new BadStream(clock, seededRandom(seed), new Turns(store.database));
  const over = new AbortController();
  const available: boolean[] = [];
  const publisher = stream.publisher = new OrderedPublisher({
    stream: stream as unknown as ClusterStream,
    clock,
    onPublished: (taken) => available.push(taken),
    notStored: (why) => new Error(`not stored: ${why}`),
    signal: over.signal,
  });
  const outcomes = new Map<number, number | string>();
  const publish = (login: number) => {
    const event: JournalEvent = { type: "login-ended", login };
    publisher.publish({
      event,
      settled: (outcome) =>
        outcomes.set(login, outcome instanceof Error ? outcome.message : outcome),
    });
  };
  return { store, clock, stream, publish, outcomes, over };
}

for (let seed = 1; seed <= 10; seed++) {
  Deno.test(`OrderedPublisher has events count once and in order, whatever is lost (seed ${seed})`, async () => {
    const { store, clock, stream, publish, outcomes, over } = setUp(seed);
    const random = seededRandom(seed);
    const sent = Array.from({ length: 200 }, (_, i) => i + 1);
    for (const login of sent) {
      publish(login);
      if (random() < 0.3) await pass(clock, 20);
    }
    await pass(clock, 5_000);
    stream.isBad = false;
    await pass(clock, 5_000);
    assertEquals(stream.counted, sent);
    assertEquals([...outcomes.keys()], sent);
    // What counts is known after a restart too.
    const event: JournalEvent = { type: "login-ended", login: 1 };
    const again = { number: 1_000, event, outcome: 1_000 as number | Error, turn: stream.newest };
    new Turns(store.database).judge([again]);
    assertEquals(again.outcome, REPEATED);
    over.abort();
    store[Symbol.dispose]();
  });
}

Deno.test("OrderedPublisher publishes each event once where nothing is lost", async () => {
  const { store, clock, stream, publish, over } = setUp(1);
  stream.isBad = false;
  for (let login = 1; login <= 100; login++) publish(login);
  await pass(clock, 100);
  assertEquals(stream.published, 100);
  assertEquals(stream.counted.length, 100);
  over.abort();
  store[Symbol.dispose]();
});

Deno.test("OrderedPublisher gives up after a minute, and what follows still counts in order", async () => {
  const { store, clock, stream, publish, outcomes, over } = setUp(1);
  const stored = stream.client.publish;
  stream.client.publish = () => Promise.reject(new Error("no leader"));
  publish(1);
  publish(2);
  await pass(clock, 30_000);
  publish(3);
  publish(4);
  await pass(clock, 31_000);
  assertEquals([...outcomes], [[1, "not stored: no leader"], [2, "not stored: no leader"]]);
  stream.isBad = false;
  stream.client.publish = stored;
  await pass(clock, 1_000);
  assertEquals(stream.counted, [3, 4]);
  assert(typeof outcomes.get(3) === "number");
  over.abort();
  store[Symbol.dispose]();
});
