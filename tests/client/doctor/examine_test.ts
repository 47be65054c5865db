// What chatclient doctor says of servers on this machine.
import { assertEquals, assertMatch } from "@std/assert";
import { examine } from "../../../lib/client/doctor/examine.ts";
import { exitCodeOf, type Finding } from "../../../lib/client/doctor/finding.ts";
import { formatFinding, formatSummary } from "../../../lib/client/doctor/report.ts";
import { systemClock } from "../../../lib/clock.ts";
import { UNWRAPPED } from "../../../lib/console/page.ts";
import type { Endpoint } from "../../../lib/net/connection.ts";
import { RunningServer } from "../../helpers/running_server.ts";

interface Options {
  plain?: boolean;
  /** How far this machine's clock is ahead, in milliseconds. */
  ahead?: number;
  fingerprint?: string;
}

async function findings(
  server: Endpoint,
  { plain = false, ahead = 0, fingerprint }: Options = {},
): Promise<Finding[]> {
  const found: Finding[] = [];
  const clock = { ...systemClock, date: () => new Date(Date.now() + ahead) };
  const trust = plain ? undefined : { knownServers: undefined, fingerprint };
  const { signal } = new AbortController();
  for await (const finding of examine(server, { clock, trust, os: "linux", signal })) {
    found.push(finding);
  }
  return found;
}

function wrongOf(found: readonly Finding[]): string[] {
  return found.filter(({ result }) => result === "wrong").map((finding) => finding.problem!);
}

/** A TCP server that says something and closes. */
async function withServer(said: string, test: (server: Endpoint) => Promise<void>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const conn of listener) {
      await conn.write(new TextEncoder().encode(said)).catch(() => {});
      conn.close();
    }
  })();
  await test({ hostname: "127.0.0.1", port: listener.addr.port });
  listener.close();
  await serving;
}

Deno.test("examine() finds nothing wrong with a good server, and leaves no account and no trace", async () => {
  await using running = await RunningServer.start({}, { plain: false });
  const found = await findings(running.endpoint);
  assertEquals(found.map(({ check, result }) => `${check} ${result}`), [
    "name good",
    "TCP good",
    "identity good",
    "version good",
    "clock good",
    "UDP good",
    "packets good",
    "loss good",
  ]);
  assertMatch(
    found[2]!.what,
    /^first contact with \S+, fingerprint: SHA256:\S+, in words: [a-z ]+$/,
  );
  assertEquals([exitCodeOf(found), formatSummary(found)], [0, "Nothing is wrong."]);
  const { sent, received, answered } = found[5]!.figures!;
  assertEquals([received, answered], [sent, sent]);
});

Deno.test("examine() finds a clock that is wrong", async () => {
  await using running = await RunningServer.start();
  const found = await findings(running.endpoint, { plain: true, ahead: -31 * 86_400_000 });
  assertEquals(wrongOf(found), ["clock"]);
  assertEquals(exitCodeOf(found), 25);
  const clock = found.find(({ check }) => check === "clock")!;
  assertMatch(
    formatFinding(clock, UNWRAPPED),
    /^WRONG {2}clock {5}this machine's is 31 days behind the server's\n {9}where: .*\n {9}meaning: .*\n {9}try: /,
  );
});

Deno.test("examine() finds that TLS and --plain do not go together, either way", async () => {
  await using tls = await RunningServer.start({}, { plain: false });
  assertEquals(wrongOf(await findings(tls.endpoint, { plain: true })), ["encryption"]);
  await using plain = await RunningServer.start();
  assertEquals(wrongOf(await findings(plain.endpoint)), ["encryption"]);
});

Deno.test("examine() finds a server that is another one than was demanded", async () => {
  await using running = await RunningServer.start({}, { plain: false });
  const found = await findings(running.endpoint, { fingerprint: "00".repeat(32) });
  assertEquals([wrongOf(found), exitCodeOf(found)], [["identity"], 5]);
});

Deno.test("examine() finds what is no chat server, and one of another version", async () => {
  await withServer("SSH-2.0-OpenSSH_9.2\r\n", async (server) => {
    assertEquals(wrongOf(await findings(server, { plain: true })), ["no-chat-server"]);
    assertEquals(wrongOf(await findings(server)), ["no-chat-server"]);
  });
  await withServer('{"type":"hello","protocol":99,"software":"new"}\n', async (server) => {
    assertEquals(wrongOf(await findings(server, { plain: true })), ["version"]);
  });
});

Deno.test("examine() skips UDP where the server can't be asked about it", async () => {
  await withServer('{"type":"hello","protocol":2,"software":"old"}\n', async (server) => {
    const found = await findings(server, { plain: true });
    assertEquals(wrongOf(found), []);
    assertEquals(found.at(-1)?.result, "skipped");
  });
});

Deno.test("examine() finds that there is no such name, and nobody at the port", async () => {
  const found = await findings({ hostname: "no.such.host.invalid", port: 1 });
  assertEquals([wrongOf(found), exitCodeOf(found)], [["name"], 10]);
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  const nobody = await findings({ hostname: "127.0.0.1", port });
  assertEquals([wrongOf(nobody), exitCodeOf(nobody)], [["port"], 13]);
});
