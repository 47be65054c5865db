// What somebody sees who captures every packet of a session (tcpdump), or asks the server for TLS
// (openssl).
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fingerprintOf, parseFingerprint } from "../../lib/net/certificate.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import { Program, startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const PASSWORD = "s3cret-pass";
const TEXTS = ["first-c0nfidential", "second-c0nfidential"];

/** How often each word stands in the packets of a whole session, by the protocol that carried it. */
async function captureSession(...flags: string[]): Promise<{ tcp: number[]; udp: number[] }> {
  await using folder = await TempFolder.create();
  const { server, port, clientArgs } = await startServer(folder.path, ...flags);
  await using _server = server;
  const captures = [];
  for (const protocol of ["tcp", "udp"]) {
    const file = folder.file(`${protocol}.pcap`);
    const filter = `${protocol} port ${port}`;
    const tcpdump = new Deno.Command("tcpdump", {
      args: ["-i", "lo", "-U", "--immediate-mode", "-w", file, filter],
      stderr: "piped",
      stdout: "null",
    }).spawn();
    const said = tcpdump.stderr.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; !text.includes("listening on");) {
      const { value, done } = await said.read();
      if (done) throw new Error(`tcpdump can't capture: ${text}`);
      text += value;
    }
    captures.push({ tcpdump, said, file });
  }

  await using joe = Program.start("client", clientArgs("joe"));
  await joe.type(`${PASSWORD}\n`);
  await joe.match(/EX - exit/);
  const args = clientArgs("renew");
  await using renew = Program.start("client", args);
  await renew.type(`${PASSWORD}\n`);
  await renew.match(/EX - exit/);
  await renew.type(`PM ${TEXTS[0]}\n`);
  await joe.match(new RegExp(TEXTS[0]!));
  await renew.type(`DM joe ${TEXTS[1]}\n`);
  await joe.match(new RegExp(TEXTS[1]!));
  for (const client of [joe, renew]) {
    await client.type("EX\n");
    assertEquals(await client.exitCode(), 0);
  }

  const counts = [];
  for (const { tcpdump, said, file } of captures) {
    tcpdump.kill("SIGINT");
    while (!(await said.read()).done);
    await tcpdump.status;
    const packets = new TextDecoder("latin1").decode(await Deno.readFile(file));
    assert(packets.length > 200, "nothing was captured");
    counts.push([PASSWORD, ...TEXTS].map((word) => packets.split(word).length - 1));
  }
  return { tcp: counts[0]!, udp: counts[1]! };
}

Deno.test("a capture of a session holds neither password nor message", async () => {
  assertEquals(await captureSession(), { tcp: [0, 0, 0], udp: [0, 0, 0] });
});

Deno.test("a capture of the same session with --plain shows both", async () => {
  const { tcp, udp } = await captureSession("--plain");
  console.log(`    password, first and second text: TCP ${tcp}, UDP ${udp}`);
  // Two logins and one sending of each text by TCP; the delivery of each by UDP, once more where its acknowledgement is late.
  assertEquals(tcp, [2, 1, 1]);
  assertEquals(udp.map((count) => Math.min(count, 1)), [0, 1, 1]);
});

Deno.test("openssl s_client sees TLS 1.3 and the fingerprint that the server printed", async () => {
  await using folder = await TempFolder.create();
  const { server, port } = await startServer(folder.path);
  await using _server = server;
  const shown = await new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`],
    stdin: "null",
  }).output();
  const session = new TextDecoder().decode(shown.stdout);
  assertMatch(session, /New, TLSv1\.3, Cipher is TLS_/);
  const pem = /-----BEGIN CERTIFICATE-----[^]*-----END CERTIFICATE-----\n/.exec(session)![0];
  await Deno.writeTextFile(folder.file("shown.pem"), pem);
  const { stdout } = await new Deno.Command("openssl", {
    args: ["x509", "-noout", "-fingerprint", "-sha256", "-in", folder.file("shown.pem")],
  }).output();
  const [, fingerprint] = await server.matchError(/^fingerprint: (\S+)\n/);
  const [, hexadecimal] = /=(\S+)\n$/.exec(new TextDecoder().decode(stdout))!;
  assertEquals(parseFingerprint(hexadecimal!), fingerprint);
  assertEquals(fingerprint, fingerprintOf((await loadIdentity(folder.path)).certificate));
});
