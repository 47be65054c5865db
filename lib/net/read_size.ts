/** In bytes. */
const LEAST = 256;
/** The most that is read at once, in bytes. */
export const MAX_READ_BYTES = 65_536;

/** How large the buffer for the next read is: small, since most connections are silent, larger where it was filled. */
export class ReadSize {
  #bytes = LEAST;

  get bytes(): number {
    return this.#bytes;
  }

  /** A read took so many bytes. */
  note(count: number): void {
    if (count === this.#bytes) this.#bytes = Math.min(4 * count, MAX_READ_BYTES);
    else if (count < this.#bytes / 16) this.#bytes = Math.max(this.#bytes / 4, LEAST);
  }
}
