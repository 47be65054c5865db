import type { Clock } from "../clock.ts";
import { type Crowd, encodeRecord } from "../protocol/records.ts";

/** Who comes and goes is told together, once in so long, in milliseconds. */
const TOGETHER_MS = 1_000;
/** So many names are told; of the others only how many they are. */
const MAX_NAMES = 20;

/** A session that is told who comes and goes. */
export interface Watcher {
  notify(line: string): void;
}

/**
 * Tells sessions who comes and goes. A thousand that come back at once are one record, encoded once; who
 * goes and comes back within a second has never gone.
 */
export class Presence {
  readonly #clock: Clock;
  readonly #watchers = new Set<Watcher>();
  /** What is to be told, by username. */
  readonly #changes = new Map<string, "joined" | "left">();
  #timer: Disposable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  watch(watcher: Watcher): void {
    this.#watchers.add(watcher);
  }

  /** Whether a session is told what happens. */
  tells(watcher: Watcher): boolean {
    return this.#watchers.has(watcher);
  }

  unwatch(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#changes.clear();
  }

  /** A user has become active. */
  came(username: string): void {
    this.#note(username, "joined");
  }

  /** A user's last session has ended. */
  went(username: string): void {
    this.#note(username, "left");
  }

  #note(username: string, change: "joined" | "left"): void {
    if (this.#watchers.size === 0) return;
    const before = this.#changes.get(username);
    if (before !== undefined && before !== change) this.#changes.delete(username);
    else this.#changes.set(username, change);
    this.#timer ??= this.#clock.after(TOGETHER_MS, () => this.#tell());
  }

  #tell(): void {
    this.#timer = undefined;
    if (this.#changes.size === 0) return;
    const of = (change: "joined" | "left"): Crowd => {
      const names = [...this.#changes].filter(([, made]) => made === change).map(([name]) => name);
      return { count: names.length, users: names.slice(0, MAX_NAMES) };
    };
    const line = encodeRecord({ type: "presence", joined: of("joined"), left: of("left") });
    this.#changes.clear();
    for (const watcher of this.#watchers) watcher.notify(line);
  }
}
