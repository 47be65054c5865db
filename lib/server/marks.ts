import type { Mark, Marks } from "../cluster/elsewhere.ts";
import type { Progress } from "../protocol/records.ts";
import { DirectMarks } from "./direct_marks.ts";

/** A session's deliveries, as far as they were acknowledged. */
export interface Deliveries {
  /** Every delivery number below this one was acknowledged. */
  readonly delivered: number;
  /** Whether a message went over TCP, perhaps by UDP as well. */
  wentByTcp(number: number): boolean;
}

/** So many sessions that have ended are remembered. */
const ENDED = 1_000;

/** So many {@linkcode RoomRun}s are kept for all sessions together; then the older half is forgotten. */
const MAX_ROOM_RUNS = 200_000;

/** Public messages that stand one after another, and whose delivery numbers do. */
interface Run {
  /** The place of the first among all public messages, and its delivery number. */
  place: number;
  number: number;
  count: number;
}

/** Messages of a block that went to a session, those of rooms among them. */
interface RoomRun {
  /** The ids of the whole block, ascending; all who got the block share them. */
  ids: readonly number[];
  /** Their places; `to` is not included. */
  from: number;
  to: number;
  /** The first one's delivery number. */
  number: number;
}

/** Which messages went to one session, by which delivery numbers. */
class Ledger {
  ended = false;
  readonly account: string;
  readonly #deliveries: Deliveries;
  readonly #runs: Run[] = [];
  #roomRuns: RoomRun[] = [];
  /** Of those that stand one after another among all messages of rooms: their places there. */
  readonly #roomPlaces: Run[] = [];

  constructor(account: string, deliveries: Deliveries) {
    this.account = account;
    this.#deliveries = deliveries;
  }

  /** @param floor of messages before this place nobody asks any more */
  note(place: number, number: number, { count, floor }: { count: number; floor: number }): void {
    const last = this.#runs.at(-1);
    const end = last && last.place + last.count;
    if (end === place && last!.number + last!.count === number) {
      last!.count += count;
      return;
    }
    while (this.#runs.length > 0 && this.#runs[0]!.place + this.#runs[0]!.count <= floor) {
      this.#runs.shift();
    }
    this.#runs.push({ place, number, count });
  }

  noteRoom(run: RoomRun): void {
    this.#roomRuns.push(run);
  }

  /** The same, where all of them are of rooms, and stand one after another there. @returns how many runs there are more */
  noteRoomPlaces(place: number, number: number, count: number): number {
    const last = this.#roomPlaces.at(-1);
    if (
      last !== undefined && last.place + last.count === place && last.number + last.count === number
    ) {
      last.count += count;
      return 0;
    }
    this.#roomPlaces.push({ place, number, count });
    return 1;
  }

  /** Of messages before an id and a place nobody asks any more. @returns how many runs are left */
  forgetRooms(before: number, floor: number): number {
    this.#roomRuns = this.#roomRuns.filter(({ ids, to }) => ids[to - 1]! >= before);
    const places = this.#roomPlaces.findIndex(({ place, count }) => place + count > floor);
    this.#roomPlaces.splice(0, places < 0 ? this.#roomPlaces.length : places);
    return this.#roomRuns.length + this.#roomPlaces.length;
  }

  /**
   * What became of a message; undefined where it did not go to this session, or the session ended before.
   *
   * @param places where it stands among all public messages, or those of rooms
   */
  find(id: number, places: Places): Mark | undefined {
    const number = this.#numberOf(id, places);
    if (number === undefined) return undefined;
    if (number < this.#deliveries.delivered) {
      return this.#deliveries.wentByTcp(number) ? "tcp" : "udp";
    }
    return this.ended ? undefined : "waits";
  }

