import { type Elsewhere, NOWHERE } from "../cluster/elsewhere.ts";
import { foldUsername } from "../protocol/names.ts";
import type { ActiveUser, Member } from "./active_user.ts";
import { Heard } from "./heard.ts";
import { Unread } from "./unread.ts";

/** The sessions of a user that has none. */
const NOBODY: readonly Member[] = [];

/**
 * Who is active: the users with sessions at this server, and those at the others of its cluster. Users are kept by their
 * account's key, which is the folded username.
 */
export class ActiveUsers {
  readonly #elsewhere: Elsewhere;
  /** Also those that have gone, and are kept for what is still to be written of them. */
  readonly #kept = new Map<string, ActiveUser>();
  /** How many have sessions here, and how many of them at other servers too. */
  #here = 0;
  #both = 0;

  constructor(elsewhere: Elsewhere = NOWHERE) {
    this.#elsewhere = elsewhere;
  }

  /** How many there are. */
  get count(): number {
    return this.#here + this.#elsewhere.users.size - this.#both;
  }

  /** How many have sessions at this server. */
  get countHere(): number {
    return this.#here;
  }

  /** The usernames of all, each once, in their order. */
  get names(): string[] {
    const active = new Map<string, { username: string }>(this.#elsewhere.users);
    for (const [key, user] of this.#kept) if (user.members.length > 0) active.set(key, user);
    const byKey = [...active].sort(([a], [b]) => a < b ? -1 : 1);
    return byKey.map(([, { username }]) => username);
  }

  /** The usernames of some, in no order. */
  some(limit: number): string[] {
    const names: string[] = [];
    for (const { username, members } of this.#kept.values()) {
      if (names.length >= limit) break;
      if (members.length > 0) names.push(username);
    }
    for (const [key, { username }] of this.#elsewhere.users) {
      if (names.length >= limit) break;
      if (this.here(key) === undefined) names.push(username);
    }
    return names;
  }

  /** An active user's username as it was registered; undefined where there is none. */
  find(username: string): string | undefined {
    const user = this.here(username) ?? this.#elsewhere.users.get(foldUsername(username));
    return user?.username;
  }

  /** The user with sessions at this server; undefined where there is none. */
  here(username: string): ActiveUser | undefined {
    const user = this.#kept.get(foldUsername(username));
    return user !== undefined && user.members.length > 0 ? user : undefined;
  }

  /** How many sessions a user has, at all servers together. */
  sessionsOf(username: string): number {
    const elsewhere = this.#elsewhere.users.get(foldUsername(username))?.sessions ?? 0;
    return elsewhere + (this.here(username)?.members.length ?? 0);
  }

  /** Whether a user has sessions at other servers. */
  isElsewhere(key: string): boolean {
    return this.#elsewhere.users.has(key);
  }

  /** All sessions at this server. */
  *members(): Generator<Member> {
    for (const { members } of this.#kept.values()) yield* members;
  }

  /** Who is here, and who has gone but is still kept, by their keys; those have no sessions. */
  get kept(): ReadonlyMap<string, ActiveUser> {
    return this.#kept;
  }

  /**
   * Adds a session to its user's, who becomes active with the first one.
   *
   * @param now in milliseconds since the epoch
   */
  enter(member: Member, now: number): ActiveUser {
    const key = foldUsername(member.username);
    const user = this.#kept.get(key) ?? newUser(key, member.username);
    this.#kept.set(key, user);
    if (user.members.length === 0) {
      user.since = user.lastSent = now;
      this.#here++;
      if (this.isElsewhere(key)) this.#both++;
    }
    user.members = [...user.members, member];
    this.#tellOthers(user);
    return user;
  }

  /** A session is none of its user's any more; without one the user is not active here. */
  leave(user: ActiveUser, member: Member): void {
    user.members = user.members.filter((other) => other !== member);
    user.live = user.live.filter((other) => other !== member);
    this.#tellOthers(user);
    if (user.members.length > 0) return;
    this.#here--;
    if (this.isElsewhere(user.key)) this.#both--;
  }

  /** A user has come to other servers, or has gone from all of them. */
  noteElsewhere(key: string, change: "came" | "went"): void {
    if (this.here(key) !== undefined) this.#both += change === "came" ? 1 : -1;
  }

  /** Nothing is kept of a user who has gone and whose acknowledgements are written. */
  forgetGone(user: ActiveUser): void {
    if (user.members.length > 0 || !user.unread.isEmpty || !user.heard.isWritten) return;
    if (this.#kept.get(user.key) === user) this.#kept.delete(user.key);
  }

  /** Nothing is kept of an account that is no more. Its sessions have ended before. */
  forget(key: string): void {
    this.#kept.delete(key);
  }

  #tellOthers({ key, username, members }: ActiveUser): void {
    this.#elsewhere.note(key, { username, sessions: members.length });
  }
}

function newUser(key: string, username: string): ActiveUser {
  return {
    key,
    username,
    members: NOBODY,
    live: NOBODY,
    unread: new Unread(),
    rooms: undefined,
    heard: new Heard(),
    since: 0,
    lastSent: 0,
    orphans: false,
    adopting: false,
    acknowledged: [],
  };
}
