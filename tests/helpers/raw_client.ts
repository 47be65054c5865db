import { encodePem } from "../../lib/net/certificate.ts";
import { IDENTITY_NAME, loadIdentity } from "../../lib/net/identity.ts";
import { LineDecoder } from "../../lib/protocol/lines.ts";
import { MAX_SERVER_LINE_BYTES, PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";

const HELLO = { type: "hello", protocol: PROTOCOL_VERSION, software: "attack" };
const utf8 = new TextEncoder();

type Fields = Record<string, unknown>;

/** A client that sends what a test wants, and reads only when it is told to. */
export class RawClient implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #lines: AsyncIterator<string>;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.#lines = readLines(conn);
  }

  /** Connects over TLS to the server that has a data folder, and says hello. */
  static async open(port: number, folder: string): Promise<RawClient> {
    const { certificate } = await loadIdentity(folder);
    const conn = await Deno.startTls(await Deno.connect({ hostname: "127.0.0.1", port }), {
      hostname: IDENTITY_NAME,
      caCerts: [encodePem("CERTIFICATE", certificate)],
    });
    const client = new RawClient(conn);
    await client.send(HELLO);
    return client;
  }

  async send(...records: Fields[]): Promise<void> {
    const bytes = utf8.encode(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  /** Sends a request, and reads until its answer comes. */
  async ask(request: Fields): Promise<Fields> {
    await this.send(request);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error("the server ended the connection");
      const record = JSON.parse(value) as Fields;
      if (record["id"] === request["id"]) return record;
    }
  }

  /** Logs in with the password that {@linkcode makeAccounts} gives. @returns the `welcome` */
  async logIn(username: string): Promise<Fields> {
    await this.ask({ type: "identify", id: 1, username });
    return await this.ask({ type: "authenticate", id: 2, password: "geheim" });
  }

  /** Comes back to a login, and does not wait for the answer. */
  async resume({ username, token, latest }: Fields): Promise<void> {
    await this.send({ type: "resume", id: 1, username, token, last: latest });
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // It is closed.
    }
  }
}

async function* readLines(conn: Deno.Conn): AsyncGenerator<string> {
  const decoder = new LineDecoder(MAX_SERVER_LINE_BYTES);
  const buffer = new Uint8Array(65_536);
  for (let count; (count = await conn.read(buffer)) !== null;) {
    yield* decoder.decode(buffer.subarray(0, count));
  }
}
