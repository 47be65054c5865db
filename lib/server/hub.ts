import type { Clock } from "../clock.ts";
import type { MessageLog, Origin } from "../messages/message_log.ts";
import type { Receipt } from "../protocol/frames.ts";
import { foldUsername } from "../protocol/names.ts";
import { encodeMessage, type Message, type Progress } from "../protocol/records.ts";
import { DeliveryMarks } from "./marks.ts";
import { TokenBucket } from "./token_bucket.ts";

/** A session as the hub sees it. */
export interface Member {
  readonly username: string;
  /** Takes a message record, UTF-8. */
  deliver(record: Uint8Array, receipt?: Receipt): void;
  /** Ends the session, because its account is not what it was. */
  expel(why: string): void;
  /**
   * A promise of the time when less waits for this member; undefined where that is now, or the member
   * does not get on.
   */
  relief(): Promise<void> | undefined;
  /** The same, however long it takes. */
  room(): Promise<void> | undefined;
  /** Ends the session for now, because it can't be given what it has missed. */
  fail(code: "internal" | "too-slow", why: string): void;
}

/** How long a sender waits for receivers who are behind, in milliseconds. */
const RELIEF_LIMIT_MS = 2_000;

/** So many ids of the log, or messages that waited, are looked at in one turn of the loop. */
const PAGE = 500;

/** How long a session that catches up may be far behind, in milliseconds. */
const STUCK_MS = 120_000;

/** Of so many messages it is known how far they got. */
const MARKS = 10_000;

interface ActiveUser {
  username: string;
  members: Set<Member>;
  /** Those that have caught up, and get what is sent now. */
  live: Set<Member>;
  /** Direct messages on their way, which none of its sessions has acknowledged yet, by id. */
  kept: Map<number, Kept>;
  /** Those of them that no session has: they go to the next live one with room. */
  orphans: Set<Kept>;
  /** Whether that is under way. */
  adopting: boolean;
}

/** A direct message, and the sessions that have it; none, where those have gone and nobody is live. */
interface Kept {
  message: Message;
  holders: Set<Member>;
  /** Whether one of them has acknowledged it, which the log may not know yet. */
  settled: boolean;
}

const utf8 = new TextEncoder();

/** Who is here, and who gets what. */
export class Hub {
  readonly #clock: Clock;
  readonly #log: MessageLog;
  readonly #rate: { burst: number; perSecond: number };
  readonly #active = new Map<string, ActiveUser>();
  /** How fast each account may command, all its sessions together; kept while it is not full. */
  readonly #rates = new Map<string, TokenBucket>();
  readonly #marks = new DeliveryMarks(MARKS);

  constructor(clock: Clock, log: MessageLog, rate: { burst: number; perSecond: number }) {
    this.#clock = clock;
    this.#log = log;
    this.#rate = rate;
  }

