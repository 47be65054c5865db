import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { ReadSize } from "./read_size.ts";

/** A connection as a stream of node's: what `node:tls` speaks TLS over. */
export class Carrier extends Duplex {
  readonly #conn: Deno.Conn;
  readonly #size = new ReadSize();
  #writing: Promise<void> = Promise.resolve();

  constructor(conn: Deno.Conn) {
    super();
    this.#conn = conn;
  }

  override _read(): void {
    const buffer = new Uint8Array(this.#size.bytes);
    this.#conn.read(buffer).then(
      (count) => {
        if (count !== null) this.#size.note(count);
        this.push(count === null ? null : buffer.subarray(0, count));
      },
      (error) => this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#writing = this.#writeAll(chunk);
    this.#writing.then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#conn.closeWrite().then(() => done(), done);
  }

  /** Ends it at once, whatever waits to be written. */
  cut(): void {
    this.#close();
    this.destroy();
  }

  /** A turn of the loop later: what was written before, such as an alert, may still be corked. */
  override destroy(error?: Error): this {
    setImmediate(() => super.destroy(error));
    return this;
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // What was written before goes out.
    this.#writing.catch(() => {}).then(() => {
      this.#close();
      done(error);
    });
  }

  #close(): void {
    try {
      this.#conn.close();
    } catch {
      // It is closed.
    }
  }

  async #writeAll(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length;) {
      written += await this.#conn.write(chunk.subarray(written));
    }
  }
}
