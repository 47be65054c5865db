import type { ActiveUser } from "./active_user.ts";

/** Who of those who are here is in which room. */
export class Crowds {
  readonly #rooms = new Map<number, Set<ActiveUser>>();

  /** The active users that are in a room. */
  of(room: number): ReadonlySet<ActiveUser> {
    return this.#rooms.get(room) ?? NOBODY;
  }

  /** An active user is in a room. */
  add(room: number, user: ActiveUser): void {
    const crowd = this.#rooms.get(room);
    if (crowd === undefined) this.#rooms.set(room, new Set([user]));
    else crowd.add(user);
    (user.rooms ??= new Set()).add(room);
  }

  /** It is not any more, or not active. */
  remove(room: number, user: ActiveUser): void {
    const crowd = this.#rooms.get(room);
    crowd?.delete(user);
    if (crowd?.size === 0) this.#rooms.delete(room);
    user.rooms?.delete(room);
  }
}

const NOBODY: ReadonlySet<ActiveUser> = new Set();
