import { assertEquals } from "@std/assert";
import fc from "../helpers/fast_check.ts";
import { runtimeAead } from "../../lib/protocol/aead.ts";
import { loadSodiumAead } from "../../lib/protocol/sodium_aead.ts";

const sodiumAead = await loadSodiumAead();
const IMPLEMENTATIONS = { runtimeAead, sodiumAead };

/** The example of RFC 8439, section 2.8.2. */
const example = {
  plaintext: new TextEncoder().encode(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
      "sunscreen would be it.",
  ),
  parameters: {
    associated: Uint8Array.fromHex("50515253c0c1c2c3c4c5c6c7"),
    key: Uint8Array.fromHex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
    nonce: Uint8Array.fromHex("070000004041424344454647"),
  },
  sealed: "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6" +
    "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" +
    "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
    "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060" +
    "0691",
};

for (const [name, aead] of Object.entries(IMPLEMENTATIONS)) {
  Deno.test(`${name}.seal() gives the example of RFC 8439`, () => {
    const { plaintext, parameters, sealed } = example;
    assertEquals(aead.seal(plaintext, parameters).toHex(), sealed);
    assertEquals(aead.open(Uint8Array.fromHex(sealed), parameters), plaintext);
  });

  Deno.test(`${name}.open() refuses what has any one bit changed`, () => {
    const { plaintext, parameters } = example;
    const sealed = aead.seal(plaintext.subarray(0, 3), parameters);
    for (const part of [sealed, ...Object.values(parameters)]) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        part[bit >> 3]! ^= 1 << (bit & 7);
        assertEquals(aead.open(sealed, parameters), undefined);
        part[bit >> 3]! ^= 1 << (bit & 7);
      }
    }
    assertEquals(aead.open(sealed, parameters), plaintext.subarray(0, 3));
  });
}

Deno.test("runtimeAead and sodiumAead give the same bytes, and take each other's", () => {
  const bytes = (options: fc.IntArrayConstraints) => fc.uint8Array(options);
  fc.assert(fc.property(
    bytes({ maxLength: 1_200 }),
    fc.record({
      associated: bytes({ maxLength: 1_200 }),
      key: bytes({ minLength: 32, maxLength: 32 }),
      nonce: bytes({ minLength: 12, maxLength: 12 }),
    }),
    (plaintext, parameters) => {
      const sealed = runtimeAead.seal(plaintext, parameters);
      assertEquals(sodiumAead.seal(plaintext, parameters), sealed);
      assertEquals(runtimeAead.open(sealed, parameters), plaintext);
      assertEquals(sodiumAead.open(sealed, parameters), plaintext);
    },
  ));
});