  /** Every active user once, in the order of their names. */
  get users(): string[] {
    const byKey = [...this.#active].sort(([a], [b]) => a < b ? -1 : 1);
    return byKey.map(([, { username }]) => username);
  }

  /** The active user's username as it was registered; undefined where there is none. */
  find(username: string): string | undefined {
    return this.#active.get(foldUsername(username))?.username;
  }

  /** How many sessions a user has. */
  sessionsOf(username: string): number {
    return this.#active.get(foldUsername(username))?.members.size ?? 0;
  }

  /**
   * Makes a session's user active, and gives the session what it has missed: direct messages that nobody
   * has acknowledged and no other session of the user's has, then everything after a message.
   *
   * @param last the id of the newest message that the session does not need
   * @returns a promise that is fulfilled when it has all of that, or has ended
   */
  join(member: Member, last: number): Promise<void> {
    const key = foldUsername(member.username);
    const user = this.#active.get(key) ?? {
      username: member.username,
      members: new Set(),
      live: new Set(),
      kept: new Map(),
      orphans: new Set(),
      adopting: false,
    };
    user.members.add(member);
    this.#active.set(key, user);
    return this.#catchUp(user, member, last).catch((error) => {
      // With a gap it must not go on: the client would never ask for what is in it again.
      if (user.members.has(member)) member.fail("internal", (error as Error).message);
    });
  }

  /** What only this session had goes to another one of its user's when its receipts are lost. */
  leave(member: Member): void {
    const key = foldUsername(member.username);
    const user = this.#active.get(key);
    if (user === undefined) return;
    user.members.delete(member);
    user.live.delete(member);
    if (user.members.size > 0) return;
    this.#active.delete(key);
    if (this.#rates.get(key)?.isFull(this.#clock.now())) this.#rates.delete(key);
  }

  /** The bucket that an account's commands are taken from; coming back does not fill it. */
  rateOf(username: string): TokenBucket {
    const key = foldUsername(username);
    const rate = this.#rates.get(key) ?? new TokenBucket(this.#rate, this.#clock.now());
    this.#rates.set(key, rate);
    return rate;
  }

  /**
   * Stores a text, then delivers it to every active user but its sender, on none of whose sessions it
   * appears. A request that comes again does nothing.
   *
   * @returns the message's id
   * @throws {ProtocolError} `not-stored`, `duplicate-id`
   */
  publish(from: string, text: string, origin?: Origin): Promise<number> {
    const deliver = (message: Message) => {
      const sender = foldUsername(from);
      const record = utf8.encode(encodeMessage(message));
      const mark = this.#marks.open(message.id);
      for (const [key, { live }] of this.#active) {
        if (key === sender || live.size === 0) continue;
        const receipt = mark.expect(live.size);
        for (const member of live) member.deliver(record, receipt);
      }
    };
    return this.#log.append({ kind: "public", from, to: undefined, text }, deliver, origin);
  }

  /**
   * Stores a text for one account, then delivers it to all its sessions; where there is none it waits
   * for the next login. A request that comes again does nothing.
   *
   * @param to the account's username as it was registered
   * @returns the message's id
   * @throws {ProtocolError} `not-stored`, `duplicate-id`
   */
  direct(
    from: string,
    to: string,
    { text, origin }: { text: string; origin?: Origin | undefined },
  ) {
    const deliver = (message: Message) => {
      this.#marks.open(message.id).progress.users = 1;
      const user = this.#active.get(foldUsername(to));
      if (user !== undefined) this.#hand(user, message, [...user.live]);
    };
    return this.#log.append({ kind: "direct", from, to, text }, deliver, origin);
  }

  /**
   * How far a user's own message got; undefined where the user has sent no such message.
   *
   * @returns an empty object where nothing is known but that it is stored
   */
  status(sender: string, message: number): { progress?: Progress } | undefined {
    const account = foldUsername(sender);
    const own = this.#log.senderOf(message) === account;
    if (!own || message <= this.#log.entitledAfter(account)) return undefined;
    const mark = this.#marks.find(message);
    if (mark !== undefined) return { progress: mark.progress };
    return this.#log.isUndelivered(message) ? { progress: { users: 1, udp: 0, tcp: 0 } } : {};
  }

  /** Ends all sessions of an account. */
  expel(username: string, why: string): void {
    const user = this.#active.get(foldUsername(username));
    for (const member of [...user?.members ?? []]) member.expel(why);
  }

  /**
   * Waits until no receiver is far behind, or for two seconds: whoever sends faster than others can
   * take is slowed down, and one who does not take anything slows down nobody for long.
   *
   * @param to the one receiver; by default every active user
   * @returns undefined where nobody is behind
   */
  relief(to?: string): Promise<void> | undefined {
    const only = to === undefined ? undefined : this.#active.get(foldUsername(to));
    const users = to === undefined ? [...this.#active.values()] : only === undefined ? [] : [only];
    const behind = users.flatMap(({ live }) =>
      [...live].flatMap((member) => member.relief() ?? [])
    );
    if (behind.length === 0) return undefined;
    const late = Promise.withResolvers<void>();
    const limit = this.#clock.after(RELIEF_LIMIT_MS, late.resolve);
    return Promise.race([Promise.all(behind), late.promise]).then(() => limit[Symbol.dispose]());
  }

  /**
   * Gives a session what it has missed, as fast as it takes it. It is live in the same turn in which the
   * log has nothing more, so nothing comes in between.
   */
  async #catchUp(user: ActiveUser, member: Member, last: number): Promise<void> {
    for (const give of [this.#giveWaiting, this.#giveFlow]) {
      for (let after = give === this.#giveFlow ? last : 0;;) {
        const next = give.call(this, user, member, { after, last });
        if (next === undefined) break;
        after = next;
        await this.#turn();
        await this.#room(member);
        if (!user.members.has(member)) return;
      }
    }
    if (!user.members.has(member)) return;
    user.live.add(member);
    void this.#adopt(user);
  }

  /** Waits until less waits for a session that catches up; one that takes too long ends. */
  async #room(member: Member): Promise<void> {
    using _limit = this.#clock.after(
      STUCK_MS,
      () => member.fail("too-slow", "too much waited to be delivered"),
    );
    await member.room();
  }

  /** Gives live sessions, as they have room, what sessions had that are gone by now. */
  async #adopt(user: ActiveUser): Promise<void> {
    if (user.adopting) return;
    user.adopting = true;
    while (user.orphans.size > 0 && user.live.size > 0) {
      const [first] = user.live;
      const heir = [...user.live].find((member) => member.room() === undefined) ?? first!;
      const room = heir.room();
      if (room !== undefined) {
        await room;
        continue;
      }
      const [orphan] = user.orphans;
      this.#hand(user, { ...orphan!.message, late: true }, [heir]);
    }
    user.adopting = false;
  }

  /**
   * Gives a session direct messages up to `last` that nobody has acknowledged, and that no other session
   * has, after an id.
   *
   * @returns after which id to go on; undefined where that was all
   */
  #giveWaiting(
    user: ActiveUser,
    member: Member,
    { after, last }: { after: number; last: number },
  ): number | undefined {
    const key = foldUsername(user.username);
    const page = this.#log.undelivered(key, { after, upTo: last, limit: PAGE });
    for (const message of page) {
      if (user.kept.get(message.id)?.holders.size) continue;
      this.#hand(user, { ...message, late: true }, [member]);
      if (member.room() !== undefined) return message.id;
    }
    return page.length < PAGE ? undefined : page.at(-1)!.id;
  }

  /** Gives a session what goes to all sessions of its user, after an id; returns the same. */
  #giveFlow(user: ActiveUser, member: Member, { after }: { after: number }): number | undefined {
    const key = foldUsername(user.username);
    for (const { message, undelivered } of this.#log.flow(key, { after, upTo: after + PAGE })) {
      if (undelivered) this.#hand(user, message, [member]);
      else member.deliver(utf8.encode(encodeMessage(message)), this.#expect(user, message));
      if (member.room() !== undefined) return message.id;
    }
    return after + PAGE < this.#log.last ? after + PAGE : undefined;
  }

  /** Fulfilled when this turn of the loop has done its work. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.soon(resolve));
  }

  /** Who counts when a session acknowledges a message that it had missed, and with it its user. */
  #expect({ username, live }: ActiveUser, { id, kind }: Message): Receipt | undefined {
    if (kind === "direct" || live.size > 0) return undefined;
    return this.#marks.find(id)?.expectLate(foldUsername(username));
  }

  /** A direct message goes to some sessions of its addressee's; the first acknowledgement settles it. */
  #hand(user: ActiveUser, message: Message, members: readonly Member[]): void {
    if (members.length === 0) return;
    const kept = user.kept.get(message.id) ?? { message, holders: new Set(), settled: false };
    user.kept.set(message.id, kept);
    user.orphans.delete(kept);
    const record = utf8.encode(encodeMessage(message));
    const added = members.filter((member) => !kept.holders.has(member));
    // All of them first: a session may end by being handed one message too many.
    for (const member of added) kept.holders.add(member);
    for (const member of added) {
      member.deliver(record, {
        acknowledged: (via) => this.#settle(user, kept, via),
        lost: () => this.#giveBack(user, kept, member),
      });
    }
  }

  #settle(user: ActiveUser, kept: Kept, via: "udp" | "tcp"): void {
    if (kept.settled) return;
    kept.settled = true;
    const { id } = kept.message;
    this.#marks.find(id)?.acknowledged(via);
    // As long as the log does not know, nobody shall take it for undelivered.
    this.#log.acknowledge(foldUsername(user.username), id)
      .catch(() => {})
      .finally(() => user.kept.delete(id));
  }

  /**
   * A session that had a direct message has gone. The last such one leaves it to a live one, or to the
   * first that will be.
   */
  #giveBack(user: ActiveUser, kept: Kept, member: Member): void {
    kept.holders.delete(member);
    if (kept.settled || kept.holders.size > 0) return;
    user.orphans.add(kept);
    void this.#adopt(user);
  }
}
