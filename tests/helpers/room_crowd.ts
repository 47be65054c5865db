import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { formatPhc, hashPassword } from "../../lib/accounts/phc.ts";
import { RequestError } from "../../lib/client/session.ts";
import type { ByteStream } from "../../lib/net/stream.ts";
import { seededRandom } from "./lossy_link.ts";
import { openUdp, RunningClient } from "./running_server.ts";

const CLIENTS = 200;
const ROOMS = 40;
const ROOMS_OF_CLIENT = 8;
/** How long everything has to be quiet until nothing more is expected, in milliseconds. */
const QUIET_MS = 2_000;
/** Why something may be refused, by the time that it comes to the server. */
const REFUSALS = new Set(["not-in-room", "not-allowed", "no-such-room", "not-stored"]);

/** What one client was shown. */
interface Shown {
  username: string;
  /** In the order in which it came. */
  messages: { id: number; late: boolean }[];
  /** How often it came back. */
  returns: number;
}

/** What clients did in rooms, and what came of it. */
export interface RoomLedger {
  shown: Shown[];
  /** The ids of the messages that were confirmed to who said them. */
  said: number[];
  /** How many joins, leaves, kicks and bans there were, and how much was refused. */
  deeds: number;
  refused: number;
}

/** Makes the accounts of the crowd, named as their passwords, with hashes that cost nothing. */
export async function makeRoomAccounts(folder: string): Promise<void> {
  const lines = await Promise.all(
    names().map(async (name) =>
      `${name}:${formatPhc(await hashPassword(name, { ln: 1, r: 8, p: 1 }))}\n`
    ),
  );
  await Deno.writeTextFile(`${folder}/credentials.txt`, lines.join(""));
}

/** Two hundred clients in this process, in forty overlapping rooms, who talk, join, leave, kick and ban. */
export class RoomCrowd implements Disposable {
  readonly #clients: readonly RunningClient[];
  readonly #random: () => number;
  readonly #said: number[] = [];
  #deeds = 0;
  #refused = 0;
  #over = false;
  #chatting: Promise<unknown> = Promise.resolve();

  private constructor(clients: readonly RunningClient[], random: () => number) {
    this.#clients = clients;
    this.#random = random;
  }

  /** Logs all in, and has them join their rooms. */
  static async join(dial: () => Promise<ByteStream>): Promise<RoomCrowd> {
    const clients = await Promise.all(
      names().map((name) => RunningClient.join(dial, name, openUdp)),
    );
    const crowd = new RoomCrowd(clients, seededRandom(1));
    // Each room is made by one client, then overlapping crowds join.
    const rooms = Array.from({ length: ROOMS }, (_, at) => roomOf(at, 0));
    await Promise.all(rooms.map((room, at) => clients[at]!.chat.join(room)));
    await Promise.all(clients.map(async ({ chat }, at) => {
      for (let count = 0; count < ROOMS_OF_CLIENT; count++) {
        await tried(chat.join(roomOf(at, count)));
      }
    }));
    return crowd;
  }

