/**
 * What a server asks of its metrics, and how it comes by them. This file is loaded always, the rest of this folder only
 * where `--metrics` is given.
 *
 * @module
 */
import type { Clock } from "../../clock.ts";
import type { ServerStatus } from "../status.ts";

/** Options of {@linkcode openMetrics}. */
export interface MetricsOptions {
  /** On 127.0.0.1 and ::1; 0 lets the system choose. */
  port: number;
  /** The data folder: how much room is on its disk is a metric. */
  folder: string;
  clock: Clock;
  log: (event: string) => void;
}

/** A server's metrics, for Prometheus. */
export interface Metrics extends AsyncDisposable {
  readonly port: number;
  /** From now on who asks is told how the server is; before, that it is not ready. */
  serve(describe: () => ServerStatus): void;
  /** A commit has taken so many milliseconds. */
  noteCommit(ms: number): void;
}

type Loader = () => Promise<{ open: (options: MetricsOptions) => Promise<Metrics> }>;

/**
 * The implementation's module. That it is computed keeps Deno from fetching prom-client for everybody; an executable
 * has it within itself.
 */
let load: Loader = () => import(new URL("./endpoint.ts", import.meta.url).href);

/** Has the implementation loaded another way. */
export function loadMetricsBy(loader: Loader): void {
  load = loader;
}

/** @throws {ExitError} `refused`, where the port can't be had */
export async function openMetrics(options: MetricsOptions): Promise<Metrics> {
  return await (await load()).open(options);
}
