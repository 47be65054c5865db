import { assertEquals } from "@std/assert";
import {
  decodePem,
  encodePem,
  fingerprintOf,
  parseFingerprint,
} from "../../lib/net/certificate.ts";

// SHA-256 of "abc" (FIPS 180-4).
const ABC = "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0";
const ABC_HEX = "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:" +
  "B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";

Deno.test("fingerprintOf() writes a SHA-256 as OpenSSH does", () => {
  assertEquals(fingerprintOf(new TextEncoder().encode("abc")), ABC);
});

Deno.test("parseFingerprint() takes OpenSSH's form, padded or not", () => {
  for (const right of [ABC, `${ABC}=`, ABC.replace("SHA", "sha")]) {
    assertEquals(parseFingerprint(right), ABC);
  }
  const wrong = ["SHA256:", ABC.slice(0, -1), `${ABC}0`, ABC.slice(7)];
  for (const text of [...wrong, `MD5:${ABC.slice(7)}`, ABC.replace(/.$/, "1")]) {
    assertEquals(parseFingerprint(text), undefined, text);
  }
});

Deno.test("parseFingerprint() takes hexadecimal digits in any letter case, with or without colons", () => {
  assertEquals(parseFingerprint(ABC_HEX), ABC);
  assertEquals(parseFingerprint(ABC_HEX.replaceAll(":", "").toLowerCase()), ABC);
  for (const wrong of ["", ABC_HEX.slice(3), `${ABC_HEX}:00`, ABC_HEX.replace("BA", "GA")]) {
    assertEquals(parseFingerprint(wrong), undefined);
  }
});

Deno.test("decodePem() takes back what encodePem() makes, among other blocks", () => {
  const der = Uint8Array.from({ length: 200 }, (_, index) => index);
  const pem = encodePem("PRIVATE KEY", new Uint8Array(3)) + encodePem("CERTIFICATE", der);
  assertEquals(decodePem("CERTIFICATE", pem), der);
  assertEquals(decodePem("CERTIFICATE", pem.replaceAll("\n", "\r\n")), der);
  assertEquals(decodePem("EC PRIVATE KEY", pem), undefined);
});
