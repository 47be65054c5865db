// Rooms within one process, without sockets: fan-out beside the lobby's, many rooms, and a million memberships.
import { parseArgs } from "@std/cli/parse-args";
import { systemClock } from "../../lib/clock.ts";
import { LocalJournal } from "../../lib/journal/local_journal.ts";
import { Projection } from "../../lib/journal/projection.ts";
import { Database } from "../../lib/messages/database.ts";
import type { RecordBlock } from "../../lib/protocol/record_block.ts";
import type { Member } from "../../lib/server/active_user.ts";
import { Hub } from "../../lib/server/hub.ts";
import type { Ledger } from "../../lib/server/marks.ts";

const { memberships: given = "1000000" } = parseArgs(Deno.args, { string: ["memberships"] });
const MEMBERSHIPS = Number(given);
/** So many events are appended before the first of them is waited for. */
const AT_ONCE = 5_000;

/** A session that takes everything and acknowledges it when it is told to. */
class Taker implements Member {
  readonly login = undefined;
  readonly backlogBytes = 0;
  readonly load = 0;
  readonly deliveries = { delivered: 0, wentByTcp: () => true };
  readonly username: string;
  ledger: Ledger | undefined;
  taken = 0;
  calls = 0;

  constructor(username: string) {
    this.username = username;
  }
  deliver(_block: RecordBlock, from: number, to: number): number {
    const number = this.taken;
    this.taken += to - from;
    this.calls++;
    return number;
  }
  flush(): void {}
  expel(): void {}
  relief(): undefined {}
  backpressure(): undefined {}
  notify(): void {}
  fail(_code: string, why: string): void {
    throw new Error(why);
  }
}

/** What a server is made of, as far as messages go. */
class Parts implements Disposable {
  readonly database: Database;
  readonly projection: Projection;
  readonly journal: LocalJournal;
  readonly hub: Hub;

  constructor(path: string) {
    this.database = new Database(path, { clock: systemClock });
    this.projection = new Projection(this.database);
    this.journal = new LocalJournal(this.database, this.projection);
    this.hub = new Hub({
      clock: systemClock,
      journal: this.journal,
      projection: this.projection,
      rate: { burst: 1e9, perSecond: 1e9 },
      maxBacklogBytes: 2 ** 40,
    });
  }

  async join(name: string): Promise<Taker> {
    const taker = new Taker(name);
    const last = this.journal.last;
    await this.hub.join(taker, { last, began: last });
    return taker;
  }

  make(name: string, by: string): Promise<number> {
    return this.journal.append({ type: "room-made", name, by, at: 1 });
  }

  enter(room: number, by: string): Promise<number> {
    return this.journal.append({ type: "room-joined", room, by, at: 1 });
  }

  [Symbol.dispose](): void {
    this.database[Symbol.dispose]();
  }
}

/** Does many things, some at once. */
async function all<T>(count: number, act: (at: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let first = 0; first < count; first += AT_ONCE) {
    const some = Math.min(AT_ONCE, count - first);
    results.push(...await Promise.all(Array.from({ length: some }, (_, at) => act(first + at))));
  }
  return results;
}

async function timed<T>(act: () => Promise<T> | T): Promise<[ms: number, result: T]> {
  const start = performance.now();
  const result = await act();
  return [performance.now() - start, result];
}

const memory = () => `${(Deno.memoryUsage().rss / 1_048_576).toFixed(0)} MiB`;
const us = (ms: number, count: number) => `${(1_000 * ms / count).toFixed(2)} us`;

/** Messages one after another, so that each is a turn of its own; then many at once. */
async function fanOut(receivers: number): Promise<void> {
  using parts = new Parts(":memory:");
  const takers = await Promise.all(
    Array.from({ length: receivers + 1 }, (_, at) => parts.join(`user${at}`)),
  );
  const room = await parts.make("lab", "user0");
  await all(receivers, (at) => parts.enter(room, `user${at + 1}`));
  for (const where of ["lobby", "room", "lobby", "room"]) {
    const send = () =>
      parts.hub.send("user0", {
        ...where === "room" && { room },
        ...{ text: "x".repeat(80), origin: undefined },
      });
    for (let count = 0; count < 50; count++) await send();
    const [alone] = await timed(async () => {
      for (let count = 0; count < 200; count++) await send();
    });
    const before = takers[1]!.calls;
    const [together] = await timed(() => all(20_000, send));
    const calls = takers[1]!.calls - before;
    console.log(
      `${where.padEnd(5)} ${receivers} receivers: ${us(alone, 200)} a message alone, ` +
        `${us(together, 20_000)} at once (${calls} ranges a receiver for 20,000 messages)`,
    );
  }
  for (const taker of takers.slice(1)) if (taker.taken < 80_000) throw new Error("not all came");
}

async function manyRooms(rooms: number, members: number): Promise<void> {
  using parts = new Parts(":memory:");
  const before = Deno.memoryUsage().rss;
  await all(rooms, (at) => parts.join(`user${at}`));
  const joined = Deno.memoryUsage().rss;
  const ids = await all(rooms, (at) => parts.make(`room${at}`, `user${at}`));
  await all(rooms * (members - 1), (at) => {
    const room = at % rooms;
    return parts.enter(ids[room]!, `user${(room + 1 + Math.floor(at / rooms) * 37) % rooms}`);
  });
  const say = (at: number) => {
    const room = (at * 7_919) % rooms;
    return parts.hub.send(`user${room}`, { room: ids[room]!, text: "hello", origin: undefined });
  };
  const [alone] = await timed(async () => {
    for (let at = 0; at < 1_000; at++) await say(at);
  });
  const [together] = await timed(() => all(50_000, say));
  const mib = (bytes: number) => `${(bytes / 1_048_576).toFixed(0)} MiB`;
  console.log(
    `${rooms} rooms of ${members}, all ${rooms} users here: ${us(alone, 1_000)} a message alone, ` +
      `${us(together, 50_000)} at once; users ${mib(joined - before)}, rooms and what was said ` +
      `${mib(Deno.memoryUsage().rss - joined)}, tables in memory included`,
  );
}

async function startUp(memberships: number): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/messages.db`;
    const users = Math.ceil(memberships / 100);
    {
      using parts = new Parts(path);
      const ids = await all(10_000, (at) => parts.make(`room${at}`, `user${at % users}`));
      const [ms] = await timed(() =>
        all(memberships - 10_000, (at) => {
          const [user, count] = [at % users, Math.floor(at / users)];
          return parts.enter(ids[(user + count * 101 + 1) % 10_000]!, `user${user}`);
        })
      );
      console.log(`${memberships} joined: ${us(ms, memberships)} each`);
    }
    const size = (await Deno.stat(path)).size / 1_048_576;
    const [opening, parts] = await timed(() => new Parts(path));
    using _parts = parts;
    const [login] = await timed(() => parts.join("user7"));
    const [logins] = await timed(() => all(1_000, (at) => parts.join(`user${at + 10}`)));
    const [list, listed] = await timed(() => parts.projection.rooms.listFor("user7"));
    console.log(
      `start-up with ${memberships} memberships (${size.toFixed(0)} MiB): ${
        opening.toFixed(1)
      } ms, ` +
        `the first login of one in 100 rooms ${login.toFixed(1)} ms, 1,000 more ${
          us(logins, 1_000)
        } ` +
        `each; LS of ${listed.rooms.length} rooms ${list.toFixed(1)} ms; memory ${memory()}`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

await fanOut(10);
await fanOut(1_000);
await manyRooms(10_000, 10);
await startUp(MEMBERSHIPS);
