import { DeliverPolicy } from "./nats.ts";
import { ExitCode, ExitError } from "../exit.ts";
import type { MessageEvent } from "../journal/events.ts";
import type { Projection } from "../journal/projection.ts";
import { MIGRATIONS } from "../messages/schema.ts";
import type { Manifest, Snapshots } from "./snapshots.ts";
import type { ClusterStream } from "./stream.ts";
import { decodeEvent, MESSAGES } from "./wire.ts";

/** So many messages are stored in one transaction, and asked for at a time. */
const BATCH = 2_000;
const AT_ONCE = 100;

/** How long messages are waited for, in milliseconds. */
const FETCH_MS = 2_000;

/** So often a snapshot may be replaced while it is read. */
const ATTEMPTS = 3;

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
  { stream, snapshots, projection, log = () => {} }: {
    stream: ClusterStream;
    snapshots: Snapshots;
    projection: Projection;
    log?: (event: string) => void;
  },
): Promise<void> {
  for (let attempt = 1;; attempt++) {
    const { manifest } = await snapshots.newest();
    if (manifest === undefined || projection.last >= manifest.floor.upTo) {
      // What a snapshot that is gone has left is nothing.
      if (projection.restoring) await projection.clear();
      return;
    }
    requireSchema(manifest, stream);
    log(
      `events up to ${manifest.floor.upTo} were trimmed: beginning with a snapshot of the others`,
    );
    const parts = await snapshots.read(manifest);
    try {
      if (parts === undefined) throw new ReplacedError();
      const read = (ids: readonly number[]) => readMessages(ids, stream);
      return await projection.restore({ upTo: manifest.upTo, parts }, read);
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
async function* readMessages(
  ids: readonly number[],
  stream: ClusterStream,
): AsyncIterable<Messages> {
  const wanted = new Set(ids);
  for await (const messages of consume(ids, stream)) {
    const some = messages.filter(([id]) => wanted.delete(id));
    if (some.length > 0) yield some;
  }
  const missing = [...wanted];
  for (let next = 0; next < missing.length; next += AT_ONCE) {
    const some = missing.slice(next, next + AT_ONCE);
    yield await Promise.all(some.map((id) => ask(id, stream)));
  }
}

async function* consume(ids: readonly number[], stream: ClusterStream): AsyncIterable<Messages> {
  const [first, last] = [ids[0], ids.at(-1)];
  if (first === undefined || last === undefined) return;
  try {
    const consumer = await stream.client.consumers.get(stream.name, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: first,
      filter_subjects: [`${stream.name}.${MESSAGES}`],
    });
    for (let pending = 1; pending > 0;) {
      const messages: Messages = [];
      const fetched = await consumer.fetch({ max_messages: BATCH, expires: FETCH_MS });
      for await (const { seq, data, info } of fetched) {
        pending = seq < last ? info.pending : 0;
        if (seq <= last) messages.push([seq, decodeEvent(data) as MessageEvent]);
        if (pending === 0) break;
      }
      if (messages.length === 0) return;
      yield messages;
    }
  } catch {
    // What has not come is asked for.
  }
}

async function ask(id: number, stream: ClusterStream): Promise<Messages[number]> {
  const found = await stream.manager.streams.getMessage(stream.name, { seq: id });
  if (found === null) throw new ReplacedError();
  return [id, decodeEvent(found.data) as MessageEvent];
}
