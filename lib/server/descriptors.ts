import { DESCRIPTORS_PER_CONNECTION, isShortage } from "../net/listener.ts";
import type { Limits } from "./limits.ts";

/** So many descriptors are for files and the sockets that listen. */
const RESERVED = 50;

/** What a server does with the descriptors that it may have. */
export interface Fitted {
  /** The connections there may be in all, at least one. */
  connections: number;
  /** The limits; those on connections that are not logged in may be lower than they were. */
  limits: Limits;
  /** What to tell the operator where they are. */
  warning: string | undefined;
}

/** No more are counted unless the limits need more: counting takes time, 7 us each. */
const ENOUGH = 8_192;

/** The descriptors for `--max-pending` connections and as many users. */
export function descriptorsFor({ pending }: Pick<Limits, "pending">): number {
  return RESERVED + 2 * pending * DESCRIPTORS_PER_CONNECTION;
}

/**
 * How many files this process may open beside those that it has, by trying: Deno neither says it nor
 * raises it in an executable.
 *
 * @param wanted as {@linkcode descriptorsFor} has it: counting ends there, or at 8,192
 */
export function countFreeDescriptors(wanted: number): number {
  const most = Math.max(wanted, ENOUGH);
  // Windows has no such limit, and opens no folder.
  if (Deno.build.os === "windows") return most;
  using files = new DisposableStack();
  for (let count = 0; count < most; count++) {
    try {
      files.use(Deno.openSync("."));
    } catch (error) {
      return isShortage(error) ? count : most;
    }
  }
  return most;
}

/**
 * Divides descriptors up: connections that are not logged in have half of them at most, so that the
 * rest is there for who is, and no address has more than half of that half.
 *
 * @param free as {@linkcode countFreeDescriptors} has it
 */
export function fitToDescriptors(limits: Limits, free: number): Fitted {
  const room = Math.floor((free - RESERVED) / DESCRIPTORS_PER_CONNECTION);
  const connections = Math.max(room, 1);
  const pending = Math.max(Math.floor(room / 2), 1);
  if (pending >= limits.pending) return { connections, limits, warning: undefined };
  const pendingPerAddress = Math.min(limits.pendingPerAddress, Math.ceil(pending / 2));
  const warning =
    `this process may have only ${free} more files open, so there may be ${connections} ` +
    `connections, --max-pending is ${pending} and --max-pending-per-address ${pendingPerAddress}: ${
      descriptorsFor(limits)
    } would do ` +
    "(ulimit -n, LimitNOFILE)";
  return { connections, limits: { ...limits, pending, pendingPerAddress }, warning };
}
