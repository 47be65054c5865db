import { LineDecoder } from "../protocol/lines.ts";
import { MAX_LINE_BYTES, MAX_UNWRITTEN_BYTES } from "../protocol/limits.ts";
import type { Connection, Endpoint } from "./connection.ts";

const READ_BYTES = 65_536;
/** How long {@linkcode TcpConnection.close} waits for the other side, in milliseconds. */
const CLOSE_LIMIT_MS = 1_000;

const utf8 = new TextEncoder();

/** A control connection over plain TCP. */
export class TcpConnection implements Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #conn: Deno.TcpConn;
  readonly #decoder = new LineDecoder(MAX_LINE_BYTES);
  #unsent: string[] = [];
  #unsentLength = 0;
  #flushing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #ended = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.local = conn.localAddr;
    this.remote = conn.remoteAddr;
    conn.setNoDelay(true);
  }

  get maxLineBytes(): number {
    return this.#decoder.maxBytes;
  }
  set maxLineBytes(bytes: number) {
    this.#decoder.maxBytes = bytes;
  }

  async *lines(): AsyncGenerator<string> {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = await this.#read(buffer);
      if (count === null || this.#closing !== undefined) return;
      yield* this.#decoder.decode(buffer.subarray(0, count));
    }
  }

  send(line: string): void {
    if (this.#ended || this.#closing !== undefined) return;
    this.#unsent.push(line, "\n");
    this.#unsentLength += line.length + 1;
    if (this.#unsentLength > MAX_UNWRITTEN_BYTES) return this.abort();
    this.#flushing ??= this.#flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  abort(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unsent = [];
    this.#conn.close();
  }

  /** The bytes read, or null at the end; a broken connection has ended too. */
  async #read(buffer: Uint8Array): Promise<number | null> {
    try {
      return await this.#conn.read(buffer);
    } catch {
      return null;
    }
  }

  async #flush(): Promise<void> {
    // Once round the microtasks, so that what this turn sends is written together.
    await Promise.resolve();
    try {
      while (this.#unsent.length > 0) {
        const bytes = utf8.encode(this.#unsent.join(""));
        this.#unsent = [];
        this.#unsentLength = 0;
        for (let written = 0; written < bytes.length;) {
          written += await this.#conn.write(bytes.subarray(written));
        }
      }
    } catch {
      this.abort();
    }
    this.#flushing = undefined;
  }

  async #close(): Promise<void> {
    const limit = setTimeout(() => this.abort(), CLOSE_LIMIT_MS);
    await this.#flushing;
    try {
      // Closing with unread input would reset the connection, and the other side might never read
      // the last lines. So: say that this was the end, and read until it has ended too.
      await this.#conn.closeWrite();
      const ignored = new Uint8Array(READ_BYTES);
      while (await this.#conn.read(ignored) !== null);
    } catch {
      // It is over already.
    }
    clearTimeout(limit);
    this.abort();
  }
}
