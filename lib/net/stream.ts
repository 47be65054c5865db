import { Buffer } from "node:buffer";
import { systemClock } from "../clock.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { LineDecoder } from "../protocol/lines.ts";
import { MAX_LINE_BYTES, MAX_UNWRITTEN_BYTES } from "../protocol/limits.ts";
import type { Connection, ConnectionListener, Endpoint } from "./connection.ts";
import { MAX_READ_BYTES, ReadSize } from "./read_size.ts";
import { UnwrittenBudget, type UnwrittenShare } from "./unwritten.ts";
import { WriteBuffers } from "./write_buffers.ts";
import { WriteTurns } from "./write_turns.ts";

/** How long {@linkcode StreamConnection.close} waits for the other side, in milliseconds. */
const CLOSE_LIMIT_MS = 1_000;
/** So much of what comes after the end is read at once. */
const IGNORED_BYTES = 4_096;

const utf8 = new TextEncoder();
function nothing(): void {}

/** What all connections share. */
const BUFFERS = new WriteBuffers();
const TURNS = new WriteTurns();

/**
 * What carries bytes both ways: TCP, or TLS over it. `close` ends it at once, whatever waits to be
 * written.
 */
export type ByteStream = Pick<
  Deno.Conn,
  "read" | "write" | "closeWrite" | "close" | "localAddr" | "remoteAddr"
>;

/** A TLS record begins with its type: alert or handshake (RFC 8446, section 5.1). */
const TLS_RECORD_TYPES: readonly (number | undefined)[] = [0x15, 0x16];

/** The other side of a plain connection speaks TLS. */
export class TlsError extends ProtocolError {
  override name = "TlsError";

  constructor() {
    super("bad-record", "this side is plain, the other speaks TLS");
  }
}

