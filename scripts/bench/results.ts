import { labelOf, type Target } from "./target.ts";
import type { Workload } from "./workloads.ts";

/** What all rounds of a workload at one target gave. */
export interface Result {
  workload: string;
  target: Target;
  /** The medians, by name. */
  medians: Record<string, number>;
  rounds: readonly Record<string, number>[];
  /** What went wrong, if something did. */
  problem?: string | undefined;
}

/** How many messages a second the log alone takes. */
export interface LogRate {
  /** Messages in a commit. */
  batch: number;
  messagesPerSecond: number;
}

/** All that a run of the bench found. */
export interface Report {
  date: string;
  machine: Record<string, string | number>;
  versions: Record<string, string>;
  /** How busy the machine was before: processes that wanted to run, in the last minute. */
  loadAverage: number;
  settings: { rounds: number; seconds: number };
  results: Result[];
  log: LogRate[];
  /** What was not measured, and why. */
  skipped: string[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median of each figure. */
export function mediansOf(rounds: readonly Record<string, number>[]): Record<string, number> {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((r) => r[name] ?? 0))]));
}

/** The result of a workload at a target, as long as everything went right. */
export function findResult(
  results: readonly Result[],
  { name }: Workload,
  target: Target,
): Result | undefined {
  return results.find((result) =>
    result.workload === name && labelOf(result.target) === labelOf(target) &&
    result.rounds.length > 0
  );
}

/** A figure of ours beside the same of a peer, over the same kind of connection. */
export interface Ratio {
  ours: Target;
  peer: Target["server"];
  /** Above 1 where ours is better. */
  ratio: number;
}

/** Ours beside every peer, in the figure that counts most. */
export function ratiosOf(results: readonly Result[], workload: Workload): Ratio[] {
  const [figure] = workload.figures;
  const peers = workload.targets.filter(({ server }) => server !== "chatserver");
  return workload.targets.filter(({ server, udp }) => server === "chatserver" && udp !== false)
    .flatMap((ours) =>
      peers.filter(({ tls }) => tls === ours.tls).flatMap((peer) => {
        const own = findResult(results, workload, ours)?.medians[figure!.key];
        const other = findResult(results, workload, peer)?.medians[figure!.key];
        // Where nothing was measured there is nothing to compare.
        if (!own || !other) return [];
        return [{
          ours,
          peer: peer.server,
          ratio: figure!.better === "more" ? own / other : other / own,
        }];
      })
    );
}
