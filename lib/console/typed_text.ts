/** Bytes that a terminal sends, as text. */
export class TypedText {
  readonly #utf8 = new TextDecoder();
  /** The same bytes, for what is wrong with them. */
  #strict = new TextDecoder("utf-8", { fatal: true });

  /** The text, with U+FFFD for what is no UTF-8, and whether there was none of that. */
  decode(chunk: Uint8Array): { text: string; valid: boolean } {
    return { text: this.#utf8.decode(chunk, { stream: true }), valid: this.#check(chunk) };
  }

  #check(chunk: Uint8Array): boolean {
    try {
      this.#strict.decode(chunk, { stream: true });
      return true;
    } catch {
      this.#strict = new TextDecoder("utf-8", { fatal: true });
      return false;
    }
  }
}
