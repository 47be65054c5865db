/** Cuts small arrays from pieces of memory: an array with memory of its own takes 500 bytes more, and longer to make. */
export class Pieces {
  readonly #bytes: number;
  #piece = new Uint8Array(0);
  #used = 0;

  /** @param bytes of one piece, which stays for as long as an array that was cut from it */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** An array of so many zeros, at most as many as a piece has. */
  cut(bytes: number): Uint8Array<ArrayBuffer> {
    if (this.#used + bytes > this.#piece.length) {
      this.#piece = new Uint8Array(this.#bytes);
      this.#used = 0;
    }
    return this.#piece.subarray(this.#used, this.#used += bytes);
  }
}
