// Whom the client trusts: the two programs over TLS, and others in the server's place.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { fingerprintOf } from "../lib/net/certificate.ts";
import { loadIdentity } from "../lib/net/identity.ts";
import { KnownServers } from "../lib/net/known_servers.ts";
import { startImpostor } from "./helpers/impostor.ts";
import { Program, startServer } from "./helpers/programs.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

async function join(
  port: string | number,
  config: string,
  ...flags: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ["127.0.0.1", `${port}`, "joe", "--config", config, ...flags];
  return await Program.run("client", args, { input: "geheim\n" });
}

Deno.test("the first contact is remembered and shows the fingerprint as the server does, the second is silent", async () => {
  await using folder = await TempFolder.create();
  const { server, port } = await startServer(folder.path);
  await using _server = server;
  const [, fingerprint, words] = await server.matchError(
    /^fingerprint: (\S+)\nin words: ((?: ?[a-z]+){6})\n/,
  );
  assertEquals(fingerprint, fingerprintOf((await loadIdentity(folder.path)).certificate));
  await server.matchError(new RegExp(`\\nto join: .*client.* 127\\.0\\.0\\.1 ${port}\\n`));

  const config = folder.file("new");
  const first = await join(port, config);
  assertEquals([first.code, first.stderr], [
    0,
    `first contact with 127.0.0.1:${port}: remembered\nfingerprint: ${fingerprint}\nin words: ${words}\n`,
  ]);
  const second = await join(port, config);
  assertEquals([second.code, second.stderr], [0, ""]);
});

Deno.test("a fingerprint that is demanded has to be the server's, exit code 5", async () => {
  await using folder = await TempFolder.create();
  const { server, port } = await startServer(folder.path);
  await using _server = server;
  const fingerprint = fingerprintOf((await loadIdentity(folder.path)).certificate);
  const wrong = fingerprint.replace(/(?<=:)./, (letter) => letter === "A" ? "B" : "A");
  for (const config of [folder.file("new"), folder.file("config")]) {
    const refused = await join(port, config, "--fingerprint", wrong);
    assertEquals([refused.code, refused.stdout], [5, ""]);
    assertMatch(refused.stderr, /^chatclient: .* not the one that was demanded.*\n$/);
  }
  assertEquals(
    (await KnownServers.load(folder.file("new"))).find({
      hostname: "127.0.0.1",
      port: Number(port),
    }),
    undefined,
  );
  const hexadecimal = Buffer.from(fingerprint.slice("SHA256:".length), "base64").toString("hex");
  for (const [index, right] of [fingerprint, hexadecimal].entries()) {
    assertEquals((await join(port, folder.file(`${index}`), "--fingerprint", right)).code, 0);
  }
});

Deno.test("a server with another identity is refused before anything is sent, exit code 5", async () => {
  await using folder = await TempFolder.create();
  const { server, port, clientArgs } = await startServer(folder.path);
  await using _server = server;
  const knownServers = await KnownServers.load(folder.file("config"));
  await using elsewhere = await TempFolder.create();
  const { certificate } = await loadIdentity(elsewhere.path);
  await knownServers.remember({ hostname: "127.0.0.1", port: Number(port) }, certificate);

  const refused = await Program.run("client", clientArgs("joe"), { input: "geheim\n" });
  assertEquals([refused.code, refused.stdout], [5, ""]);
  const shown = fingerprintOf((await loadIdentity(folder.path)).certificate);
  assertMatch(refused.stderr, /^chatclient: .* is not the one that was met before .*\n$/);
  assert(refused.stderr.includes(`accept it with --fingerprint ${shown}\n`));
  assert(refused.stderr.includes(fingerprintOf(certificate)));

  const accepted = await Program.run("client", [...clientArgs("joe"), "--fingerprint", shown], {
    input: "geheim\n",
  });
  assertEquals(accepted.code, 0);
  const later = await Program.run("client", clientArgs("joe"), { input: "geheim\n" });
  assertEquals([later.code, later.stderr], [0, ""]);
});

