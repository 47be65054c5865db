import type { Clock } from "../clock.ts";
import type { MessageLog } from "../messages/message_log.ts";
import { foldUsername } from "../protocol/names.ts";
import { TokenBucket } from "./token_bucket.ts";
import { encodeMessage, type Message } from "../protocol/records.ts";

/** A session as the hub sees it. */
export interface Member {
  readonly username: string;
  /**
   * Takes a message record, UTF-8.
   *
   * @param acknowledged is called once, when the client has acknowledged it
   */
  deliver(record: Uint8Array, acknowledged?: () => void): void;
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
  /** Direct messages on their way, which none of its sessions has acknowledged yet, by id. */
  kept: Map<number, Kept>;
}

/** A direct message, and the sessions that have it. */
interface Kept {
  message: Message;
  holders: Set<Member>;
}

/** So many waiting messages are read from the log at a time. */
const PAGE = 100;

const utf8 = new TextEncoder();

/** Who is here, and who gets what. */
export class Hub {
  readonly #clock: Clock;
  readonly #log: MessageLog;
  readonly #rate: { burst: number; perSecond: number };
  readonly #active = new Map<string, ActiveUser>();

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

  /**
   * Makes a session's user active, and gives it what waited for the user, unless another session of
   * the user's has that already.
   *
   * @param options `fresh` where the account has just been made
   */
  join(member: Member, { fresh = false }: { fresh?: boolean } = {}): void {
    const key = foldUsername(member.username);
    const user = this.#active.get(key) ?? {
      username: member.username,
      members: new Set(),
      rate: new TokenBucket(this.#rate, this.#clock.now()),
      kept: new Map(),
    };
    user.members.add(member);
    this.#active.set(key, user);
    this.#log.enter(key, { fresh }).catch(() => {});
    // What can't be read now waits on, for the next login.
    if (!fresh) this.#feed(user, member).catch(() => {});
  }

  /** What only this session had goes to another one of its user's, or waits for the next login. */
  leave(member: Member): void {
    const key = foldUsername(member.username);
    const user = this.#active.get(key);
    if (user === undefined) return;
    user.members.delete(member);
    const [heir] = user.members;
    if (heir === undefined) {
      this.#active.delete(key);
      return;
    }
    for (const { message, holders } of [...user.kept.values()]) {
      if (holders.delete(member) && holders.size === 0) this.#hand(user, message, [heir], true);
    }
  }

  /** The bucket that a member's commands are taken from, which all of its account's sessions share. */
  rateOf({ username }: Member): TokenBucket {
    return this.#active.get(foldUsername(username))!.rate;
  }

  /**
   * Stores a text, then delivers it to every active user but its sender, on none of whose sessions it
   * appears.
   *
   * @returns the message's id
   * @throws {ProtocolError} `not-stored`
   */
  async publish(from: string, text: string): Promise<number> {
    let id = 0;
    await this.#log.append({ kind: "public", from, to: undefined, text }, (message) => {
      id = message.id;
      const sender = foldUsername(from);
      const record = utf8.encode(encodeMessage(message));
      for (const [key, { members }] of this.#active) {
        if (key === sender) continue;
        for (const member of members) member.deliver(record);
      }
    });
    return id;
  }

  /**
   * Stores a text for one account, then delivers it to all its sessions; where there is none it waits
   * for the next login.
   *
   * @param to the account's username as it was registered
   * @returns the message's id
   * @throws {ProtocolError} `not-stored`
   */
  async direct(from: string, to: string, text: string): Promise<number> {
    let id = 0;
    await this.#log.append({ kind: "direct", from, to, text }, (message) => {
      id = message.id;
      const user = this.#active.get(foldUsername(to));
      if (user !== undefined) this.#hand(user, message, [...user.members], false);
    });
    return id;
  }

  /** Gives a session all that waits for its user, as fast as it takes it. */
  async #feed(user: ActiveUser, member: Member): Promise<void> {
    const key = foldUsername(user.username);
    for (let after = 0;;) {
      const page = this.#log.undelivered(key, { after, limit: PAGE });
      for (const message of page) {
        if (!user.kept.has(message.id)) this.#hand(user, message, [member], true);
      }
      if (page.length < PAGE) return;
      after = page.at(-1)!.id;
      await member.relief();
      if (!user.members.has(member)) return;
    }
  }

  /** A direct message goes to some sessions; the first acknowledgement settles it. */
  #hand(user: ActiveUser, message: Message, members: readonly Member[], late: boolean): void {
    user.kept.set(message.id, { message, holders: new Set(members) });
    const record = utf8.encode(encodeMessage(late ? { ...message, late } : message));
    const acknowledged = () => {
      if (user.kept.delete(message.id)) {
        this.#log.acknowledge(foldUsername(user.username), message.id);
      }
    };
    for (const member of members) member.deliver(record, acknowledged);
  }

  /** How many sessions a user has. */
  sessionsOf(username: string): number {
    return this.#active.get(foldUsername(username))?.members.size ?? 0;
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
    const members = users.flatMap(({ members }) => [...members]);
    const behind = members.flatMap((member) => member.relief() ?? []);
    if (behind.length === 0) return undefined;
    const late = Promise.withResolvers<void>();
    const limit = this.#clock.after(RELIEF_LIMIT_MS, late.resolve);
    return Promise.race([Promise.all(behind), late.promise]).then(() => limit[Symbol.dispose]());
  }
}
