import { assert, assertEquals } from "@std/assert";
import type { RoomEvent } from "../../lib/journal/events.ts";
import type { Message } from "../../lib/protocol/records.ts";
import { type FakeClient, FakeServer } from "../helpers/fake_server.ts";
import { seededRandom } from "../helpers/lossy_link.ts";
import { TestDisk } from "../helpers/test_disk.ts";

/** So many runs, or the one whose seed `CHAT_SEED` gives. */
const RUNS = 50;
const STEPS = 80;
const NAMES = ["ann", "bob", "joe"];
const ROOMS = ["lab", "two"];
/** Why something about a room may be refused. */
const REFUSALS = new Set(["not-stored", "not-in-room", "not-allowed", "no-such-room"]);

/** Who was in which room when: as the events say that came to pass. */
class Memberships {
  /** Of each room by its name: since which event who is in it. */
  readonly #rooms = new Map<string, { number: number; users: ReadonlySet<string> }[]>();
  readonly #names = new Map<number, string>();

  note(number: number, event: RoomEvent): void {
    if (event.type === "room-made") this.#names.set(number, event.name);
    const name = this.#names.get(event.type === "room-made" ? number : event.room)!;
    const changes = this.#rooms.get(name) ?? [];
    const users = new Set(changes.at(-1)?.users);
    if (event.type === "room-made" || event.type === "room-joined") users.add(event.by);
    else if (event.type === "room-left") users.delete(event.by);
    else if (event.what === "kick" || event.what === "ban") users.delete(event.user!);
    changes.push({ number, users });
    this.#rooms.set(name, changes);
  }

  /** Whether a user was in a room when a message was stored. */
  has(room: string, user: string, message: number): boolean {
    const change = this.#rooms.get(room)?.findLast(({ number }) => number < message);
    return change?.users.has(user) ?? false;
  }

  get changes(): number {
    return [...this.#rooms.values()].flat().length;
  }
}

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
  /** What it said to have when it came back last: so far it need not acknowledge what it did not. */
  claimed = 0;
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

  ask(unnumbered: Record<string, unknown>): void {
    const id = this.nextRequest++;
    const request = { ...unnumbered, id };
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
    this.claimed = this.last;
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
      else if (record["type"] === "error") {
        const isOfRoom = request["room"] !== undefined;
        const code = record["code"] as string;
        assert(isOfRoom ? REFUSALS.has(code) : code === "not-stored", code);
      } else assert(request["type"] !== "public" && request["type"] !== "direct");
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

/** A message as its sender knows it. */
interface SentMessage {
  from: string;
  to: unknown;
  room: unknown;
  text: unknown;
  by: Program;
}

/**
 * What others wrote to all, or in rooms that the account was in then, what was sent to the account, and what another
 * program of the account sent.
 */
function isEntitled(
  program: Program,
  { id, from, to, room, by }: Omit<SentMessage, "text" | "by"> & { id: number; by?: Program },
  memberships: Memberships,
): boolean {
  if (to === program.name) return true;
  if (from === program.name) return by !== program;
  if (room !== undefined) return memberships.has(room as string, program.name, id);
  return to === undefined;
}

/** Something about a room that a program may want. */
function roomRequest(random: () => number, pick: <T>(items: readonly T[]) => T) {
  const room = pick(ROOMS);
  const what = random();
  if (what < 0.5) return { type: "join", room };
  if (what < 0.65) return { type: "leave", room };
  return { type: "act", room, what: pick(["kick", "kick", "ban", "unban"]), user: pick(NAMES) };
}

async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const isFlaky = seed % 2 === 0;
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  const disk = new FlakyDisk(random);
  await using server = await FakeServer.start({ disk });
  const memberships = new Memberships();
  const { onRoom } = server.projection;
  server.projection.onRoom = (number, event) => {
    memberships.note(number, event);
    onRoom(number, event);
  };
  const sent = new Map<number, SentMessage>();
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
    const program = new Program(name, client, (message, { to, room, text }) => {
      const before = sent.get(message);
      if (before !== undefined) assertEquals([before.by, before.text], [program, text]);
      sent.set(message, { from: name, to, room, text, by: program });
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
        const [kind, text] = [random(), `${step} ${count} of ${program.name}`];
        program.ask(
          kind < 0.3
            ? { type: "public", text }
            : kind < 0.55
            ? { type: "direct", to: pick(NAMES), text }
            : kind < 0.8
            ? { type: "say", room: pick(ROOMS), text }
            : roomRequest(random, pick),
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
    for (const [id, { from, to, room, text }] of program.shown) {
      const stored = sent.get(id);
      // Of one who has gone nobody knows what was stored.
      if (stored !== undefined) {
        assertEquals(
          [from, to, room, text],
          [stored.from, stored.to, stored.room, stored.text],
        );
      }
      const by = stored && { by: stored.by };
      const entitled = isEntitled(program, { id, from, to, room, ...by }, memberships);
      assert(entitled, `message ${id} of ${room} at ${program.name}`);
    }
  }
  for (const program of programs) {
    for (const [id, message] of sent) {
      if (id <= program.since) continue;
      const wanted = isEntitled(program, { id, ...message }, memberships);
      assertEquals(program.shown.has(id), wanted, `message ${id} at ${program.name}`);
    }
  }
  for (const name of NAMES) {
    const own = all.filter((program) => program.name === name);
    for (const [id, { from, to, room }] of sent) {
      const isOfRoom = typeof room === "string" && from !== name &&
        memberships.has(room, name, id);
      if (to === name || isOfRoom) {
        const got = ({ told, shown, claimed }: Program) =>
          told.has(id) || isOfRoom && shown.has(id) && id <= claimed;
        assert(own.some(got), `nobody got ${id}`);
      }
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
