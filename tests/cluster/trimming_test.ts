import { assert, assertEquals, assertRejects } from "@std/assert";
import { connect, jetstreamManager } from "../../lib/cluster/nats.ts";
import { ExitError } from "../../lib/exit.ts";
import { fillFrom } from "../../lib/journal/copy.ts";
import type { JournalEvent, MessageEvent } from "../../lib/journal/events.ts";
import { Snapshots } from "../../lib/cluster/snapshots.ts";
import { systemClock } from "../../lib/clock.ts";
import { ConflictError } from "../../lib/journal/journal.ts";
import { Projection } from "../../lib/journal/projection.ts";
import { Database } from "../../lib/messages/database.ts";
import { NatsServer } from "../helpers/nats.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { openStream, type StreamUnderTest } from "./open_stream.ts";
import { contentOf } from "./tables.ts";

const NAMES = ["ann", "bob", "cid", "dan", "eve", "fay"];

/** Pseudorandom numbers below 1 (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, seed | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

/** Events of every kind, many of which come to nothing. */
class Life {
  readonly #random: () => number;
  readonly #journal;
  readonly #logins: number[] = [];
  readonly #rooms: number[] = [];
  readonly #said: number[] = [];
  readonly #requests = new Map<number, { request: number; text: string }>();
  #count = 0;

  constructor({ journal }: StreamUnderTest, seed: number) {
    this.#random = seeded(seed);
    this.#journal = journal;
  }

  /** The ids of all messages so far, in order. */
  get said(): readonly number[] {
    return this.#said;
  }

