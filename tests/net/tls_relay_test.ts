import { assertEquals, assertRejects } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { encodePem } from "../../lib/net/certificate.ts";
import { type Identity, IDENTITY_NAME, loadIdentity } from "../../lib/net/identity.ts";
import { TlsRelay } from "../../lib/net/tls_relay.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

/** A relay, and the client's end of its connection, which has said nothing. */
async function relayed(identity: Identity) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [client, outer] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  return { client, relay: new TlsRelay(outer, identity) };
}

function startTls(client: Deno.TcpConn, { certificate }: Identity): Promise<Deno.TlsConn> {
  const caCerts = [encodePem("CERTIFICATE", certificate)];
  return Deno.startTls(client, { hostname: IDENTITY_NAME, caCerts });
}

async function withIdentity(test: (identity: Identity) => Promise<void>): Promise<void> {
  await using folder = await TempFolder.create();
  await test(await loadIdentity(folder.path));
}

Deno.test("TlsRelay carries what both sides say, to its end", () =>
  withIdentity(async (identity) => {
    const { client, relay } = await relayed(identity);
    const opened = relay.open();
    const tls = await startTls(client, identity);
    const written = tls.write(new TextEncoder().encode("question"));
    const stream = await opened;
    await written;
    const buffer = new Uint8Array(100);
    assertEquals(await stream.read(buffer), 8);
    assertEquals(stream.remoteAddr, client.localAddr);
    const answer = new Uint8Array(300_000).fill(0x61);
    const all = toText(tls.readable);
    for (let sent = 0; sent < answer.length;) sent += await stream.write(answer.subarray(sent));
    await stream.closeWrite();
    assertEquals((await all).length, answer.length);
    stream.close();
    stream.close();
  }));

Deno.test("TlsRelay tells a client that speaks no TLS so, by an alert", () =>
  withIdentity(async (identity) => {
    const { client, relay } = await relayed(identity);
    const opened = assertRejects(() => relay.open(), Error).finally(() => relay.close());
    await client.write(new TextEncoder().encode('{"type":"hello"}\n'));
    const buffer = new Uint8Array(100);
    await client.read(buffer);
    assertEquals(buffer[0], 0x15);
    await opened;
    client.close();
  }));

Deno.test("TlsRelay.close() ends a connection in any state of the handshake", () =>
  withIdentity(async (identity) => {
    for (const said of [[], [0x16], [0x16, 3, 1, 2, 0, 1, 0, 1]]) {
      const { client, relay } = await relayed(identity);
      const opened = assertRejects(() => relay.open(), Error);
      await client.write(Uint8Array.from(said));
      // Long enough for the relay to be there; whether it is must make no difference.
      await new Promise((resolve) => setTimeout(resolve, 0));
      relay.close();
      await opened;
      assertEquals(await client.read(new Uint8Array(10)).catch(() => null), null);
      client.close();
    }
  }));
