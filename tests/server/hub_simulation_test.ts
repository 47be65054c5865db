import { assert, assertEquals } from "@std/assert";
import type { Message } from "../../lib/protocol/records.ts";
import { type FakeClient, FakeServer } from "../helpers/fake_server.ts";
import { seededRandom } from "../helpers/lossy_link.ts";
import { TestDisk } from "../helpers/test_disk.ts";

/** So many runs, or the one whose seed `CHAT_SEED` gives. */
const RUNS = 50;
const STEPS = 80;
const NAMES = ["ann", "bob", "joe"];

/** A disk that takes its time, and now and then fails. */
class FlakyDisk extends TestDisk {
  /** How likely a sync fails. */
  failing = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    super();
    this.#random = random;
  }

  override readonly sync = async (): Promise<void> => {
    // What was to fail is settled when it is begun.
    const fails = this.#random() < this.failing;
    for (let turns = Math.floor(this.#random() * 4); turns > 0; turns--) await turn();
    if (fails) throw new Error("no disk");
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A client program, from its login to its end, through any number of connections. */
class Program {
  readonly name: string;
  client: FakeClient;
  readonly shown = new Map<number, Message>();
  /** What came on this connection, in order; what came twice on one; and what was acknowledged. */
  #here: number[] = [];
  readonly twice: number[] = [];
  readonly told = new Set<number>();
  /** The newest message when it logged in. */
  readonly since: number;
  last: number;
  nextRequest = 10;
  readonly unanswered = new Map<number, Record<string, unknown>>();
  received = 0;
  acknowledged = 0;
  connected = true;
  readonly #onSent: (message: number, request: Record<string, unknown>) => void;

  constructor(
    name: string,
    client: FakeClient,
    onSent: (message: number, request: Record<string, unknown>) => void,
  ) {
    this.name = name;
    this.client = client;
    this.since = this.last = client.welcome["latest"] as number;
    this.#onSent = onSent;
    void this.#read(client);
  }

  say(to: string | undefined, text: string): void {
    const id = this.nextRequest++;
    const request = to === undefined
      ? { type: "public", id, text }
      : { type: "direct", id, to, text };
    this.unanswered.set(id, request);
    if (this.connected) this.client.send(request);
  }

  acknowledge(random: () => number): void {
    this.acknowledged += Math.ceil(random() * (this.received - this.acknowledged));
    if (!this.connected) return;
    this.client.send({ type: "ack", delivered: this.acknowledged });
    for (const id of this.#here.slice(0, this.acknowledged)) this.told.add(id);
  }

  reconnect(client: FakeClient): void {
    this.client = client;
    this.connected = true;
    this.received = this.acknowledged = 0;
    this.#here = [];
    for (const request of this.unanswered.values()) client.send(request);
    void this.#read(client);
  }

  async #read(client: FakeClient): Promise<void> {
    for (;;) {
      const record = await client.next();
      if (client !== this.client || !this.connected || record["type"] === undefined) return;
      if (record["type"] === "deliver") {
        assertEquals(record["number"], this.received);
        for (const message of record["messages"] as Message[]) this.#show(message);
      }
      const id = record["id"] as number;
      const request = this.unanswered.get(id);
      if (request === undefined) continue;
      // Answers come in the order of the requests.
      assertEquals([...this.unanswered.keys()][0], id);
      this.unanswered.delete(id);
      if (record["type"] === "sent") this.#onSent(record["message"] as number, request);
      else assertEquals([record["type"], record["code"]], ["error", "not-stored"]);
    }
  }

  /** As the client does: what is not late comes in the order of the ids. */
  #show(message: Message): void {
    this.received++;
    const { id, late } = message;
    if (this.#here.includes(id)) this.twice.push(id);
    this.#here.push(id);
    const before = this.shown.get(id);
    if (before !== undefined) {
      assertEquals([before.text, late], [message.text, true], "twice, and not marked");
      return;
    }
    if (!late) {
      assert(id > this.last, `message ${id} comes after ${this.last}`);
      this.last = id;
    }
    this.shown.set(id, message);
  }
}

/** What others wrote to all, what was sent to the account, and what another program of the account sent. */
function isEntitled(
  program: Program,
  { from, to, by }: { from: string; to: unknown; by: Program | undefined },
): boolean {
  if (to === program.name) return true;
  return from === program.name ? by !== program : to === undefined;
}

async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const isFlaky = seed % 2 === 0;
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  const disk = new FlakyDisk(random);
  await using server = await FakeServer.start({ disk });
  const sent = new Map<number, { from: string; to: unknown; text: unknown; by: Program }>();
  const programs: Program[] = [];
  const ended: Program[] = [];

  const settle = async (turns = 30) => {
    for (; turns > 0; turns--) {
      server.clock.endTurn();
      await turn();
    }
  };
  const join = async (name: string) => {
    const client = await server.join(name);
    const program = new Program(name, client, (message, { to, text }) => {
      const before = sent.get(message);
      if (before !== undefined) assertEquals([before.by, before.text], [program, text]);
      sent.set(message, { from: name, to, text, by: program });
    });
    programs.push(program);
  };
  const withGoodDisk = async (action: () => Promise<void>) => {
    disk.failing = 0;
    await settle();
    await action();
  };
  const disconnect = (program: Program) => {
    program.connected = false;
    program.client.connection.disconnect();
  };
  const end = (program: Program) => {
    programs.splice(programs.indexOf(program), 1);
    ended.push(program);
  };
  const resume = async (program: Program) => {
    const client = await server.resume(program.client, program.last);
    assertEquals(client.welcome["type"], "welcome");
    program.reconnect(client);
  };

  for (const name of NAMES) await join(name);
  for (let step = 0; step < STEPS; step++) {
    const program = pick(programs);
    const what = random();
    disk.failing = isFlaky && random() < 0.1 ? 0.5 : 0;
    if (what < 0.5) {
      for (let count = Math.ceil(random() * 4); count > 0; count--) {
        program.say(
          random() < 0.5 ? undefined : pick(NAMES),
          `${step} ${count} of ${program.name}`,
        );
      }
    } else if (what < 0.7) program.acknowledge(random);
    else if (what < 0.8) disconnect(program);
    else if (what < 0.9) await withGoodDisk(() => resume(program));
    else if (what < 0.95) {
      if (programs.length < 6) await withGoodDisk(() => join(program.name));
    } else if (programs.filter(({ name }) => name === program.name).length > 1) {
      if (random() < 0.5) disconnect(program);
      else program.client.send({ type: "logout", id: 9_999_999 });
      end(program);
    }
    await settle(Math.floor(random() * 4));
  }

  // Everybody comes back and takes everything; a program of its own gets what waits still.
  await withGoodDisk(async () => {
    for (const program of programs) if (!program.connected) await resume(program);
  });
  await settle();
  server.clock.advance(2_000);
  for (let round = 0; round < 3; round++) {
    for (const program of programs) program.acknowledge(() => 1);
    await settle();
  }
  for (const program of programs) assertEquals(program.unanswered.size, 0, "unanswered");
  const all = [...programs, ...ended];
  for (const program of all) {
    const texts = [...program.shown.values()].map(({ text }) => text);
    assertEquals(texts.length, new Set(texts).size, "stored twice");
    if (!isFlaky) assertEquals(program.twice, []);
    for (const [id, { from, to, text }] of program.shown) {
      const stored = sent.get(id);
      // Of one who has gone nobody knows what was stored.
      if (stored !== undefined) {
        assertEquals([from, to, text], [stored.from, stored.to, stored.text]);
      }
      assert(isEntitled(program, { from, to, by: stored?.by }));
    }
  }
  for (const program of programs) {
    for (const [id, message] of sent) {
      if (id <= program.since) continue;
      const wanted = isEntitled(program, message);
      assertEquals(program.shown.has(id), wanted, `message ${id} at ${program.name}`);
    }
  }
  for (const name of NAMES) {
    const own = all.filter((program) => program.name === name);
    for (const [id, { to }] of sent) {
      if (to === name) assert(own.some(({ told }) => told.has(id)), `nobody got ${id}`);
    }
    for (const program of programs) if (program.name === name) disconnect(program);
    await settle();
    // Everything was acknowledged, so nothing comes again; but an acknowledgement that was not stored counts for nothing.
    const { shown } = await lateFor(name);
    if (!isFlaky) assertEquals([...shown.keys()], []);
  }

  async function lateFor(name: string): Promise<Program> {
    await join(name);
    await settle();
    return programs.at(-1)!;
  }
}

Deno.test("what is sent comes to everybody who is entitled to it, once and in order, whoever comes and goes", async () => {
  const only = Deno.env.get("CHAT_SEED");
  const seeds = only === undefined ? Array.from({ length: RUNS }, (_, i) => i + 1) : [Number(only)];
  for (const seed of seeds) {
    try {
      await simulate(seed);
    } catch (cause) {
      throw new Error(`to see this again: CHAT_SEED=${seed}`, { cause });
    }
  }
});
