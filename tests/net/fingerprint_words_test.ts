import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { parseFingerprint } from "../../lib/net/certificate.ts";
import { describeFingerprint, fingerprintWords } from "../../lib/net/fingerprint_words.ts";

const fingerprint = (hex: string) => parseFingerprint(hex.padEnd(64, "0"))!;

Deno.test("fingerprintWords() gives words of BIP-39, each for 11 bits", async () => {
  // The list's first, second and last words, which the specification numbers 1, 2 and 2048.
  assertEquals(await fingerprintWords(fingerprint("")), Array(6).fill("abandon").join(" "));
  assertEquals(
    await fingerprintWords(fingerprint("003ffc0180")),
    "ability zoo about abandon abandon abandon",
  );
});

Deno.test("fingerprintWords() depends on just 66 bits", async () => {
  const none = await fingerprintWords(fingerprint(""));
  assertNotEquals(await fingerprintWords(fingerprint("000000000000000040")), none);
  assertEquals(await fingerprintWords(fingerprint("00000000000000003f")), none);
});

Deno.test("describeFingerprint() fits into 80 columns whatever the words are", async () => {
  // The longest words of the list have eight letters; "abstract" is the eighth.
  const text = await describeFingerprint(fingerprint("00e01c0380700e01c0"));
  const lines = text.split("\n");
  assertEquals(lines.length, 2);
  assert(lines[1]!.includes("abstract abstract"));
  for (const line of lines) assert(line.length < 80, line);
});
