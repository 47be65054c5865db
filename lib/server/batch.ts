import { foldUsername } from "../protocol/names.ts";
import { type HeldMemory, RecordBlock } from "../protocol/record_block.ts";
import type { StoredMessage } from "../journal/projection.ts";
import type { Message } from "../protocol/records.ts";

/** Messages that stand one after another in a block, for all sessions of an account. */
export interface Share {
  block: RecordBlock;
  /** The places of the messages; `to` is not included. */
  from: number;
  to: number;
  /** The ids of all messages in the block. */
  ids: readonly number[];
  /**
   * Whether they are public messages, those of rooms and perhaps public ones too, direct ones to this account, or
   * what another session of it sent.
   */
  kind: "public" | "room" | "direct" | "own";
}

/** Messages that the same accounts get, encoded once. */
class Part {
  readonly ids: readonly number[];
  readonly #block: RecordBlock;
  readonly #kind: Share["kind"];

  constructor(messages: readonly Message[], kind: Share["kind"], held: HeldMemory) {
    this.ids = messages.map(({ id }) => id);
    this.#block = new RecordBlock(messages, held);
    this.#kind = kind;
  }

  share(from = 0, to = this.ids.length): Share {
    return { block: this.#block, from, to, ids: this.ids, kind: this.#kind };
  }
}

/** Accounts that are in the same ones of the rooms in which something was said; everybody is in the lobby. */
export class Audience {
  readonly #of: (rooms: ReadonlySet<number>) => readonly StoredMessage[];
  readonly #held: HeldMemory;
  readonly #rooms: ReadonlySet<number>;
  readonly #with = new Map<number, Audience>();
  /** What it gets, made when it is needed first; and that as one share. */
  #messages: readonly StoredMessage[] | undefined;
  #part: Part | undefined;
  #whole: readonly Share[] = [];

  /** @param of the messages of the lobby and of these rooms, in order */
  constructor(
    of: (rooms: ReadonlySet<number>) => readonly StoredMessage[],
    held: HeldMemory,
    rooms: ReadonlySet<number> = new Set(),
  ) {
    this.#of = of;
    this.#held = held;
    this.#rooms = rooms;
  }

