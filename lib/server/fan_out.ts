import type { StoredMessage } from "../journal/projection.ts";
import type { FlowItem } from "../messages/message_log.ts";
import { type HeldMemory, RecordBlock } from "../protocol/record_block.ts";
import type { ActiveUser, Member } from "./active_user.ts";
import type { Backpressure } from "./backpressure.ts";
import { type Audience, Batch, type Share } from "./batch.ts";
import type { Counts } from "./counts.ts";
import type { Crowds } from "./crowds.ts";
import type { DeliveryMarks } from "./marks.ts";

/** What {@linkcode FanOut} works with. */
export interface FanOutOptions {
  /** Those who are here, by their accounts' keys. */
  users: ReadonlyMap<string, ActiveUser>;
  crowds: Crowds;
  marks: DeliveryMarks;
  pressure: Backpressure;
  /** Counts what waits for all sessions together. */
  held: HeldMemory;
  counts: Counts["messages"];
}

/** Gives sessions what is for them, and notes which they have. */
export class FanOut {
  readonly #users: ReadonlyMap<string, ActiveUser>;
  readonly #crowds: Crowds;
  readonly #marks: DeliveryMarks;
  readonly #pressure: Backpressure;
  readonly #held: HeldMemory;
  readonly #counts: Counts["messages"];

  constructor({ users, crowds, marks, pressure, held, counts }: FanOutOptions) {
    this.#users = users;
    this.#crowds = crowds;
    this.#marks = marks;
    this.#pressure = pressure;
    this.#held = held;
    this.#counts = counts;
  }

  /** Gives everybody what was stored; who is in which room did not change in between. */
  give(messages: readonly StoredMessage[]): void {
    const batch = new Batch(messages, this.#held);
    const { length: public_ } = batch.publicIds;
    const { length: room } = batch.roomIds;
    this.#counts.public += public_;
    this.#counts.room += room;
    this.#counts.direct += messages.length - public_ - room;
    this.#marks.addPublic(batch.publicIds);
    this.#marks.addRooms(batch.roomIds);
    const senders = new Set(batch.senders);
    const audiences = new Map<string, Audience>();
    for (const room of batch.rooms) {
      for (const { key } of this.#crowds.of(room)) {
        audiences.set(key, (audiences.get(key) ?? batch.lobby).with(room));
      }
    }
    for (const some of [batch.addressees, senders]) {
      for (const key of some) if (!audiences.has(key)) audiences.set(key, batch.lobby);
    }
    const everybody = batch.publicIds.length > 0 ? this.#users : audiences;
    for (const key of everybody.keys()) {
      const user = this.#users.get(key);
      if (user === undefined || user.live.length === 0) continue;
      const audience = audiences.get(key) ?? batch.lobby;
      const shares = batch.sharesOf(key, audience);
      for (const member of user.live) {
        const own = senders.has(key)
          ? batch.sharesFor(key, { login: member.login, audience })
          : shares;
        for (const share of own) this.#hand(user, member, share);
        member.flush();
      }
    }
    this.#pressure.cap();
  }

  /** Gives a session messages of the log, in the order of their ids. */
  givePage(user: ActiveUser, member: Member, items: readonly FlowItem[]): void {
    if (items.length === 0) return;
    const block = new RecordBlock(items.map(({ message }) => message), this.#held);
    let number = member.deliver(block, 0, block.length);
    for (const { message: { id, to, room }, undelivered, own } of items) {
      if (room !== undefined && !own) {
        this.#noteRooms(user, member, { ids: [id], from: 0, to: 1, number });
      } else if (to === undefined && !own) {
        this.#marks.note(member.ledger!, id, { number, count: 1 });
      }
      if (undelivered) user.unread.hand(member.deliveries, [id], number);
      number++;
    }
    this.#pressure.cap();
    member.flush();
  }

  /** Gives a session messages, and notes which it has. */
  #hand(user: ActiveUser, member: Member, { block, from, to, ids, kind }: Share): void {
    const number = member.deliver(block, from, to);
    if (kind === "direct") user.unread.hand(member.deliveries, ids.slice(from, to), number);
    if (kind === "public") {
      this.#marks.note(member.ledger!, ids[from]!, { number, count: to - from });
    }
    if (kind === "room") this.#noteRooms(user, member, { ids, from, to, number });
    this.#pressure.given(member);
  }

  #noteRooms(
    user: ActiveUser,
    member: Member,
    run: { ids: readonly number[]; from: number; to: number; number: number },
  ): void {
    const { ids, from, to, number } = run;
    this.#marks.noteRoom(member.ledger!, run);
    user.heard.hand(member.deliveries, ids[to - 1]!, number + to - from - 1);
  }
}
