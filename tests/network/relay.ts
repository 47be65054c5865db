/**
 * A program that stands between clients and a server and passes everything on late, TCP and UDP; UDP also
 * in another order, and twice at times.
 *
 * Arguments: the address and port to listen at, the server's address and port.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Endpoint } from "../../lib/net/connection.ts";
import { seededRandom } from "../helpers/lossy_link.ts";
import type { Network } from "./network.ts";

/** Each way, in milliseconds. */
const DELAY_MS = 200;
/** What is added to it at most, at random. Packets that come closer together may change places. */
const JITTER_MS = 50;
/** How many packets come twice. */
const DUPLICATES = 0.05;

/** Runs a relay in a network's router, until it is disposed of. */
export async function startRelay(network: Network): Promise<AsyncDisposable> {
  const addresses = [network.relay, network.server]
    .flatMap(({ hostname, port }) => [hostname, `${port}`]);
  const program = [Deno.execPath(), "run", "--no-prompt", "--allow-net"];
  const script = fileURLToPath(import.meta.url);
  const [launcher, ...args] = [...network.launcher("router"), ...program, script, ...addresses];
  const process = new Deno.Command(launcher!, { args, stdout: "piped" }).spawn();
  const output = process.stdout.getReader();
  const { done } = await output.read();
  if (done) throw new Error("the relay can't be started");
  return {
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await output.cancel();
      await process.status;
    },
  };
}

const random = seededRandom(4);

function lateness(): number {
  return DELAY_MS + random() * JITTER_MS;
}

/** One way of a TCP connection: late, and in order. */
async function pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  let written = Promise.resolve();
  const buffer = new Uint8Array(65_536);
  for (let count; (count = await from.read(buffer)) !== null;) {
    const chunk = buffer.slice(0, count);
    const due = after(lateness());
    written = written.then(() => due).then(() => writeAll(to, chunk));
    // Whoever reads on would see no error of a write until the end.
    written.catch(() => from.close());
  }
  await written;
  await after(DELAY_MS);
  await to.closeWrite();
}

async function writeAll(to: Deno.TcpConn, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += await to.write(chunk.subarray(written));
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function relayTcp(client: Deno.TcpConn, server: Endpoint): Promise<void> {
  try {
    using toServer = await Deno.connect(server);
    for (const conn of [client, toServer]) conn.setNoDelay(true);
    await Promise.all([pass(client, toServer), pass(toServer, client)]);
  } catch {
    // One of the two has broken it off, which the other learns next.
  }
  try {
    client.close();
  } catch {
    // It is closed already.
  }
}

/** Sends a datagram late, now and then twice. */
function sendLate(socket: Deno.DatagramConn, datagram: Uint8Array, to: Deno.NetAddr): void {
  const copies = random() < DUPLICATES ? 2 : 1;
  for (let copy = 0; copy < copies; copy++) {
    setTimeout(() => socket.send(datagram, to).catch(() => {}), lateness());
  }
}

async function relayUdp(socket: Deno.DatagramConn, server: Endpoint): Promise<void> {
  /** For each client a socket toward the server, so that the server can tell them apart. */
  const sockets = new Map<string, Deno.DatagramConn>();
  for await (const [datagram, from] of socket) {
    const client = from as Deno.NetAddr;
    const key = `${client.hostname}:${client.port}`;
    let toServer = sockets.get(key);
    if (toServer === undefined) {
      toServer = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
      sockets.set(key, toServer);
      answer(toServer, (reply) => sendLate(socket, reply, client));
    }
    sendLate(toServer, datagram, { transport: "udp", ...server });
  }
}

async function answer(
  toServer: Deno.DatagramConn,
  reply: (datagram: Uint8Array) => void,
): Promise<void> {
  for await (const [datagram] of toServer) reply(datagram);
}

if (import.meta.main) {
  const [hostname = "", port, serverHostname = "", serverPort] = Deno.args;
  const here = { hostname, port: Number(port) };
  const server = { hostname: serverHostname, port: Number(serverPort) };
  const listener = Deno.listen(here);
  relayUdp(Deno.listenDatagram({ transport: "udp", ...here }), server);
  console.log("ready");
  for await (const client of listener) relayTcp(client, server);
}
