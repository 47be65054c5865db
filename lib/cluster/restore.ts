import { DeliverPolicy } from "./nats.ts";
import { Alarm, type Clock } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { type Copied, empty, fillFrom } from "../journal/copy.ts";
import type { MessageEvent } from "../journal/events.ts";
import { MIGRATIONS } from "../messages/schema.ts";
import type { Manifest, Snapshots } from "./snapshots.ts";
import type { ClusterStream } from "./stream.ts";
import { decodeEvent, MESSAGES } from "./wire.ts";

/** So many messages are stored in one transaction, and asked for at a time. */
const BATCH = 2_000;
const AT_ONCE = 100;

/** A consumer gives so many messages ahead; one that gives nothing for so long, in milliseconds, is given up. */
const AHEAD = 5_000;
const SILENCE_MS = 3_000;

/** So often a snapshot may be replaced while it is read. */
const ATTEMPTS = 3;

/** Where messages come from. */
interface Source {
  stream: ClusterStream;
  clock: Clock;
  log: (event: string) => void;
}

type Messages = [id: number, event: MessageEvent][];

/** The stream has no more what a snapshot needs: there is a newer one. */
class ReplacedError extends Error {
  override name = "ReplacedError";
}

/**
 * Fills the tables from the newest snapshot where the stream does not have the events any more that they need next.
 *
 * @throws {ExitError} `refused`, where that snapshot is of another version
 */
export async function restore(
  { snapshots, projection, database, ...source }: Source & Copied & { snapshots: Snapshots },
): Promise<void> {
  const { stream, log } = source;
  for (let attempt = 1;; attempt++) {
    const { manifest } = await stream.patiently(() => snapshots.newest());
    if (manifest === undefined || projection.last >= manifest.floor.upTo) {
      // What a snapshot that is gone has left is nothing.
      if (projection.position.restoring) await empty({ projection, database });
      return;
    }
    requireSchema(manifest, stream);
    log(
      `events up to ${manifest.floor.upTo} were trimmed: beginning with a snapshot of the others`,
    );
    const parts = await stream.patiently(() => snapshots.read(manifest));
    try {
      if (parts === undefined) throw new ReplacedError();
      return await fillFrom({ upTo: manifest.upTo, parts }, {
        ...{ projection, database },
        readMessages: (ids) => readMessages(ids, source),
      });
    } catch (error) {
      if (!(error instanceof ReplacedError)) throw error;
      if (attempt === ATTEMPTS) {
        throw refused(`the stream ${stream.name} lacks messages that its newest snapshot needs`);
      }
    }
  }
}

function requireSchema({ schema }: Manifest, { name }: ClusterStream): void {
  if (schema === MIGRATIONS.length) return;
  throw refused(
    `the newest snapshot of the stream ${name} is of ${
      schema > MIGRATIONS.length ? "a newer" : "an older"
    } ` +
      `chatserver (schema ${schema}, this one knows ${MIGRATIONS.length}): take that one, or wait for an ` +
      "hour until a server of this version has written another",
  );
}

function refused(why: string): ExitError {
  return new ExitError(ExitCode.refused, why);
}

/**
 * The messages of these ids, ascending. What a consumer leaves out is asked of the leader: a NATS server whose copy
 * of the stream is not whole yet gives what it has.
 */
async function* readMessages(ids: readonly number[], source: Source): AsyncIterable<Messages> {
  const wanted = new Set(ids);
  for await (const messages of consume(ids, source)) {
    const some = messages.filter(([id]) => wanted.delete(id));
    if (some.length > 0) yield some;
  }
  const missing = [...wanted];
  if (missing.length > 0) {
    source.log(`NATS left ${missing.length} messages out: asking for each of them`);
  }
  for (let next = 0; next < missing.length; next += AT_ONCE) {
    const some = missing.slice(next, next + AT_ONCE);
    yield await Promise.all(some.map((id) => ask(id, source)));
  }
}

async function* consume(
  ids: readonly number[],
  { stream, clock }: Source,
): AsyncIterable<Messages> {
  const [first, last] = [ids[0], ids.at(-1)];
  if (first === undefined || last === undefined) return;
  try {
    const consumer = await stream.client.consumers.get(stream.name, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: first,
      filter_subjects: `${stream.name}.${MESSAGES}`,
    });
    const consumed = await consumer.consume({ max_messages: AHEAD });
    const silence = new Alarm(clock, () => consumed.stop());
    try {
      let messages: Messages = [];
      silence.set(clock.now() + SILENCE_MS);
      for await (const { seq, data, info } of consumed) {
        silence.set(clock.now() + SILENCE_MS);
        messages.push([seq, decodeEvent(data) as MessageEvent]);
        const isLast = seq >= last || info.pending === 0;
        if (messages.length < BATCH && !isLast) continue;
        silence.set(undefined);
        yield messages;
        messages = [];
        if (isLast) return;
      }
    } finally {
      silence[Symbol.dispose]();
      consumed.stop();
    }
  } catch {
    // What has not come is asked for.
  }
}

async function ask(id: number, { stream }: Source): Promise<Messages[number]> {
  const { manager: { streams }, name } = stream;
  const found = await stream.patiently(() => streams.getMessage(name, { seq: id }));
  if (found === null) throw new ReplacedError();
  return [id, decodeEvent(found.data) as MessageEvent];
}
