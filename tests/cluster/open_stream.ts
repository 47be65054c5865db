import { systemClock } from "../../lib/clock.ts";
import { restore } from "../../lib/cluster/restore.ts";
import { Snapshots } from "../../lib/cluster/snapshots.ts";
import { ClusterStream, type StreamOptions } from "../../lib/cluster/stream.ts";
import { EVERY_MS, Trimming } from "../../lib/cluster/trimming.ts";
import { StreamJournal } from "../../lib/cluster/stream_journal.ts";
import { Projection } from "../../lib/journal/projection.ts";
import { Database } from "../../lib/messages/database.ts";
import { type OpenJournal, type OpenOptions, Recorder } from "../journal/journal_suite.ts";

/** A journal that has been opened on a stream. */
export interface StreamUnderTest extends OpenJournal {
  /** The name of the NATS server that leads the stream. */
  leader: () => Promise<string | undefined>;
  stream: ClusterStream;
  database: Database;
  /** An hour later what is due is taken out of the stream. */
  trim: () => Promise<void>;
}

/** A journal on a stream, with a projection of its own in a folder. */
export async function openStream(
  folder: string,
  { sync, onFailed = () => {}, restores = true, ...options }:
    & Omit<StreamOptions, "clock">
    & Pick<OpenOptions, "sync">
    & { onFailed?: (problem: string) => void; restores?: boolean },
): Promise<StreamUnderTest> {
  await using opened = new AsyncDisposableStack();
  const stream = opened.use(await ClusterStream.open({ clock: systemClock, ...options }));
  const database = opened.use(
    new Database(`${folder}/messages.db`, { clock: systemClock, ...sync && { sync } }),
  );
  const projection = new Projection(database, { stream: stream.id });
  const snapshots = new Snapshots(stream);
  const log = options.log ?? (() => {});
  const inDoubt = projection.position.restoring;
  if (restores) await restore({ stream, clock: systemClock, log, snapshots, projection, database });
  const recorder = new Recorder(projection);
  const journal = opened.use(
    await StreamJournal.open({
      ...{ stream, snapshots, database, reader: recorder, clock: systemClock },
      ...{ inDoubt, log, onFailed },
    }),
  );
  const resources = opened.move();
  const time = { now: Date.now() };
  const clock = { date: () => new Date(time.now) };
  const trimming = new Trimming({ stream, snapshots, projection, database, clock });
  return {
    stream,
    database,
    trim: () => {
      time.now += EVERY_MS;
      return trimming.run();
    },
    journal,
    projection,
    recorder,
    leader: async () => (await stream.manager.streams.info(stream.name)).cluster?.leader,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
