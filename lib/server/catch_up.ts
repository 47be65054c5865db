import type { Clock } from "../clock.ts";
import type { FlowItem, MessageLog } from "../messages/message_log.ts";
import type { ActiveUser, Member } from "./active_user.ts";
import { TOO_MUCH } from "./backpressure.ts";

/** How long a session that catches up may be far behind, in milliseconds. */
const STUCK_MS = 120_000;

/** Options of {@linkcode CatchUp}. */
export interface CatchUpOptions {
  clock: Pick<Clock, "after" | "soon">;
  messages: MessageLog;
  /** Whether an account has sessions at other servers, which have what nobody has acknowledged. */
  heldElsewhere: (account: string) => boolean;
  /** Gives a session messages of the log, in the order of their ids. */
  give: (user: ActiveUser, member: Member, items: readonly FlowItem[]) => void;
}

/** What sessions are given from the log: what they missed, and what others left. */
export class CatchUp {
  readonly #clock: CatchUpOptions["clock"];
  readonly #messages: MessageLog;
  readonly #heldElsewhere: CatchUpOptions["heldElsewhere"];
  readonly #give: CatchUpOptions["give"];

  constructor({ clock, messages, heldElsewhere, give }: CatchUpOptions) {
    this.#clock = clock;
    this.#messages = messages;
    this.#heldElsewhere = heldElsewhere;
    this.#give = give;
  }

  /**
   * Gives a session what it has missed, as fast as it takes it. It is live in the same turn in which the
   * log has nothing more, so nothing comes in between.
   *
   * @param last the id of the newest message that it does not need, but for those that wait for its account
   * @param began the newest one when its client logged in: it has been given those of rooms that came later
   */
  async run(
    user: ActiveUser,
    member: Member,
    { last, began }: { last: number; began: number },
  ): Promise<void> {
    const waits = {
      upTo: this.#heldElsewhere(user.key) ? 0 : last,
      heard: user.heard.upTo,
      began,
    };
    const waiting = (after: number) => {
      const next = this.#giveWaiting(user, member, { after, ...waits });
      // A session that has ended of what it was given has acknowledged nothing of that.
      if (next === undefined && user.members.includes(member)) {
        user.heard.needsAfter(member.deliveries, last);
      }
      return next;
    };
    const flow = (after: number) => this.#giveFlow(user, member, after);
    for (const [give, from] of [[waiting, 0], [flow, last]] as const) {
      for (let next: number | undefined = from; (next = give(next)) !== undefined;) {
        await this.#turn();
        await this.#waitFor(member);
        if (!user.members.includes(member)) return;
      }
      // What it was just given may have been too much.
      if (!user.members.includes(member)) return;
    }
    user.live = [...user.live, member];
    void this.adopt(user);
  }

  /** Waits until less waits for a session that catches up; one that takes too long ends. */
  async #waitFor(member: Member): Promise<void> {
    using _limit = this.#clock.after(
      STUCK_MS,
      () => member.fail("too-slow", TOO_MUCH),
    );
    await member.backpressure();
  }

  /** Gives live sessions, as they take it, what sessions had that are gone by now. */
  async adopt(user: ActiveUser): Promise<void> {
    if (user.adopting) return;
    user.adopting = true;
    try {
      while (user.orphans && user.live.length > 0) await this.#giveOrphans(user);
    } catch (error) {
      for (const heir of user.live) heir.fail("internal", (error as Error).message);
    }
    user.adopting = false;
  }

  async #giveOrphans(user: ActiveUser): Promise<void> {
    user.orphans = false;
    for (let after: number | undefined = 0; after !== undefined && !user.orphans;) {
      const [first] = user.live;
      const heir = user.live.find((member) => member.backpressure() === undefined) ?? first;
      await heir?.backpressure();
      if (heir === undefined) user.orphans = true;
      else if (user.live.includes(heir)) {
        after = this.#giveWaiting(user, heir, { after, upTo: this.#messages.last });
      }
      await this.#turn();
    }
  }

  /**
   * Gives a session direct messages that nobody has acknowledged, and that no other session has; and what was said in
   * its account's rooms after `heard`, up to `began`.
   *
   * @returns after which id to go on; undefined where that was all
   */
  #giveWaiting(
    user: ActiveUser,
    member: Member,
    { after, upTo, heard = Infinity, began = 0 }: {
      after: number;
      upTo: number;
      heard?: number;
      began?: number;
    },
  ): number | undefined {
    const direct = this.#messages.undelivered(user.key, { after, upTo });
    const rooms = heard >= began
      ? { items: [], next: undefined }
      : this.#messages.unheard(user.key, { after: Math.max(after, heard), upTo: began });
    const next = Math.min(direct.next ?? Infinity, rooms.next ?? Infinity);
    const items = [...direct.items.filter(({ id }) => !user.unread.has(id)), ...rooms.items]
      .filter(({ id }) => id <= next)
      .sort((a, b) => a.id - b.id)
      .map((message) => ({
        message: { ...message, late: true },
        undelivered: message.to !== undefined,
        own: false,
      }));
    this.#give(user, member, items);
    return next === Infinity ? undefined : next;
  }

  /** Gives a session what goes to all sessions of its user, after an id; returns the same. */
  #giveFlow(user: ActiveUser, member: Member, after: number): number | undefined {
    const { items, next } = this.#messages.flow(user.key, after, member.login);
    this.#give(user, member, items);
    return next;
  }

  /** Fulfilled when this turn of the loop has done its work. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.soon(resolve));
  }
}