  /** Those of this audience that are in one more room. */
  with(room: number): Audience {
    let audience = this.#with.get(room);
    if (audience === undefined) {
      audience = new Audience(this.#of, this.#held, new Set([...this.#rooms, room]));
      this.#with.set(room, audience);
    }
    return audience;
  }

  /** What all of them get, but for those who said something. */
  get whole(): readonly Share[] {
    this.#make();
    return this.#whole;
  }

  /** What an account of it gets: nothing of its own. */
  without(account: string): readonly Share[] {
    this.#make();
    if (this.#part === undefined) return [];
    const own = this.#messages!.flatMap(({ message }, place) =>
      foldUsername(message.from) === account ? [place] : []
    );
    return own.length === 0 ? this.#whole : around(this.#part, own);
  }

  #make(): void {
    if (this.#messages !== undefined) return;
    this.#messages = this.#of(this.#rooms);
    if (this.#messages.length === 0) return;
    const kind = this.#rooms.size === 0 ? "public" : "room";
    this.#part = new Part(this.#messages.map(({ message }) => message), kind, this.#held);
    this.#whole = [this.#part.share()];
  }
}

/**
 * What was stored at a time, cut into what each account gets. What an {@linkcode Audience} gets is one block, and so are
 * the direct messages to each account: nearly everybody gets the whole of the former and nothing else, and
 * so all the same bytes.
 */
export class Batch {
  /** The ids of the public messages, and those of the rooms' ones. */
  readonly publicIds: readonly number[];
  readonly roomIds: readonly number[];
  /** The rooms in which something was said. */
  readonly rooms: ReadonlySet<number>;
  /** Those who are in none of them. */
  readonly lobby: Audience;
  readonly #direct = new Map<string, Part>();
  readonly #held: HeldMemory;
  /** What each account sent to others. */
  readonly #sent = new Map<string, StoredMessage[]>();

  /**
   * @param messages in the order of their ids; who is in which room did not change in between
   * @param held counts what of it is held
   */
  constructor(messages: readonly StoredMessage[], held: HeldMemory) {
    this.#held = held;
    const idsOf = (some: readonly StoredMessage[]) => some.map(({ message }) => message.id);
    const shared = messages.filter(({ message }) => message.to === undefined);
    this.publicIds = idsOf(shared.filter(({ room }) => room === undefined));
    this.roomIds = idsOf(shared.filter(({ room }) => room !== undefined));
    this.rooms = new Set(shared.flatMap(({ room }) => room ?? []));
    const byRoom = new Map<number | undefined, StoredMessage[]>();
    for (const stored of shared) put(byRoom, stored.room, stored);
    const of = (rooms: ReadonlySet<number>) => {
      const some = [undefined, ...rooms].flatMap((room) => byRoom.get(room) ?? []);
      return some.sort((a, b) => a.message.id - b.message.id);
    };
    this.lobby = new Audience(of, held);
    const direct = new Map<string, Message[]>();
    for (const stored of messages) {
      const { from, to } = stored.message;
      const sender = foldUsername(from);
      const addressee = to === undefined ? undefined : foldUsername(to);
      if (addressee !== sender) put(this.#sent, sender, stored);
      if (addressee !== undefined) put(direct, addressee, stored.message);
    }
    for (const [account, some] of direct) {
      this.#direct.set(account, new Part(some, "direct", held));
    }
  }

  /** The accounts that direct messages went to. */
  get addressees(): Iterable<string> {
    return this.#direct.keys();
  }

  /** The accounts that sent messages to others. */
  get senders(): Iterable<string> {
    return this.#sent.keys();
  }

  /** What an account of an audience gets of others, in the order of the ids. */
  sharesOf(account: string, audience = this.lobby): readonly Share[] {
    const direct = this.#direct.get(account);
    const shares = this.#sent.has(account) ? audience.without(account) : audience.whole;
    return direct === undefined ? shares : merged(shares, direct);
  }

  /** The same for one session of an account, with what the account's other sessions sent. */
  sharesFor(
    account: string,
    { login, audience }: { login: number | undefined; audience?: Audience },
  ): readonly Share[] {
    const shares = this.sharesOf(account, audience);
    const others = this.#sent.get(account)?.filter((sent) =>
      sent.login !== undefined && sent.login !== login
    );
    if (others === undefined || others.length === 0) return shares;
    return merged(shares, new Part(others.map(({ message }) => message), "own", this.#held));
  }
}

function put<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

/** All of a part but what stands at some places. */
function around(part: Part, places: readonly number[]): Share[] {
  const shares: Share[] = [];
  let from = 0;
  for (const place of [...places, part.ids.length]) {
    if (place > from) shares.push(part.share(from, place));
    from = place + 1;
  }
  return shares;
}

/** Puts direct messages between public ones, in the order of the ids. */
function merged(shares: readonly Share[], direct: Part): Share[] {
  const all: Share[] = [];
  let given = 0;
  for (let share of shares) {
    while (given < direct.ids.length) {
      const cut = placeOf(share, direct.ids[given]!);
      if (cut === share.to) break;
      if (cut > share.from) all.push({ ...share, to: cut });
      share = { ...share, from: cut };
      const from = given;
      while (given < direct.ids.length && direct.ids[given]! < share.ids[cut]!) given++;
      all.push(direct.share(from, given));
    }
    all.push(share);
  }
  if (given < direct.ids.length) all.push(direct.share(given));
  return all;
}

/** Where in a share a message with this id would stand. */
function placeOf({ ids, from, to }: Share, id: number): number {
  let place = from;
  while (place < to && ids[place]! < id) place++;
  return place;
}
