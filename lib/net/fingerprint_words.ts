import { Buffer } from "node:buffer";

/** How many words stand for a fingerprint, for people who compare it by reading it aloud. */
export const WORD_COUNT = 6;
/** The bits that a word stands for: the list has 2,048. */
const WORD_BITS = 11;

/**
 * The first 66 bits of a fingerprint as six words of the English list of BIP-39, with blanks between
 * them. The list is loaded when this is called, not before.
 *
 * @param fingerprint as `fingerprintOf()` writes it
 */
export async function fingerprintWords(fingerprint: string): Promise<string> {
  const { wordlist } = await import("@scure/bip39/wordlists/english.js");
  const digest = Buffer.from(fingerprint.replace(/^SHA256:/, ""), "base64");
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const words = Array.from({ length: WORD_COUNT }, (_, index) => {
    const from = index * WORD_BITS;
    return wordlist[parseInt(bits.slice(from, from + WORD_BITS), 2)];
  });
  return words.join(" ");
}

/** A fingerprint for people, in two lines: each fits into 80 columns, so that nothing wraps. */
export async function describeFingerprint(fingerprint: string): Promise<string> {
  return `fingerprint: ${fingerprint}\nin words: ${await fingerprintWords(fingerprint)}`;
}