  async begin(): Promise<void> {
    for (const account of NAMES) {
      await this.#journal.append({
        ...{ type: "account-changed", account, identity: account, line: `${account}:x` },
        ...account === "ann" && { role: "operator", at: 1 },
      });
    }
    await this.#step({ type: "room-made", name: "lab", by: "ann", at: 1 });
  }

  async go(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) await this.#step(this.#next());
  }

  async #step(event: JournalEvent): Promise<void> {
    // What can't come to pass is in the stream all the same.
    const number = await this.#journal.append(event).catch(() => undefined);
    if (number === undefined) return;
    if (event.type === "login") this.#logins.push(number);
    if (event.type === "room-made") this.#rooms.push(number);
    if (event.type === "message") this.#said.push(number);
  }

  #next(): JournalEvent {
    const n = ++this.#count;
    const at = n;
    const who = this.#one(NAMES)!;
    const other = this.#one(NAMES)!;
    const room = this.#one(this.#rooms)!;
    const login = this.#one(this.#logins) ?? 1;
    switch (Math.floor(this.#random() * 26)) {
      case 0:
        return {
          ...{ type: "login", account: who, credential: "c", last: this.#journal.last },
          ...{ token: n.toString(16).padStart(64, "0"), expires: n + 400 },
        };
      case 1:
        return { type: "login-extended", login, expires: n + 600 };
      case 2:
        return this.#random() < 0.5
          ? { type: "login-ended", login }
          : { type: "logins-expired", by: n - 300 };
      case 3:
        return { type: "account-seen", account: who, last: this.#journal.last };
      case 4:
        return { type: "rooms-heard", accounts: [[who, this.#journal.last]] };
      case 5:
        return this.#rooms.length < 5
          ? { type: "room-made", name: `r${n}`, by: who, at }
          : { type: "room-joined", room, by: who, at };
      case 6:
      case 7:
        return { type: "room-joined", room, by: who, at };
      case 8:
        return { type: "room-left", room, by: who, at };
      case 9: {
        const what = this.#one(["kick", "mute", "unmute", "moderator", "ban", "unban"] as const)!;
        return { type: "room-act", room, what, by: who, user: other, at };
      }
      case 10: {
        const what = this.#one(["mute", "unmute", "ban", "unban"] as const)!;
        return { type: "operation", what, by: "ann", user: other, at, until: n + 50 };
      }
      case 11:
        // Another account of the name would be no operator.
        if (who === "ann") return { type: "account-seen", account: who, last: this.#journal.last };
        if (this.#random() < 0.3) return { type: "account-removed", account: who };
        return {
          ...{ type: "account-changed", account: who },
          ...{ identity: `${who}${n % 3}`, line: `${who}:${n}` },
        };
      case 12:
      case 13: {
        const message = this.#one(this.#said.slice(-40)) ?? 1;
        return { type: "message-deleted", message, by: "ann", at };
      }
      case 14:
      case 15:
      case 16:
        return {
          type: "acknowledgement",
          account: who,
          messages: this.#said.slice(-20).filter(() => this.#random() < 0.5),
        };
      default:
        return this.#message({ who, other, login, at });
    }
  }

  #message({ who, other, login, at }: {
    who: string;
    other: string;
    login: number;
    at: number;
  }): MessageEvent {
    const kind = this.#random();
    const known = this.#requests.get(login);
    const again = this.#random() < 0.2 ? known : undefined;
    const request = again ?? { request: (known?.request ?? 0) + 1, text: `text ${at}` };
    this.#requests.set(login, request);
    return {
      ...{ type: "message", from: who, sent: at, text: request.text },
      to: kind < 0.4 ? other : undefined,
      ...kind > 0.8 && { room: this.#one(this.#rooms) },
      origin: this.#random() < 0.8 ? { login, request: request.request } : undefined,
    };
  }

  #one<T>(some: readonly T[]): T | undefined {
    return some[Math.floor(this.#random() * some.length)];
  }
}

/** The ids of all messages that the stream has, or the newest snapshot; and how many events the stream has. */
async function stored(address: string): Promise<{ ids: number[]; count: number }> {
  await using connection = await connect({ servers: address });
  const { streams } = await jetstreamManager(connection);
  const everything = async (name: string) => {
    const { state: { first_seq: first, last_seq: last } } = await streams.info(name);
    const numbers = Array.from({ length: last + 1 - first }, (_, i) => first + i);
    const found = await Promise.all(numbers.map((seq) => streams.getMessage(name, { seq })));
    return found.filter((message) => message !== null);
  };
  const events = await everything("chat");
  const ids = events.filter(({ subject }) => subject === "chat.message").map(({ seq }) => seq);
  for (const message of await everything("chat-snapshot")) {
    if (message.subject === "chat-snapshot.newest") continue;
    type Part = { table: string; columns: string[]; rows: number[][] };
    const { table, columns, rows } = message.json<Part>();
    if (table === "messages") ids.push(...rows.map((row) => row[columns.indexOf("id")]!));
  }
  return { ids: ids.sort((a, b) => a - b), count: events.length };
}

Deno.test("who is new to a trimmed stream, or was away, has what those have who were there", async () => {
  let deleted = 0;
  for (const seed of [1, 2, 3]) {
    await using nats = await NatsServer.start();
    const options = { servers: [nats.address] };
    await using there = await TempFolder.create();
    await using away = await TempFolder.create();
    await using opened = await openStream(there.path, options);
    const life = new Life(opened, seed);
    await life.begin();
    for (let round = 1; round <= 3; round++) {
      await life.go(150);
      // It is away, and comes back to go on with the others.
      await (await openStream(away.path, options))[Symbol.asyncDispose]();
      await life.go(150);
      const before = life.said.at(-40)!;
      await opened.journal.append({ type: "messages-expired", before });
      await opened.trim();
      await opened.trim();
      // One more, of which the stream has no deleted text any more.
      await opened.journal.append({ type: "login-ended", login: 0 });
      await opened.trim();
      await opened.trim();
      // What is kept of the messages is all that NATS has of them.
      const messages = contentOf(opened.database)["messages"]!;
      deleted += messages.filter(({ deleted_by }) => deleted_by !== null).length;
      const kept = messages.map(({ id }) => id as number);
      const { ids, count } = await stored(nats.address);
      assertEquals(ids, kept.sort((a, b) => a - b));
      assert(count <= ids.length, "there are messages alone");
      await using young = await TempFolder.create();
      await using joined = await openStream(young.path, options);
      await life.go(100);
      await opened.journal.append({ type: "login-ended", login: 0 });
      await joined.journal.catchUp();
      await using again = await openStream(away.path, options);
      assertEquals(
        [joined, again].map(({ journal }) => journal.last),
        Array(2).fill(opened.journal.last),
      );
      const content = contentOf(opened.database);
      assertEquals(contentOf(joined.database), content, `seed ${seed}, round ${round}`);
      assertEquals(contentOf(again.database), content, `seed ${seed}, round ${round}`);
      assert(joined.recorder.entries.length < 250, "it began with a snapshot");
    }
  }
  assert(deleted > 10, `${deleted} messages that operators have deleted`);
});

function made(account: string, since: number): JournalEvent {
  return { type: "account-made", account, identity: account, since };
}

function said(text: string): JournalEvent {
  return { type: "message", from: "ann", to: undefined, sent: 1, text, origin: undefined };
}

Deno.test("a name is claimed once though the events about it were trimmed", async () => {
  await using nats = await NatsServer.start();
  await using folder = await TempFolder.create();
  await using opened = await openStream(folder.path, { servers: [nats.address] });
  const { journal, trim } = opened;
  const since = await journal.append(said("before"));
  await journal.append(made("ann", since), { since });
  const last = await journal.append(said("after"));
  await trim();
  await trim();
  await assertRejects(
    () => journal.append(made("ann", since), { since }),
    ConflictError,
    "trimmed",
  );
  await assertRejects(
    () => journal.append(made("bob", since), { since }),
    ConflictError,
    "trimmed",
  );
  await journal.append(made("bob", last), { since: last });
});

Deno.test("a server that lags behind what is trimmed ends, and another one that is killed while it is restored begins anew", async () => {
  await using nats = await NatsServer.start();
  const options = { servers: [nats.address] };
  await using there = await TempFolder.create();
  await using behind = await TempFolder.create();
  await using opened = await openStream(there.path, options);
  const { journal, trim } = opened;
  await journal.append(made("ann", 0));
  await journal.append(said("one"));
  await using early = await openStream(behind.path, options);
  await early[Symbol.asyncDispose]();
  await journal.append(made("bob", 0));
  await journal.append(said("two"));
  await trim();
  // It is in the stream until those who lag have read it.
  assertEquals((await stored(nats.address)).count, 4);
  await journal.append(made("cid", 0));
  await trim();
  assertEquals((await stored(nats.address)).count, 3);
  const problem = Promise.withResolvers<string>();
  const lagging = openStream(behind.path, {
    ...options,
    ...{ restores: false, onFailed: problem.resolve },
  });
  const reason =
    "event 3 was trimmed while this server was away: started again, it begins with a snapshot";
  await assertRejects(() => lagging, ExitError, reason);
  assertEquals(await problem.promise, reason);

  using database = new Database(behind.file("messages.db"), { clock: systemClock });
  const { stream } = opened;
  const snapshots = new Snapshots(stream);
  const { manifest } = await snapshots.newest();
  const projection = new Projection(database, { stream: stream.id });
  const snapshot = { upTo: manifest!.upTo, parts: (await snapshots.read(manifest!))! };
  const killed = fillFrom(snapshot, {
    ...{ projection, database },
    // deno-lint-ignore require-yield
    readMessages: async function* () {
      throw new Error("killed");
    },
  });
  await assertRejects(() => killed, Error, "killed");
  database[Symbol.dispose]();
  await using again = await openStream(behind.path, options);
  assertEquals(contentOf(again.database), contentOf(opened.database));
});

Deno.test("a snapshot of another version is refused, and said to be one", async () => {
  await using nats = await NatsServer.start();
  const options = { servers: [nats.address] };
  await using folder = await TempFolder.create();
  await using young = await TempFolder.create();
  await using opened = await openStream(folder.path, options);
  await opened.journal.append(made("ann", 0));
  await opened.trim();
  await opened.trim();
  const snapshots = new Snapshots(opened.stream);
  const { manifest, number } = await snapshots.newest();
  assert(await snapshots.replace({ ...manifest!, schema: 999 }, number));
  // Whoever read an older one before has not seen it.
  assert(!await snapshots.replace(manifest!, number));
  await assertRejects(
    () => openStream(young.path, options),
    ExitError,
    "the newest snapshot of the stream chat is of a newer chatserver (schema 999",
  );
});
