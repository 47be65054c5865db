import { RecentMap } from "../protocol/recent_map.ts";
import type { Mark, Marks } from "../cluster/elsewhere.ts";
import type { Progress } from "../protocol/records.ts";

/** A session's deliveries, as far as they were acknowledged. */
export interface Deliveries {
  /** Every delivery number below this one was acknowledged. */
  readonly delivered: number;
  /** Whether a message went over TCP, perhaps by UDP as well. */
  wentByTcp(number: number): boolean;
}

/** So many sessions that have ended are remembered. */
const ENDED = 1_000;

/** Public messages that stand one after another, and whose delivery numbers do. */
interface Run {
  /** The place of the first among all public messages, and its delivery number. */
  place: number;
  number: number;
  count: number;
}

/** Which public messages went to one session, by which delivery numbers. */
class Ledger {
  ended = false;
  readonly account: string;
  readonly #deliveries: Deliveries;
  readonly #runs: Run[] = [];

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

  /** What became of a message; undefined where it did not go to this session, or the session ended before. */
  find(place: number): Mark | undefined {
    const run = this.#runs.findLast((run) => run.place <= place && place < run.place + run.count);
    if (run === undefined) return undefined;
    const number = run.number + place - run.place;
    if (number < this.#deliveries.delivered) {
      return this.#deliveries.wentByTcp(number) ? "tcp" : "udp";
    }
    return this.ended ? undefined : "waits";
  }
}

export type { Ledger };

/** How far the newest messages got: computed when somebody asks, from how far each session has got. */
export class DeliveryMarks {
  readonly #capacity: number;
  /** The ids of the newest public messages, and the place of the first of them among all. */
  #ids: number[] = [];
  #floor = 0;
  /** How the newest direct messages were acknowledged, by id. */
  readonly #direct: RecentMap<number, Mark>;
  readonly #ledgers = new Set<Ledger>();
  readonly #ended = new Set<Ledger>();

  /** @param capacity of so many public and so many direct messages it is known */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#direct = new RecentMap(capacity);
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

  /** Begins to count for a direct message. */
  addDirect(id: number): void {
    this.#direct.set(id, "waits");
  }

  /** A direct message was acknowledged. */
  acknowledged(id: number, via: "udp" | "tcp"): void {
    if (this.#direct.has(id)) this.#direct.set(id, via);
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

  /**
   * How a message got to each account, by key; to the addressee of a direct one, by the empty key. Undefined where
   * nothing is known of it.
   */
  find(id: number): Map<string, Mark> | undefined {
    const direct = this.#direct.get(id);
    if (direct !== undefined) return new Map([["", direct]]);
    const place = this.#placeOf(id);
    if (place === undefined) return undefined;
    const marks = new Map<string, Mark>();
    for (const ledger of [...this.#ended, ...this.#ledgers]) {
      const found = ledger.find(place);
      if (found !== undefined) better(marks, ledger.account, found);
    }
    return marks;
  }

  /** The place of a public message among all; undefined where it is none of the newest. */
  #placeOf(id: number): number | undefined {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ids[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return this.#ids[low] === id ? this.#floor + low : undefined;
  }
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