  /** Has everybody act, with a pause of `pauseMs` on an average. Rejects where something unforeseen happens. */
  async act(pauseMs: number): Promise<void> {
    await (this.#chatting = Promise.all(this.#clients.map((_, at) => this.#actAs(at, pauseMs))));
  }

  async #actAs(at: number, pauseMs: number): Promise<void> {
    const random = this.#random;
    const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
    const { chat, username } = this.#clients[at]!;
    for (let count = 0; !this.#over; count++) {
      const room = random() < 0.9
        ? roomOf(at, count % ROOMS_OF_CLIENT)
        : roomOf(Math.floor(random() * ROOMS), 0);
      const what = random();
      if (what < 0.75) {
        const text = `${count} of ${username}`;
        if (!await tried(chat.say(room, text).then((id) => this.#said.push(id)))) this.#refused++;
      } else {
        const user = pick(this.#clients).username;
        const done = await tried(
          what < 0.86
            ? chat.join(room)
            : what < 0.92
            ? chat.leave(room)
            : chat.act(room, pick(["kick", "kick", "ban", "unban"] as const), { user }),
        );
        if (done) this.#deeds++;
        else this.#refused++;
      }
      await pause(pauseMs * (0.3 + 1.4 * random()));
    }
  }

  /** Nobody acts any more; waits until all that is on its way has come. */
  async settle(): Promise<void> {
    this.#over = true;
    await this.#chatting;
    const clients = this.#clients;
    const counts = () => clients.map(({ messages }) => messages.length).join();
    for (let before = ""; before !== counts();) {
      before = counts();
      await Promise.all(clients.map(({ chat }) => chat.users()));
      await pause(QUIET_MS);
    }
  }

  /** Everybody leaves, with all that was sent to them. */
  async leave(): Promise<RoomLedger> {
    const clients = this.#clients;
    // The logout does not wait for long where a bad network has held TCP up.
    await Promise.all(clients.map(({ chat }) => chat.users()));
    await Promise.all(clients.map(({ chat }) => chat.logout()));
    const shown = clients.map(({ username, messages, notices }) => ({
      username,
      messages: messages.map(({ id, late = false }) => ({ id, late })),
      returns: notices.filter((notice) => notice === "back").length,
    }));
    return { shown, said: this.#said, deeds: this.#deeds, refused: this.#refused };
  }

  [Symbol.dispose](): void {
    this.#over = true;
    for (const { chat } of this.#clients) chat.abort();
  }
}

/**
 * Checks that every message was shown to each who was in its room, once and in order, and to nobody else.
 *
 * @param folder the data of the server, which has ended
 * @returns what it was, for people
 */
export function assertRoomsExact(
  { shown, said, deeds, refused }: RoomLedger,
  folder: string,
): string {
  const wanted = entitled(folder);
  let deliveries = 0;
  let returns = 0;
  for (const { username, messages, returns: ofOne } of shown) {
    const ids = messages.map(({ id }) => id);
    assertEquals(ids.length, new Set(ids).size, `${username} was shown something twice`);
    const inTurn = messages.filter(({ late }) => !late).map(({ id }) => id);
    assertEquals(inTurn, inTurn.toSorted((a, b) => a - b), `${username}: out of order`);
    assertEquals(ids.toSorted((a, b) => a - b), wanted.get(username) ?? [], username);
    deliveries += ids.length;
    returns += ofOne;
  }
  assert(deliveries > said.length, "hardly anybody was in a room");
  const confirmed = new Set(said);
  for (const id of new Set([...wanted.values()].flat())) {
    assert(confirmed.has(id), `message ${id} was confirmed to nobody`);
  }
  return `${returns} returns of ${CLIENTS} clients in ${ROOMS} rooms; ${said.length} messages, ${deliveries} ` +
    `deliveries, each once; ${deeds} joins, leaves, kicks and bans, ${refused} refused`;
}

/** What each is entitled to: what others said in rooms while the user was in them, as ids. */
function entitled(folder: string): Map<string, number[]> {
  const database = new DatabaseSync(`${folder}/messages.db`, { readOnly: true });
  const rows = database.prepare(`SELECT account, id FROM stays JOIN messages USING (room)
    WHERE id > since AND (until IS NULL OR id < until) AND sender <> account
    ORDER BY id`).all() as { account: string; id: number }[];
  database.close();
  return new Map(
    [...Map.groupBy(rows, ({ account }) => account)]
      .map(([account, rows]) => [account, rows.map(({ id }) => id)]),
  );
}

/** Does something that may be refused. Whether it was done. */
async function tried(deed: Promise<unknown>): Promise<boolean> {
  try {
    await deed;
    return true;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    assert(REFUSALS.has(error.code), `${error.code}: ${error.message}`);
    return false;
  }
}

function names(): string[] {
  return Array.from({ length: CLIENTS }, (_, at) => `user${at}`);
}

/** A client's rooms, of which the first one of the first {@linkcode ROOMS} clients is made by them. */
function roomOf(client: number, count: number): string {
  return `room${(client + count * 5) % ROOMS}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
