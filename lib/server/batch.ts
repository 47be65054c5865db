import { foldUsername } from "../protocol/names.ts";
import { type HeldMemory, RecordBlock } from "../protocol/record_block.ts";
import type { Message } from "../protocol/records.ts";

/** Messages that stand one after another in a block, for all sessions of an account. */
export interface Share {
  block: RecordBlock;
  /** The places of the messages; `to` is not included. */
  from: number;
  to: number;
  /** The ids of all messages in the block. */
  ids: readonly number[];
  /** Whether they are public messages, direct ones to this account, or what another session of it sent. */
  kind: "public" | "direct" | "own";
}

/** Messages of one kind, encoded once. */
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

/**
 * What one commit stored, cut into what each account gets. The public messages are one block, and so are the
 * direct ones to each account: nearly everybody gets the whole of the former and nothing else, and
 * so all the same bytes.
 */
export class Batch {
  /** The ids of the public messages. */
  readonly publicIds: readonly number[];
  /** What accounts get that have sent nothing public, and are sent nothing direct. */
  readonly #common: readonly Share[];
  readonly #public: Part | undefined;
  /** Where the public messages of each sender stand among all public ones. */
  readonly #own = new Map<string, number[]>();
  readonly #direct = new Map<string, Part>();
  readonly #held: HeldMemory;
  /** What each account sent to others, and by which login. */
  readonly #sent = new Map<string, { message: Message; login: number | undefined }[]>();

  /**
   * @param messages in the order of their ids
   * @param held counts what of it is held
   * @param logins those that sent them, as far as they are known
   */
  constructor(
    messages: readonly Message[],
    held: HeldMemory,
    logins: readonly (number | undefined)[] = [],
  ) {
    this.#held = held;
    const forAll = messages.filter(({ to }) => to === undefined);
    this.#public = forAll.length > 0 ? new Part(forAll, "public", held) : undefined;
    this.publicIds = this.#public?.ids ?? [];
    this.#common = this.#public === undefined ? [] : [this.#public.share()];
    for (const [place, { from }] of forAll.entries()) put(this.#own, foldUsername(from), place);
    for (const [place, message] of messages.entries()) {
      const sender = foldUsername(message.from);
      const toOthers = message.to === undefined || foldUsername(message.to) !== sender;
      if (toOthers) put(this.#sent, sender, { message, login: logins[place] });
    }
    const direct = new Map<string, Message[]>();
    for (const message of messages) {
      if (message.to !== undefined) put(direct, foldUsername(message.to), message);
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

  /** What an account gets of others, in the order of the ids. */
  sharesOf(account: string): readonly Share[] {
    const own = this.#own.get(account);
    const direct = this.#direct.get(account);
    if (own === undefined && direct === undefined) return this.#common;
    const shares = this.#public === undefined ? [] : around(this.#public, own ?? []);
    return direct === undefined ? shares : merged(shares, direct);
  }

  /** The same for one session of an account, with what the account's other sessions sent. */
  sharesFor(account: string, login: number | undefined): readonly Share[] {
    const shares = this.sharesOf(account);
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
