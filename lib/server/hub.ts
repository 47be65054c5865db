import type { Clock } from "../clock.ts";
import { foldUsername } from "../protocol/names.ts";
import { TokenBucket } from "./token_bucket.ts";
import { encodeMessage, type Message } from "../protocol/records.ts";

/** A session as the hub sees it. */
export interface Member {
  readonly username: string;
  /** Takes a message record, UTF-8. */
  deliver(record: Uint8Array): void;
  /** Ends the session, because its account is not what it was. */
  expel(why: string): void;
  /** A promise of the time when less waits for this member; undefined where that is now. */
  relief(): Promise<void> | undefined;
}

/** How long a sender waits for receivers who are behind, in milliseconds. */
const RELIEF_LIMIT_MS = 2_000;

interface ActiveUser {
  username: string;
  members: Set<Member>;
  /** How many commands all its sessions together may give. */
  rate: TokenBucket;
}

const utf8 = new TextEncoder();

/** Who is here, and who gets what. */
export class Hub {
  readonly #clock: Clock;
  readonly #rate: { burst: number; perSecond: number };
  readonly #active = new Map<string, ActiveUser>();
  #lastMessage = 0;

  constructor(clock: Clock, rate: { burst: number; perSecond: number }) {
    this.#clock = clock;
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

  join(member: Member): void {
    const key = foldUsername(member.username);
    const user = this.#active.get(key) ?? {
      username: member.username,
      members: new Set(),
      rate: new TokenBucket(this.#rate, this.#clock.now()),
    };
    user.members.add(member);
    this.#active.set(key, user);
  }

  leave(member: Member): void {
    const key = foldUsername(member.username);
    const user = this.#active.get(key);
    if (user === undefined) return;
    user.members.delete(member);
    if (user.members.size === 0) this.#active.delete(key);
  }

  /** The bucket that a member's commands are taken from, which all of its account's sessions share. */
  rateOf({ username }: Member): TokenBucket {
    return this.#active.get(foldUsername(username))!.rate;
  }

  /**
   * Delivers a text to every active user but its sender, on none of whose sessions it appears.
   *
   * @returns the message's id
   */
  publish(from: string, text: string): number {
    const message = this.#newMessage({ kind: "public", from, to: undefined, text });
    const sender = foldUsername(from);
    const others = [...this.#active].filter(([key]) => key !== sender);
    return this.#deliver(message, others.map(([, user]) => user));
  }

  /**
   * Delivers a text to all sessions of one active user.
   *
   * @returns the message's id, or undefined where there is no such active user
   */
  direct(from: string, to: string, text: string): number | undefined {
    const user = this.#active.get(foldUsername(to));
    if (user === undefined) return undefined;
    return this.#deliver(
      this.#newMessage({ kind: "direct", from, to: user.username, text }),
      [user],
    );
  }

  /** Ends all sessions of an account. */
  expel(username: string, why: string): void {
    const user = this.#active.get(foldUsername(username));
    for (const member of [...user?.members ?? []]) member.expel(why);
  }

  /**
   * Waits until no active user is far behind, or for two seconds: whoever sends faster than others can
   * take is slowed down, and one who does not take anything slows down nobody for long.
   *
   * @returns undefined where nobody is behind
   */
  relief(): Promise<void> | undefined {
    const members = [...this.#active.values()].flatMap(({ members }) => [...members]);
    const behind = members.flatMap((member) => member.relief() ?? []);
    if (behind.length === 0) return undefined;
    const late = Promise.withResolvers<void>();
    const limit = this.#clock.after(RELIEF_LIMIT_MS, late.resolve);
    return Promise.race([Promise.all(behind), late.promise]).then(() => limit[Symbol.dispose]());
  }

  #newMessage(message: Omit<Message, "id" | "sent">): Message {
    return { id: ++this.#lastMessage, sent: this.#clock.date().toISOString(), ...message };
  }

  #deliver(message: Message, users: readonly ActiveUser[]): number {
    const record = utf8.encode(encodeMessage(message));
    for (const { members } of users) {
      for (const member of members) member.deliver(record);
    }
    return message.id;
  }
}