/** A control connection over a stream of bytes. */
export class StreamConnection implements Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #stream: ByteStream;
  readonly #buffers: WriteBuffers;
  readonly #turns: WriteTurns;
  readonly #decoder = new LineDecoder(MAX_LINE_BYTES);
  #unsent: (string | Uint8Array)[] = [];
  /** What waits to be written or is being written. */
  readonly #unwritten: UnwrittenShare;
  listener: ConnectionListener | undefined;
  #cutOff = false;
  #flushing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #discarding: Promise<void> | undefined;
  #aborted = false;
  /** Ends the wait of {@linkcode close}. */
  #onAborted = nothing;

  /**
   * @param budget what may wait to be written, over all connections. @default no limit
   * @param buffers where what is written is put together. @default those of all connections
   * @param turns whose large writes begin when. @default those of all connections
   */
  constructor(
    stream: ByteStream,
    budget = new UnwrittenBudget(),
    { buffers = BUFFERS, turns = TURNS }: { buffers?: WriteBuffers; turns?: WriteTurns } = {},
  ) {
    this.#stream = stream;
    this.#buffers = buffers;
    this.#turns = turns;
    this.#unwritten = budget.open(() => this.#cut());
    this.local = stream.localAddr as Deno.NetAddr;
    this.remote = stream.remoteAddr as Deno.NetAddr;
  }

  get maxLineBytes(): number {
    return this.#decoder.maxBytes;
  }
  set maxLineBytes(bytes: number) {
    this.#decoder.maxBytes = bytes;
  }

  get cutOff(): boolean {
    return this.#cutOff;
  }

  get writableBytes(): number {
    return this.#unwritten.writableBytes;
  }

  async *batches(): AsyncGenerator<string[]> {
    const size = new ReadSize();
    let buffer = new Uint8Array(size.bytes);
    for (let first = true;; first = false) {
      let count: number | null = null;
      try {
        count = await this.#stream.read(buffer);
      } catch {
        // A broken connection has ended too.
      }
      if (count === null || this.#closing !== undefined) return this.listener?.inputEnded();
      if (first && TLS_RECORD_TYPES.includes(buffer[0])) {
        throw new TlsError();
      }
      const { lines, problem } = this.#decode(buffer.subarray(0, count));
      if (lines.length > 0) yield lines;
      if (problem !== undefined) throw problem;
      size.note(count);
      if (count === MAX_READ_BYTES) await othersTurn();
      if (buffer.length !== size.bytes) buffer = new Uint8Array(size.bytes);
    }
  }

  discard(): Promise<void> {
    this.#discarding ??= this.#discard();
    return this.#discarding;
  }

  send(...parts: (string | Uint8Array)[]): void {
    if (this.#aborted || this.#closing !== undefined) return;
    let bytes = 1;
    for (const part of parts) {
      this.#unsent.push(part);
      bytes += typeof part === "string" ? Buffer.byteLength(part) : part.length;
    }
    this.#unsent.push("\n");
    this.#unwritten.add(bytes);
    if (this.#unwritten.bytes > MAX_UNWRITTEN_BYTES) return this.#cut();
    this.#flushing ??= this.#flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#onAborted();
    // Whoever serves what came before may not be reading.
    if (this.#closing === undefined) this.listener?.inputEnded();
    this.#unsent = [];
    this.#unwritten.close();
    this.#stream.close();
  }

  /** The lines that a chunk completes, and why what comes after them is none. */
  #decode(chunk: Uint8Array): { lines: string[]; problem?: unknown } {
    const lines: string[] = [];
    try {
      for (const line of this.#decoder.decode(chunk)) lines.push(line);
      return { lines };
    } catch (problem) {
      return { lines, problem };
    }
  }

  /** Ends it because too much waits. */
  #cut(): void {
    this.#cutOff = true;
    this.abort();
  }

  async #flush(): Promise<void> {
    // Once round the microtasks, so that what this turn sends is written together.
    await Promise.resolve();
    try {
      while (this.#unsent.length > 0) {
        const turn = this.#turns.wait(this.#unwritten);
        if (turn !== undefined) await turn;
        if (this.#aborted) return;
        const parts = this.#unsent;
        this.#unsent = [];
        const buffer = this.#buffers.take(this.#unwritten.bytes);
        try {
          const bytes = join(parts, buffer);
          for (let written = 0; written < bytes.length;) {
            const count = await this.#stream.write(bytes.subarray(written));
            if (this.#aborted) return;
            this.#unwritten.add(-count);
            written += count;
          }
        } finally {
          this.#buffers.give(buffer);
        }
        if (this.writableBytes > 0) this.listener?.writable();
      }
    } catch {
      this.abort();
    }
    this.#flushing = undefined;
  }

  async #close(): Promise<void> {
    const limit = setTimeout(() => this.abort(), CLOSE_LIMIT_MS);
    // A write that nobody takes may stay pending even when the stream is closed (Deno 2.7).
    await new Promise<void>((resolve) => {
      this.#onAborted = resolve;
      if (this.#aborted) resolve();
      this.#finish().then(resolve, resolve);
    });
    clearTimeout(limit);
    this.abort();
  }

  async #finish(): Promise<void> {
    await this.#flushing;
    // Closing with unread input would reset the connection, and the other side might never read the
    // last lines. So: say that this was the end, and read until it has ended too.
    await this.#stream.closeWrite();
    await this.discard();
  }

  async #discard(): Promise<void> {
    const ignored = new Uint8Array(IGNORED_BYTES);
    try {
      for (let count; (count = await this.#stream.read(ignored)) !== null;) {
        if (count === IGNORED_BYTES) await othersTurn();
      }
    } catch {
      // A broken connection has ended too.
    }
    if (this.#closing === undefined) this.listener?.inputEnded();
  }
}

/**
 * The next turn of the event loop. Of who sends as fast as the network takes it there is always more to read, and nobody
 * else would be served.
 */
function othersTurn(): Promise<void> {
  return new Promise((resolve) => systemClock.soon(resolve));
}

/** The bytes of all parts, texts as UTF-8, at the beginning of a buffer that is large enough. */
function join(parts: readonly (string | Uint8Array)[], buffer: Uint8Array): Uint8Array {
  let length = 0;
  for (let index = 0; index < parts.length;) {
    const part = parts[index]!;
    if (typeof part !== "string") {
      buffer.set(part, length);
      length += part.length;
      index++;
      continue;
    }
    // Texts that stand together are encoded together.
    const begin = index;
    while (typeof parts[index] === "string") index++;
    const text = parts.slice(begin, index).join("");
    length += utf8.encodeInto(text, buffer.subarray(length)).written;
  }
  return buffer.subarray(0, length);
}
