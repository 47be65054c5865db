import type { ByteStream } from "../../lib/net/stream.ts";

/** A connection that a test can break, as a network does it: without a word to its owner. */
export class BreakableStream implements ByteStream {
  readonly #conn: Deno.Conn;
  #closed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  get localAddr(): Deno.Addr {
    return this.#conn.localAddr;
  }
  get remoteAddr(): Deno.Addr {
    return this.#conn.remoteAddr;
  }
  read(buffer: Uint8Array): Promise<number | null> {
    return this.#conn.read(buffer);
  }
  write(data: Uint8Array): Promise<number> {
    return this.#conn.write(data);
  }
  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }
  close(): void {
    this.cut();
  }

  /** Breaks it. @returns whether it was whole */
  cut(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#conn.close();
    return true;
  }
}