  #numberOf(id: number, places: Places): number | undefined {
    const known = numberAt(this.#runs, places.public) ?? numberAt(this.#roomPlaces, places.room);
    if (known !== undefined) return known;
    const room = this.#roomRuns.findLast(({ ids, from, to }) =>
      ids[from]! <= id && id <= ids[to - 1]!
    );
    const at = room === undefined ? -1 : placeIn(room.ids, id);
    return room !== undefined && room.ids[at] === id ? room.number + at - room.from : undefined;
  }
}

export type { Ledger };

/** Where a message stands among all public messages, or among all of rooms. */
interface Places {
  public: number | undefined;
  room: number | undefined;
}

function numberAt(runs: readonly Run[], place: number | undefined): number | undefined {
  if (place === undefined) return undefined;
  const run = runs.findLast((run) => run.place <= place && place < run.place + run.count);
  return run && run.number + place - run.place;
}

/** How far the newest messages got: computed when somebody asks, from how far each session has got. */
export class DeliveryMarks {
  readonly #capacity: number;
  /** The ids of the newest public messages, and the place of the first of them among all. */
  #ids: number[] = [];
  #floor = 0;
  /** The ids of the newest messages of rooms. */
  #roomIds: number[] = [];
  #roomFloor = 0;
  /** The place of what was given last to several sessions; undefined where it has none. */
  #placed: { run: Pick<RoomRun, "ids" | "from" | "to">; place: number | undefined } | undefined;
  /** How many runs with messages of rooms are kept in all ledgers, about. */
  #roomRuns = 0;
  readonly #direct = new DirectMarks();
  readonly #ledgers = new Set<Ledger>();
  readonly #ended = new Set<Ledger>();

  /** @param capacity of so many public messages it is known */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A session begins to get messages. */
  open(account: string, deliveries: Deliveries): Ledger {
    const ledger = new Ledger(account, deliveries);
    this.#ledgers.add(ledger);
    return ledger;
  }

