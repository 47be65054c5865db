/**
 * Authenticated encryption with associated data: ChaCha20-Poly1305 (RFC 8439, section 2.8).
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from "node:crypto";

/** What is added to a plaintext, in bytes. */
export const TAG_BYTES = 16;

const CIPHER = "chacha20-poly1305";
const OPTIONS = { authTagLength: TAG_BYTES };

/** What goes with a text, and has to be the same at both ends. */
export interface AeadParameters {
  /** 32 bytes. */
  key: Uint8Array;
  /** 12 bytes; never used twice with one key. */
  nonce: Uint8Array;
  /** What is authenticated as well, and not encrypted. */
  associated: Uint8Array;
}

/** An implementation of it. */
export interface Aead {
  /** The ciphertext, as long as the plaintext, and the tag. */
  seal(plaintext: Uint8Array, parameters: AeadParameters): Uint8Array;
  /** The plaintext of what {@linkcode seal} gave; undefined where that does not authenticate. */
  open(sealed: Uint8Array, parameters: AeadParameters): Uint8Array | undefined;
}

/** The runtime's, which costs nothing to load. */
export const runtimeAead: Aead = {
  seal(plaintext, { key, nonce, associated }) {
    const cipher = createCipheriv(CIPHER, key, nonce, OPTIONS);
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    if (plaintext.length > 0) sealed.set(cipher.update(plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  },

  open(sealed, { key, nonce, associated }) {
    const end = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, key, nonce, OPTIONS);
    decipher.setAAD(associated, { plaintextLength: end });
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = new Uint8Array(end);
    if (end > 0) plaintext.set(decipher.update(sealed.subarray(0, end)));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plaintext;
  },
};