Deno.test("a server that shows the right certificate without its key is refused, exit code 5", async () => {
  await using folder = await TempFolder.create();
  const { certificate, key } = await loadIdentity(folder.path);
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  /** How much the client sends after the handshake of a server that signs with a key. */
  async function sentTo(privateKey: KeyObject): Promise<{ sent: number; code: number }> {
    using impostor = startImpostor(certificate, privateKey);
    const { port } = impostor;
    const knownServers = await KnownServers.load(folder.path);
    await knownServers.remember({ hostname: "127.0.0.1", port }, certificate);
    const { code, stderr } = await join(port, folder.path);
    if (code === 5) assertMatch(stderr, /shows the right certificate but does not have its key/);
    return { sent: await impostor.after[0]!, code };
  }
  // A TLS alert, at most.
  const refused = await sentTo(stranger);
  assert(refused.code === 5 && refused.sent < 40, JSON.stringify(refused));
  // The same handshake with the right key goes on, or this test would show nothing.
  const accepted = await sentTo(createPrivateKey(key));
  assert(accepted.code === 3 && accepted.sent > 100, JSON.stringify(accepted));
});

Deno.test("a certificate that an authority of the system vouches for is no better, exit code 5", async () => {
  await using folder = await TempFolder.create();
  const { server, port, clientArgs } = await startServer(folder.path);
  await using _server = server;
  const { certificatePem } = await loadIdentity(folder.path);
  // The system is made to trust the very certificate that the server shows; the client knows another.
  await Deno.writeTextFile(folder.file("roots.pem"), certificatePem);
  await using elsewhere = await TempFolder.create();
  const { certificate } = await loadIdentity(elsewhere.path);
  const knownServers = await KnownServers.load(folder.file("config"));
  await knownServers.remember({ hostname: "127.0.0.1", port: Number(port) }, certificate);
  const refused = await Program.run("client", clientArgs("joe"), {
    input: "geheim\n",
    env: { DENO_CERT: folder.file("roots.pem") },
  });
  assertEquals([refused.code, refused.stdout], [5, ""]);
  assertMatch(refused.stderr, /is not the one that was met before/);
});

Deno.test("plain and TLS recognise each other, and say what is wrong", async () => {
  await using folder = await TempFolder.create();
  const { server: plain, port: plainPort } = await startServer(folder.path, "--plain");
  await using _plain = plain;
  await plain.matchError(/--plain: passwords and messages can be read by anybody/);
  const toPlain = await join(plainPort, folder.file("config"));
  assertEquals([toPlain.code, toPlain.stdout], [5, ""]);
  assertMatch(toPlain.stderr, /is plain: nothing shows who it is, .* join it with --plain\n$/);

  await using other = await TempFolder.create();
  const { server, port } = await startServer(other.path);
  await using _server = server;
  const toTls = await join(port, other.file("config"), "--plain");
  assertEquals([toTls.code, toTls.stdout], [4, ""]);
  assertMatch(toTls.stderr, /speaks TLS: leave --plain out\n$/);

  const right = await join(plainPort, folder.file("config"), "--plain");
  assertEquals([right.code, right.stderr], [0, "--plain: anybody on the network can read along\n"]);
});

Deno.test("something that is neither is no chat server, exit code 3", async () => {
  await using folder = await TempFolder.create();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for (let count = 0; count < 2; count++) {
      const conn = await listener.accept();
      await conn.write(new TextEncoder().encode("SSH-2.0-OpenSSH_9.2\r\n"));
      conn.close();
    }
  })();
  const refused = await join(listener.addr.port, folder.path);
  assertEquals(refused.code, 3);
  assertMatch(
    refused.stderr,
    /is no chat server: another program answers there\. Is the port right\?\n$/,
  );
  await serving;
});
