import { assert, assertEquals, assertRejects } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { ExitError } from "../../lib/exit.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

Deno.test("loadIdentity() makes an identity once, for its owner's eyes only", async () => {
  await using folder = await TempFolder.create();
  const made = await loadIdentity(folder.path);
  assertEquals(await loadIdentity(folder.path), made);
  if (Deno.build.os !== "windows") {
    assertEquals((await Deno.stat(folder.file("identity.pem"))).mode! & 0o777, 0o600);
  }
  const certificate = new X509Certificate(made.certificatePem);
  assertEquals(certificate.subjectAltName, "DNS:chatserver");
  assertEquals(certificate.ca, false);
  assertEquals(new Date(certificate.validFrom).getUTCFullYear(), 2000);
  assertEquals(new Date(certificate.validTo).getUTCFullYear(), 9999);
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
});

Deno.test("loadIdentity() gives every server an identity of its own", async () => {
  await using one = await TempFolder.create();
  await using two = await TempFolder.create();
  const [a, b] = [await loadIdentity(one.path), await loadIdentity(two.path)];
  assert(a.certificatePem !== b.certificatePem && a.key !== b.key);
});

Deno.test("loadIdentity() refuses a key with another's certificate, and nonsense", async () => {
  await using one = await TempFolder.create();
  await using two = await TempFolder.create();
  const [a, b] = [await loadIdentity(one.path), await loadIdentity(two.path)];
  const nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  for (const pem of [a.key + b.certificatePem, nonsense + a.certificatePem]) {
    await Deno.writeTextFile(one.file("identity.pem"), pem);
    await assertRejects(() => loadIdentity(one.path), ExitError, "no key with its certificate");
  }
});

Deno.test("loadIdentity() refuses a file that holds none, and leaves it as it is", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("identity.pem"), "nothing");
  const error = await assertRejects(() => loadIdentity(folder.path), ExitError, "can't be used");
  assertEquals(error.exitCode, 4);
  assertEquals(await Deno.readTextFile(folder.file("identity.pem")), "nothing");
});
