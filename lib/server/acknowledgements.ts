import type { Clock } from "../clock.ts";
import type { Journal } from "../journal/journal.ts";
import type { ActiveUser } from "./active_user.ts";

/** How often it is written what members of rooms have acknowledged, in milliseconds. */
const HEARD_MS = 2_000;

/** Options of {@linkcode Acknowledgements}. */
export interface AcknowledgementsOptions {
  clock: Clock;
  journal: Pick<Journal, "append">;
  /** Something of a user was written. */
  written: (user: ActiveUser) => void;
}

/**
 * Writes down what users have acknowledged: direct messages once a turn of the loop, those of rooms once in a while. What can't
 * be written is acknowledged again after the next login.
 */
export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  /** Who has acknowledged messages of rooms, as the log does not know yet. */
  readonly #hearing = new Set<ActiveUser>();

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  /** A user has acknowledged direct messages. */
  noteDirect(user: ActiveUser, messages: readonly { id: number }[]): void {
    if (user.acknowledged.length === 0) {
      this.#options.clock.soon(() => void this.#writeDirect(user));
    }
    for (const { id } of messages) user.acknowledged.push(id);
  }

  /** A user has acknowledged messages of rooms. */
  noteHeard(user: ActiveUser): void {
    if (this.#hearing.size === 0) {
      this.#options.clock.after(HEARD_MS, () => void this.#writeHeard([...this.#hearing]));
    }
    this.#hearing.add(user);
  }

  /** Writes at once what a user has acknowledged of rooms. */
  flush(user: ActiveUser): void {
    void this.#writeHeard([user]);
  }

  /** Nothing of a user is written any more. */
  forget(user: ActiveUser): void {
    this.#hearing.delete(user);
  }

  async #writeDirect(user: ActiveUser): Promise<void> {
    const ids = user.acknowledged.sort((a, b) => a - b);
    user.acknowledged = [];
    const event = { type: "acknowledgement", account: user.key, messages: ids } as const;
    await this.#options.journal.append(event).catch(() => {});
    user.unread.written(ids);
    this.#options.written(user);
  }

  async #writeHeard(users: readonly ActiveUser[]): Promise<void> {
    for (const user of users) this.#hearing.delete(user);
    const heard = users.filter(({ heard }) => !heard.isWritten)
      .map((user) => ({ user, upTo: user.heard.upTo }));
    if (heard.length === 0) return;
    const accounts = heard.map(({ user, upTo }) => [user.key, upTo] as const);
    await this.#options.journal.append({ type: "rooms-heard", accounts }).catch(() => {});
    for (const { user, upTo } of heard) {
      user.heard.written(upTo);
      this.#options.written(user);
    }
  }
}
