import type { Connection, ConnectionListener, Endpoint } from "../../lib/net/connection.ts";

const utf8 = new TextDecoder();

/** One end of a control connection that is made of two queues. */
export class FakeConnection implements Connection {
  readonly local: Endpoint = { hostname: "127.0.0.1", port: 1300 };
  readonly remote: Endpoint;
  readonly cutOff = false;
  maxLineBytes = 65_536;
  writableBytes = Infinity;
  listener: ConnectionListener | undefined;
  /** Lines that were sent by whoever holds this end, and not yet taken by the test. */
  readonly #sent = new Queue<string>();
  readonly #toRead = new Queue<string[]>();
  #closed = false;

  /** @param hostname where the other side is */
  constructor(hostname = "127.0.0.1") {
    this.remote = { hostname, port: 40_000 };
  }

  /** Whether this end was closed or aborted. */
  get closed(): boolean {
    return this.#closed;
  }

  async *batches(): AsyncGenerator<string[]> {
    for (let lines; (lines = await this.#toRead.next()) !== undefined;) {
      if (this.#closed) break;
      yield lines;
    }
    this.listener?.inputEnded();
  }

  async discard(): Promise<void> {
    while (await this.#toRead.next() !== undefined);
    this.listener?.inputEnded();
  }

  send(...parts: (string | Uint8Array)[]): void {
    const texts = parts.map((part) => typeof part === "string" ? part : utf8.decode(part));
    if (!this.#closed) this.#sent.push(texts.join(""));
  }

  close(): Promise<void> {
    this.abort();
    return Promise.resolve();
  }

  abort(): void {
    this.#closed = true;
    this.#sent.end();
    this.#toRead.end();
  }

  /** The other side sends lines, which come together. */
  receive(...lines: string[]): void {
    this.#toRead.push(lines);
  }

  /** The other side goes away. */
  disconnect(): void {
    this.#toRead.end();
  }

  /** The next line that was sent, parsed; undefined at the end. */
  async taken(): Promise<Record<string, unknown> | undefined> {
    const line = await this.#sent.next();
    return line === undefined ? undefined : JSON.parse(line);
  }
}

/** A queue that can be waited for. */
class Queue<T> {
  readonly #items: T[] = [];
  #waiting: ((item: T | undefined) => void) | undefined;
  #ended = false;

  push(item: T): void {
    if (this.#ended) return;
    if (this.#waiting === undefined) this.#items.push(item);
    else this.#waiting(item);
    this.#waiting = undefined;
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.(undefined);
    this.#waiting = undefined;
  }

  next(): Promise<T | undefined> {
    if (this.#items.length > 0 || this.#ended) return Promise.resolve(this.#items.shift());
    return new Promise((resolve) => this.#waiting = resolve);
  }
}
