import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { encodePem } from "../../lib/net/certificate.ts";
import { IDENTITY_NAME, loadIdentity } from "../../lib/net/identity.ts";
import { NODE_TLS_SERVES } from "../../lib/net/node_tls.ts";
import { NodeStream } from "../../lib/net/node_stream.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const hostname = "127.0.0.1";
const SENT = 4_000_000;

/** What a socket of node's is made of. */
function handleOf(socket: Socket): { readStop: () => number } {
  return (socket as unknown as { _handle: { readStop: () => number } })._handle;
}

Deno.test({
  name: "NodeStream has what nobody reads wait at the other side",
  // Before Deno 2.9 no TLS socket of node's is a server's.
  ignore: !NODE_TLS_SERVES,
  fn: whatNobodyReadsWaits,
});

async function whatNobodyReadsWaits(): Promise<void> {
  await using folder = await TempFolder.create();
  const { certificate, certificatePem: cert, key } = await loadIdentity(folder.path);
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, hostname);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const tcp = Deno.connect({ hostname, port });
  const [below] = await once(server, "connection") as [Socket];
  const secureContext = createSecureContext({ cert, key, minVersion: "TLSv1.3" });
  const socket = new TLSSocket(below, { isServer: true, secureContext });
  const secure = once(socket, "secure");
  const caCerts = [encodePem("CERTIFICATE", certificate)];
  const client = await Deno.startTls(await tcp, { hostname: IDENTITY_NAME, caCerts });
  await Promise.all([secure, client.handshake()]);

  const stopped = Promise.withResolvers<void>();
  const handle = handleOf(below);
  const readStop = handle.readStop;
  handle.readStop = () => {
    stopped.resolve();
    return readStop.call(handle);
  };
  const end = { hostname, port };
  const stream = new NodeStream(socket, { local: end, remote: end });

  const sending = (async () => {
    const bytes = Uint8Array.from({ length: SENT }, (_, index) => index % 251);
    for (let sent = 0; sent < SENT;) sent += await client.write(bytes.subarray(sent));
    await client.closeWrite();
  })();
  await stopped.promise;
  // From now on it is read, and all of it comes.
  const buffer = new Uint8Array(65_536);
  let read = 0;
  let wrong = 0;
  for (let count; (count = await stream.read(buffer)) !== null; read += count) {
    for (let at = 0; at < count; at++) if (buffer[at] !== (read + at) % 251) wrong++;
  }
  await sending;
  assertEquals([read, wrong], [SENT, 0]);
  stream.close();
  client.close();
  server.close();
  await once(server, "close");
}
