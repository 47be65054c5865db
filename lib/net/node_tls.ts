/**
 * What `node:tls` does in which Deno.
 *
 * @module
 */
import type { TLSSocket } from "node:tls";

/**
 * Whether `node:tls` can be a server. Before Deno 2.9 it can't; `Deno.listenTls` always can, but speaks
 * TLS 1.2 too, and needs a `TlsRelay`.
 */
export const NODE_TLS_SERVES = atLeast(Deno.version.deno, [2, 9]);

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ours = 0, its = 0] = version.split(".").map(Number);
  return ours > major || (ours === major && its >= minor);
}

/** What node's sockets are made of, as far as it matters here. */
interface Handle {
  /** What is below that of a TLS socket. */
  _parent?: Handle;
  readStart?: () => number;
  readStop?: () => number;
}

/**
 * Has a TLS socket that nobody reads stop what is below it from being read. In Deno 2.9 it does not: whatever the other
 * side sends is taken and kept in memory, without a limit. Before, it does.
 */
export function passOnBackpressure(socket: TLSSocket): void {
  if (!NODE_TLS_SERVES) return;
  const { _handle: handle } = socket as unknown as { _handle?: Handle | null };
  if (typeof handle?._parent?.readStop !== "function") return;
  handle.readStart = readStart;
  handle.readStop = readStop;
}

function readStart(this: Handle): number {
  (Object.getPrototypeOf(this) as Handle).readStart?.call(this);
  return this._parent!.readStart!();
}

function readStop(this: Handle): number {
  (Object.getPrototypeOf(this) as Handle).readStop?.call(this);
  return this._parent!.readStop!();
}
