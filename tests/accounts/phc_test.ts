import { assert, assertEquals } from "@std/assert";
import { formatPhc, hashPassword, parsePhc, verifyPassword } from "../../lib/accounts/phc.ts";

const cheap = { ln: 4, r: 8, p: 1 };

Deno.test("parsePhc() takes the test vector of RFC 7914, section 12", async () => {
  // P="pleaseletmein", S="SodiumChloride", N=16384, r=8, p=1: the first 32 of its 64 bytes. The salt
  // is shorter than this format's, so it is put in afterwards.
  const hash = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2";
  const stored = {
    cost: { ln: 14, r: 8, p: 1 },
    salt: new TextEncoder().encode("SodiumChloride"),
    hash: Uint8Array.fromHex(hash),
  };
  assert(await verifyPassword("pleaseletmein", stored));
  assert(!await verifyPassword("pleaseletmeim", stored));
});

Deno.test("formatPhc() gives what parsePhc() takes", async () => {
  const made = await hashPassword("geheim", cheap);
  const phc = formatPhc(made);
  assert(/^\$scrypt\$ln=4,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/.test(phc), phc);
  const parsed = parsePhc(phc)!;
  assert(await verifyPassword("geheim", parsed));
  assert(!await verifyPassword("Geheim", parsed));
});

Deno.test("hashPassword() salts: one password, two hashes", async () => {
  const [a, b] = await Promise.all([hashPassword("x", cheap), hashPassword("x", cheap)]);
  assert(formatPhc(a) !== formatPhc(b));
});

Deno.test("parsePhc() refuses what is cut short, unknown or asks for too much", async () => {
  const phc = formatPhc(await hashPassword("x", cheap));
  for (let length = 0; length < phc.length; length++) {
    assertEquals(parsePhc(phc.slice(0, length)), undefined);
  }
  for (const cost of ["ln=0,r=8,p=1", "ln=31,r=8,p=1", "ln=4,r=0,p=1", "ln=4,r=8,p=17", "ln=4"]) {
    assertEquals(parsePhc(phc.replace("ln=4,r=8,p=1", cost)), undefined);
  }
  assertEquals(parsePhc(phc.replace("scrypt", "argon2id")), undefined);
  assertEquals(parsePhc(`${phc}A`), undefined);
});
