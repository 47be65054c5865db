import type { Origin } from "../journal/events.ts";

/** So many of a login's requests are known at least: a client may have fewer that were not answered. */
const PER_LOGIN = 1_024;
/** So many requests and logins are kept in memory at most, about; the others are in the log. */
const CAPACITY = 500_000;

/** What the log has of a login's last requests. */
export interface LoggedRequests {
  /** What they stored, the newest first. */
  requests: { request: number; id: number }[];
  /** Up to this id others may have stored what was deleted since. */
  floor: number;
}

/** Requests and the messages that they stored, in the same order: a `Map` would be garbage for each message. */
interface Stored {
  requests: number[];
  ids: number[];
}

interface Requests {
  recent: Stored;
  before: Stored;
  /** Up to this id there may be others. */
  floor: number;
  /** No request with a higher id has stored anything: most that come are new, and known by that. */
  highest: number;
}

/** What each login's last requests stored, by which one that is sent again is recognised. */
export class RecentRequests {
  readonly #read: (login: number, limit: number) => LoggedRequests;
  readonly #logins = new Map<number, Requests>();
  /** How many requests and logins are kept. */
  #size = 0;

  /** @param read what a login's last requests stored, from the log */
  constructor(read: (login: number, limit: number) => LoggedRequests) {
    this.#read = read;
  }

  /**
   * The message that a request stored; undefined where it has stored none, and 0 where nobody knows, since it
   * is older than those that are known.
   */
  find({ login, request }: Origin): number | undefined {
    const { recent, before, floor, highest } = this.#of(login);
    if (request > highest) return undefined;
    return idOf(recent, request) ?? idOf(before, request) ?? (request <= floor ? 0 : undefined);
  }

  /** A request stores a message now. */
  add({ login, request }: Origin, message: number): void {
    const requests = this.#of(login);
    requests.recent.requests.push(request);
    requests.recent.ids.push(message);
    if (request > requests.highest) requests.highest = request;
    if (requests.recent.ids.length === PER_LOGIN) this.#rotate(requests);
    this.#grow(1);
  }

  /** Forgets a login's requests, or everything; what is still to be known of them is in the log. */
  forget(login?: number): void {
    if (login === undefined) {
      this.#logins.clear();
      this.#size = 0;
    } else this.#drop(login);
  }

  #of(login: number): Requests {
    const known = this.#logins.get(login);
    if (known !== undefined) return known;
    const { requests: newest, floor } = this.#read(login, PER_LOGIN);
    const rows = newest.reverse();
    const requests = {
      recent: { requests: [], ids: [] },
      before: { requests: rows.map(({ request }) => request), ids: rows.map(({ id }) => id) },
      floor: Math.max(floor, rows.length === PER_LOGIN ? rows[0]!.request : 0),
      highest: rows.reduce((highest, { request }) => Math.max(highest, request), floor),
    };
    this.#logins.set(login, requests);
    this.#grow(1 + rows.length);
    return requests;
  }

  #rotate(requests: Requests): void {
    for (const forgotten of requests.before.requests) {
      requests.floor = Math.max(requests.floor, forgotten);
    }
    this.#size -= requests.before.ids.length;
    requests.before = requests.recent;
    requests.recent = { requests: [], ids: [] };
  }

  #grow(count: number): void {
    this.#size += count;
    while (this.#size > CAPACITY && this.#logins.size > 1) {
      const [oldest] = this.#logins.keys();
      this.#drop(oldest!);
    }
  }

  #drop(login: number): void {
    const requests = this.#logins.get(login);
    if (requests === undefined) return;
    this.#logins.delete(login);
    this.#size -= 1 + requests.recent.ids.length + requests.before.ids.length;
  }
}

/** Nearly always it is asked for one that came last. */
function idOf({ requests, ids }: Stored, request: number): number | undefined {
  return ids[requests.lastIndexOf(request)];
}
