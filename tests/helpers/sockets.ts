import { assert } from "@std/assert";

/** After so long they never will be, in milliseconds. */
const PATIENCE_MS = 20_000;

/** The TCP sockets of one port of this machine: Linux only. */
export interface PortSockets {
  /** Those that a program holds, without the one that listens. */
  open: number;
  /** What waits in the system's queues to be taken by the other side, in bytes. */
  queued: number;
}

/** What the system knows of the connections at a port of its own. */
export async function socketsAt(port: number): Promise<PortSockets> {
  // Deno lets nobody read /proc who may not do everything.
  const { stdout } = await new Deno.Command("cat", {
    args: ["/proc/net/tcp", "/proc/net/tcp6"],
    stderr: "null",
  }).output();
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const sockets: PortSockets = { open: 0, queued: 0 };
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    const [, address, , state, queues = "", , , , , inode] = line.trim().split(/\s+/);
    if (!address?.endsWith(local) || state === "0A") continue;
    // What no program holds any more has no inode.
    if (inode !== "0") sockets.open++;
    sockets.queued += parseInt(queues, 16);
  }
  return sockets;
}

/** Waits until the connections at a port are as they shall be; how long that took, in seconds. */
export async function untilSockets(
  port: number,
  done: (sockets: PortSockets) => boolean,
): Promise<number> {
  const started = performance.now();
  for (;;) {
    const sockets = await socketsAt(port);
    const passed = performance.now() - started;
    if (done(sockets)) return passed / 1_000;
    assert(passed < PATIENCE_MS, `still ${JSON.stringify(sockets)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The memory that a process has, in MiB: Linux only. */
export async function residentMiB(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", `${pid}`] })
    .output();
  return Math.round(Number(new TextDecoder().decode(stdout)) / 1_024);
}
