import type { Clock } from "../clock.ts";
import { type Copied, takeSnapshot } from "../journal/copy.ts";
import type { Manifest, Snapshots } from "./snapshots.ts";
import type { ClusterStream } from "./stream.ts";
import { MESSAGES, STATE } from "./wire.ts";

/** How long a snapshot stands before the events that it makes needless may go, in milliseconds. */
export const STANDING_MS = 600_000;
/** How often one is made where nothing hurries, in milliseconds. */
export const EVERY_MS = 3_600_000;

/** Options of {@linkcode Trimming}. */
export interface TrimmingOptions extends Copied {
  stream: ClusterStream;
  snapshots: Snapshots;
  clock: Pick<Clock, "date">;
}

/**
 * Takes out of the stream what nobody needs any more: first a snapshot of the tables is written, and later, when all
 * servers that are there have read past it, the events go that it makes needless.
 */
export class Trimming {
  readonly #options: TrimmingOptions;
  /** Up to which event this process has taken out what was to go. */
  #purged = 0;

  constructor(options: TrimmingOptions) {
    this.#options = options;
  }

  /** Does what is due; any server may, at any time, also several at once. @throws where NATS can't */
  async run(): Promise<void> {
    await this.#advance();
    const { manifest } = await this.#options.snapshots.newest();
    if (manifest !== undefined) await this.#purge(manifest);
  }

  /** Writes the next snapshot, and says what may go now. */
  async #advance(): Promise<void> {
    const { snapshots, projection, clock } = this.#options;
    const { manifest, number } = await snapshots.newest();
    const at = clock.date().getTime();
    const { upTo, before } = manifest ?? { upTo: 0, before: 0 };
    const floor = { upTo, before };
    if (manifest !== undefined) {
      // A clock that was ahead must not stop it.
      const age = Math.abs(at - manifest.at);
      if (age < (projection.erasures.waiting ? STANDING_MS : EVERY_MS)) return;
      if (projection.last <= upTo) {
        if (manifest.floor.upTo < upTo) await snapshots.replace({ ...manifest, floor }, number);
        return;
      }
    }
    const snapshot = await takeSnapshot(this.#options);
    if (snapshot === undefined || snapshot.upTo <= upTo || snapshot.parts.length === 0) return;
    await snapshots.write(snapshot, { at, floor, replaces: number });
  }

  async #purge({ floor: { upTo, before } }: Manifest): Promise<void> {
    const { stream, projection: { erasures } } = this.#options;
    if (upTo <= this.#purged) return;
    const { streams } = stream.manager;
    await stream.purge(MESSAGES, before);
    await stream.purge(`${STATE}.>`, upTo + 1);
    for (const seq of erasures.due(upTo)) {
      if (!await stream.has(seq)) continue;
      await streams.deleteMessage(stream.name, seq, true).catch(async (error) => {
        // Another server may have been faster.
        if (await stream.has(seq)) throw error;
      });
    }
    erasures.done(upTo);
    this.#purged = upTo;
  }
}
