/** Smaller writes get an array of their own, in bytes: that costs as little. */
const LEAST = 1_024;
/** The largest write that is made by choice fits in, in bytes. */
const BUFFER_BYTES = 65_536;
/** The C library maps 32 MiB by themselves, so a page of them takes memory when it is written to first. */
const COUNT = 512;

/**
 * Buffers for what is written, used again at once. An array for each write would stay until the next large garbage collection:
 * in saturation that is several for each connection, and what they leave behind between other things the C library does not give
 * back to the system.
 */
export class WriteBuffers {
  /** Those that nobody uses; undefined while nobody uses any. The last one that was used is the next one. */
  #free: Uint8Array[] | undefined;
  /** All of them, while nobody uses any: the garbage collector may have their memory. */
  #idle: WeakRef<Uint8Array[]> | undefined;

  /** A buffer of so many bytes, with anything in it. */
  take(bytes: number): Uint8Array {
    if (bytes < LEAST || bytes > BUFFER_BYTES) return new Uint8Array(bytes);
    this.#free ??= this.#idle?.deref() ?? make();
    return this.#free.pop() ?? new Uint8Array(bytes);
  }

  /** A buffer that was taken is not needed any more, by whoever writes it either. */
  give(buffer: Uint8Array): void {
    const free = this.#free;
    if (free === undefined || buffer.buffer.byteLength !== COUNT * BUFFER_BYTES) return;
    if (free.push(buffer) < COUNT) return;
    if (this.#idle?.deref() !== free) this.#idle = new WeakRef(free);
    this.#free = undefined;
  }
}

function make(): Uint8Array[] {
  const all = new ArrayBuffer(COUNT * BUFFER_BYTES);
  return Array.from(
    { length: COUNT },
    (_, index) => new Uint8Array(all, index * BUFFER_BYTES, BUFFER_BYTES),
  );
}
