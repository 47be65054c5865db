/** In bytes. */
const LEAST = 1_024;
const MOST = 65_536;

/** How large the buffer for the next read is: small, since most connections are silent, larger where it was filled. */
export class ReadSize {
  #bytes = LEAST;

  get bytes(): number {
    return this.#bytes;
  }

  /** A read took so many bytes. */
  note(count: number): void {
    if (count === this.#bytes && count < MOST) this.#bytes *= 4;
    else if (count < this.#bytes / 16 && this.#bytes > LEAST) this.#bytes /= 4;
  }
}
