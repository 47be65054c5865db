import type { JetStreamManager } from "./nats.ts";
import type { Snapshot } from "../messages/table_snapshot.ts";
import { MIGRATIONS } from "../messages/schema.ts";
import { type ClusterStream, purgeBefore } from "./stream.ts";

/** What of the stream is needless, since a snapshot has what it came to. */
export interface Floor {
  /** The number of the newest event that nobody reads any more; of a message, only where it is also below `before`. */
  upTo: number;
  before: number;
}

/** The newest snapshot, and where it is. */
export interface Manifest extends Floor {
  /** The id of the stream whose events it is made of. */
  stream: string;
  /** The version of the tables. */
  schema: number;
  /** When it was taken, in milliseconds since 1970. */
  at: number;
  /** The numbers of its parts, all from the first to the last: in the stream of snapshots. */
  parts: [first: number, last: number];
  /** What has been taken out of the stream, or is being. */
  floor: Floor;
}

/** JetStream's codes: a stream is not there; the expected last sequence was wrong. */
const NOT_FOUND = 10_059;
const WRONG_LAST_SEQUENCE = 10_071;

/** So many parts are asked for at a time. */
const AT_ONCE = 8;

/** The snapshots of a cluster's tables: a stream of their own, which has the newest one and is made with the first. */
export class Snapshots {
  readonly #stream: ClusterStream;
  readonly #manager: JetStreamManager;
  readonly #name: string;

  constructor(stream: ClusterStream) {
    this.#stream = stream;
    this.#manager = stream.manager;
    this.#name = `${stream.name}-snapshot`;
  }

  /**
   * The newest one, undefined where there is none of this stream; and the number of what says so, 0 where nothing
   * does. What is asked is the leader of the stream, which knows all that was answered.
   */
  async newest(): Promise<{ manifest: Manifest | undefined; number: number }> {
    const subject = `${this.#name}.newest`;
    const { streams } = this.#manager;
    try {
      const found = await streams.getMessage(this.#name, { last_by_subj: subject });
      if (found === null) return { manifest: undefined, number: 0 };
      const manifest = found.json<Manifest>();
      const isOurs = manifest.stream === this.#stream.id;
      return { manifest: isOurs ? manifest : undefined, number: found.seq };
    } catch (error) {
      if ((error as { code?: number }).code !== NOT_FOUND) throw error;
      return { manifest: undefined, number: 0 };
    }
  }

  /** The number of the newest event that may not be in the stream any more, because of a snapshot. */
  async floor(): Promise<number> {
    return (await this.newest()).manifest?.floor.upTo ?? 0;
  }

  /** The parts of a snapshot; undefined where it has been replaced since. */
  async read({ parts: [first, last] }: Manifest): Promise<string[] | undefined> {
    const parts: string[] = [];
    for (let next = first; next <= last; next += AT_ONCE) {
      const numbers = Array.from(
        { length: Math.min(AT_ONCE, last + 1 - next) },
        (_, i) => next + i,
      );
      const found = await Promise.all(
        numbers.map((seq) => this.#manager.streams.getMessage(this.#name, { seq })),
      );
      for (const part of found) {
        if (part === null) return undefined;
        parts.push(part.string());
      }
    }
    return parts;
  }

  /**
   * Puts a snapshot in the place of the one with a number, unless another server has put one there.
   *
   * @returns whether it did
   */
  async write(
    { parts, upTo, before }: Snapshot,
    { at, floor, replaces }: Pick<Manifest, "at" | "floor"> & { replaces: number },
  ): Promise<boolean> {
    await this.#create();
    const numbers: number[] = [];
    for (const part of parts) {
      const { seq } = await this.#publish("part", part);
      // Another server is writing one too.
      if (numbers.length > 0 && seq !== numbers.at(-1)! + 1) return false;
      numbers.push(seq);
    }
    const ends: Manifest["parts"] = [numbers[0]!, numbers.at(-1)!];
    const manifest = {
      ...{ stream: this.#stream.id, schema: MIGRATIONS.length, at, floor },
      ...{ upTo, before, parts: ends },
    };
    if (!await this.replace(manifest, replaces)) return false;
    await this.#purge("part", ends[0]);
    return true;
  }

  /** Writes a manifest in the place of the one with a number. @returns whether that was still the newest */
  async replace(manifest: Manifest, number: number): Promise<boolean> {
    try {
      const { seq } = await this.#publish("newest", JSON.stringify(manifest), number);
      await this.#purge("newest", seq);
      return true;
    } catch (error) {
      if ((error as { code?: number }).code === WRONG_LAST_SEQUENCE) return false;
      throw error;
    }
  }

  #purge(subject: string, before: number): Promise<void> {
    const [name, filter] = [this.#name, `${this.#name}.${subject}`];
    return purgeBefore(this.#manager, { name, filter, before });
  }

  #publish(subject: string, data: string, expected?: number) {
    return this.#stream.client.publish(`${this.#name}.${subject}`, data, {
      timeout: this.#stream.answerMs,
      ...expected !== undefined && { expect: { lastSubjectSequence: expected } },
    });
  }

  async #create(): Promise<void> {
    // What is there already is left as it is.
    await this.#manager.streams.add({
      name: this.#name,
      description: "snapshots of a chatserver journal",
      subjects: [`${this.#name}.>`],
      num_replicas: this.#stream.replicas,
    }).catch(async (error) => {
      await this.#manager.streams.info(this.#name).catch(() => {
        throw error;
      });
    });
  }
}