  /** It has ended. */
  close(ledger: Ledger): void {
    ledger.ended = true;
    this.#ledgers.delete(ledger);
    this.#ended.add(ledger);
    if (this.#ended.size > ENDED) this.#ended.delete(this.#ended.values().next().value!);
  }

  /** Begins to count for public messages. */
  addPublic(ids: readonly number[]): void {
    for (const id of ids) this.#ids.push(id);
    if (this.#ids.length < 2 * this.#capacity) return;
    const forgotten = this.#ids.length - this.#capacity;
    this.#ids = this.#ids.slice(forgotten);
    this.#floor += forgotten;
  }

  /** Begins to count for messages of rooms. */
  addRooms(ids: readonly number[]): void {
    for (const id of ids) this.#roomIds.push(id);
    if (this.#roomIds.length >= 2 * this.#capacity) this.#forgetRooms(this.#capacity);
  }

  /** A direct message was acknowledged; of one that was not, the log says so. */
  acknowledged(id: number, via: "udp" | "tcp"): void {
    this.#direct.set(id, via);
  }

  /**
   * Public messages went to a session; of those that are not known any more nothing is kept.
   *
   * @param ids of messages that stand one after another among all public ones
   * @param number the first one's delivery number
   */
  note(ledger: Ledger, id: number, { number, count }: { number: number; count: number }): void {
    const place = this.#placeOf(id);
    if (place !== undefined) ledger.note(place, number, { count, floor: this.#floor });
  }

  /** Messages of a block went to a session, those of rooms among them. */
  noteRoom(ledger: Ledger, run: RoomRun): void {
    const place = this.#placeOfRun(run);
    if (place === undefined) {
      ledger.noteRoom(run);
      this.#roomRuns++;
    } else this.#roomRuns += ledger.noteRoomPlaces(place, run.number, run.to - run.from);
    if (this.#roomRuns > MAX_ROOM_RUNS) this.#forgetRooms(this.#roomIds.length / 2);
  }

  /** The place of a run's first message, where all are of rooms and stand one after another among those. */
  #placeOfRun({ ids, from, to }: RoomRun): number | undefined {
    const before = this.#placed;
    if (before?.run.ids === ids && before.run.from === from && before.run.to === to) {
      return before.place;
    }
    const first = placeIn(this.#roomIds, ids[from]!);
    const last = first + to - from - 1;
    const isRun = this.#roomIds[first] === ids[from] && this.#roomIds[last] === ids[to - 1];
    const place = isRun ? this.#roomFloor + first : undefined;
    this.#placed = { run: { ids, from, to }, place };
    return place;
  }

  /** Only so many of the newest messages of rooms are known from now on. */
  #forgetRooms(kept: number): void {
    const forgotten = this.#roomIds.length - Math.max(1, Math.floor(kept));
    this.#roomIds = this.#roomIds.slice(forgotten);
    this.#roomFloor += forgotten;
    this.#placed = undefined;
    const [floor] = this.#roomIds;
    this.#roomRuns = 0;
    for (const ledger of [...this.#ended, ...this.#ledgers]) {
      this.#roomRuns += ledger.forgetRooms(floor!, this.#roomFloor);
    }
  }

  /**
   * How a message got to each account, by key; to the addressee of a direct one, by the empty key. Undefined where
   * nothing is known of it.
   */
  find(id: number): Map<string, Mark> | undefined {
    const direct = this.#direct.get(id);
    if (direct !== undefined) return new Map([["", direct]]);
    const place = this.#placeOf(id);
    const inRooms = placeIn(this.#roomIds, id);
    const isOfRoom = this.#roomIds[inRooms] === id;
    if (place === undefined && !isOfRoom) return undefined;
    const places = { public: place, room: isOfRoom ? this.#roomFloor + inRooms : undefined };
    const marks = new Map<string, Mark>();
    for (const ledger of [...this.#ended, ...this.#ledgers]) {
      const found = ledger.find(id, places);
      if (found !== undefined) better(marks, ledger.account, found);
    }
    return marks;
  }

  /** The place of a public message among all; undefined where it is none of the newest. */
  #placeOf(id: number): number | undefined {
    const at = placeIn(this.#ids, id);
    return this.#ids[at] === id ? this.#floor + at : undefined;
  }
}

/** Where an id stands, or would stand, among ascending ones. */
function placeIn(ids: readonly number[], id: number): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** An account's first session that has acknowledged decides. */
function better(marks: Map<string, Mark>, account: string, mark: Mark): void {
  const known = marks.get(account);
  if (known === undefined || known === "waits") marks.set(account, mark);
}

/** How many users a message went to, and got to. */
function count(marks: ReadonlyMap<string, Mark>): Progress {
  const of = (what: Mark) => marks.values().filter((mark) => mark === what).toArray().length;
  return { users: marks.size, udp: of("udp"), tcp: of("tcp") };
}

/** What a server tells others of a message. @param isElsewhere whether an account has sessions at another server */
export function divide(
  marks: ReadonlyMap<string, Mark>,
  isElsewhere: (account: string) => boolean,
): Marks {
  const [shared, alone] = [new Map<string, Mark>(), new Map<string, Mark>()];
  for (const [account, mark] of marks) {
    (account === "" || isElsewhere(account) ? shared : alone).set(account, mark);
  }
  return { alone: count(alone), shared: [...shared] };
}

/** The same message at this server and others; undefined where nobody knows anything of it. */
export function together(
  own: ReadonlyMap<string, Mark> | undefined,
  others: readonly Marks[],
): Progress | undefined {
  const marks = new Map(own);
  for (const { shared } of others) for (const [key, mark] of shared) better(marks, key, mark);
  const all = [count(marks), ...others.map(({ alone }) => alone)];
  const sum = (of: keyof Progress) => all.reduce((total, progress) => total + progress[of], 0);
  const progress = { users: sum("users"), udp: sum("udp"), tcp: sum("tcp") };
  return own === undefined && progress.users === 0 ? undefined : progress;
}
