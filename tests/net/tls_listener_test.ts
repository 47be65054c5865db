import { assertEquals, assertRejects } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { encodePem } from "../../lib/net/certificate.ts";
import { type Identity, IDENTITY_NAME, loadIdentity } from "../../lib/net/identity.ts";
import { NODE_TLS_SERVES } from "../../lib/net/node_tls.ts";
import type { ByteStream } from "../../lib/net/stream.ts";
import { listenTls } from "../../lib/net/tls_listener.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const hostname = "127.0.0.1";
const utf8 = new TextEncoder();

/** A listener, and the connections that came in, one by one. */
class Listening implements Disposable {
  readonly shortage = Promise.withResolvers<void>();
  readonly port: number;
  readonly #identity: Identity;
  readonly #incoming: ReadableStreamDefaultReader<Promise<ByteStream>>;
  readonly #close: () => void;

  private constructor(
    port: number,
    options: {
      identity: Identity;
      incoming: ReadableStream<Promise<ByteStream>>;
      close: () => void;
    },
  ) {
    this.port = port;
    this.#identity = options.identity;
    this.#incoming = options.incoming.getReader();
    this.#close = options.close;
  }

  static async start(connections = Infinity): Promise<Listening> {
    await using folder = await TempFolder.create();
    const identity = await loadIdentity(folder.path);
    const { readable, writable } = new TransformStream<Promise<ByteStream>>(
      undefined,
      undefined,
      { highWaterMark: 100 },
    );
    const writer = writable.getWriter();
    const { port, close } = await listenTls({
      hostname,
      port: 0,
      identity,
      connections,
      onIncoming: (incoming) => {
        const stream = incoming.secure();
        stream.catch(() => {});
        void writer.write(stream);
      },
      onShortage: () => listening.shortage.resolve(),
    }, identity);
    const listening: Listening = new Listening(port, { identity, incoming: readable, close });
    return listening;
  }

  /** A client's connection, without TLS. */
  connect(): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname, port: this.port });
  }

  /** A client's connection, and the server's end of it. */
  async join(): Promise<{ client: Deno.TlsConn; stream: ByteStream }> {
    const caCerts = [encodePem("CERTIFICATE", this.#identity.certificate)];
    const tcp = await this.connect();
    const client = await Deno.startTls(tcp, { hostname: IDENTITY_NAME, caCerts });
    const [stream] = await Promise.all([this.next(), client.handshake()]);
    return { client, stream };
  }

  /** The next that has come in. */
  async next(): Promise<ByteStream> {
    return await (await this.#incoming.read()).value!;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

function test(name: string, fn: () => Promise<void>): void {
  // Before Deno 2.9 it is not used, and can't be.
  Deno.test({ name, fn, ignore: !NODE_TLS_SERVES });
}

test("listenTls() carries what both sides say, to its end", async () => {
  using listening = await Listening.start();
  const { client, stream } = await listening.join();
  await client.write(utf8.encode("question"));
  const buffer = new Uint8Array(100);
  assertEquals(await stream.read(buffer), 8);
  const { port } = stream.remoteAddr as Deno.NetAddr;
  assertEquals(port, (client.localAddr as Deno.NetAddr).port);

  const answer = new Uint8Array(300_000).fill(0x61);
  const all = toText(client.readable);
  for (let sent = 0; sent < answer.length;) sent += await stream.write(answer.subarray(sent));
  await stream.closeWrite();
  assertEquals((await all).length, answer.length);
  stream.close();
  stream.close();
});

test("listenTls() tells a client that speaks no TLS so, by an alert", async () => {
  using listening = await Listening.start();
  const client = await listening.connect();
  const failed = assertRejects(() => listening.next(), Error);
  await client.write(utf8.encode('{"type":"hello"}\n'));
  const buffer = new Uint8Array(100);
  await client.read(buffer);
  assertEquals(buffer[0], 0x15);
  await failed;
  client.close();
});

test("listenTls() ends a connection at once, whatever waits to be written", async () => {
  using listening = await Listening.start();
  const { client, stream } = await listening.join();
  const writes = (async () => {
    for (;;) await stream.write(new Uint8Array(1_000_000));
  })();
  const ended = assertRejects(() => writes, Error);
  // The client takes nothing more; its end comes all the same.
  await client.read(new Uint8Array(1));
  stream.close();
  await ended;
  await toText(client.readable).catch(() => "");
});

test("listenTls() lets in no more than there are descriptors for, and goes on later", async () => {
  using listening = await Listening.start(2);
  const first = await listening.join();
  const second = await listening.join();
  await listening.shortage.promise;
  await assertRejects(() => listening.connect(), Deno.errors.ConnectionRefused);
  first.stream.close();
  first.client.close();
  let third: Awaited<ReturnType<typeof listening.join>> | undefined;
  while (third === undefined) third = await listening.join().catch(() => undefined);
  for (const { client, stream } of [second, third]) {
    stream.close();
    client.close();
  }
});
