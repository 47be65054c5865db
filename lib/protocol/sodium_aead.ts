import type { Aead } from "./aead.ts";

/**
 * Loads libsodium's: small texts take it half of the runtime's time, and no garbage. It is WebAssembly, and takes 20 ms to
 * load.
 */
export async function loadSodiumAead(): Promise<Aead> {
  const { default: sodium } = await import("libsodium-wrappers");
  await sodium.ready;
  return {
    seal: (plaintext, { key, nonce, associated }) =>
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, associated, null, nonce, key),

    open(sealed, { key, nonce, associated }) {
      try {
        const parameters = [associated, nonce, key] as const;
        return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, sealed, ...parameters);
      } catch {
        return undefined;
      }
    },
  };
}
