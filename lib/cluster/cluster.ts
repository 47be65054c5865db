/**
 * What a server asks of its cluster, and how it comes by one. This file, `elsewhere.ts`, `other_servers.ts` and `uses.ts` are loaded always, the rest
 * of this folder only by who is in a cluster.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Journal } from "../journal/journal.ts";
import type { Projection } from "../journal/projection.ts";
import type { Database } from "../messages/database.ts";
import type { Elsewhere } from "./elsewhere.ts";
import type { OtherServers } from "./other_servers.ts";
import type { Uses } from "./uses.ts";

/** Options of {@linkcode openCluster}. */
export interface ClusterOptions {
  /** NATS servers, as `host:port`. */
  servers: string[];
  /** The text of a NATS credentials file, or the seed of a user's nkey. @default none */
  credentials?: string | undefined;
  /** The certificates, in PEM, that NATS' own are checked with. @default NATS speaks no TLS, or a certificate of the system's */
  ca?: string | undefined;
  clock: Clock;
  log: (event: string) => void;
}

/** A cluster that a server belongs to: where its events are, and who else is in it. What it opens is closed before it. */
export interface Cluster extends AsyncDisposable {
  /** What tells the stream of its events from every other one. */
  readonly stream: string;
  /** Is told whether NATS takes what is to be stored, when that changes. */
  onAvailable: (available: boolean) => void;
  /** Fulfilled with the reason when this server can't go on as one of the cluster: nothing is stored any more. */
  readonly failed: Promise<string>;
  /** Whether this server's clock is known to say what NATS' does, or nearly. */
  readonly clockIsRight: boolean;

  /**
   * Reads the stream on from the newest event that the projection has, or from a snapshot where that was trimmed.
   *
   * @returns the journal, when the projection has every event that there was
   * @throws {ExitError} `refused`, where the stream does not have the events that come next
   */
  openJournal(database: Database, projection: Projection): Promise<Journal>;

  /** Learns who is in the cluster. After the journal is open. */
  join(): Promise<Elsewhere & OtherServers & Uses>;
}

type Loader = () => Promise<{ openCluster: (options: ClusterOptions) => Promise<Cluster> }>;

/**
 * The implementation's module. That it is computed keeps Deno from fetching NATS' packages for everybody; an
 * executable has them within itself.
 */
let load: Loader = () => import(new URL("./nats_cluster.ts", import.meta.url).href);

/** Has the implementation loaded another way. */
export function loadClusterBy(loader: Loader): void {
  load = loader;
}

/**
 * Connects to a cluster's NATS, and opens the stream, which is made where there is none.
 *
 * @throws {ExitError} `refused`, where that is not to be had
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  return await (await load()).openCluster(options);
}
