// The client with several addresses, as people and scripts give them.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { makeAccounts, Program, startServer } from "./helpers/programs.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A server, and the addresses of one that is not there and of this one. */
async function withServer(
  test: (parts: { several: string[]; password: string[]; port: string }) => Promise<void>,
): Promise<void> {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe"]);
  await Deno.writeTextFile(folder.file("pw"), "geheim\n", { mode: 0o600 });
  const { server, port } = await startServer(folder.path);
  await using _server = server;
  const config = folder.file("config");
  await test({
    several: [`127.0.0.1:${freePort()},127.0.0.1`, port, "--config", config],
    password: ["--password-file", folder.file("pw")],
    port,
  });
}

/** The arguments with the user's name where it belongs. */
function as(name: string, [hosts, port, ...flags]: string[]): string[] {
  return [hosts!, port!, name, ...flags];
}

Deno.test("the client joins the first of several servers that is there, with --json and send, too", () =>
  withServer(async ({ several, password }) => {
    const args = [...as("joe", several), ...password];
    const chat = await Program.run("client", args);
    assertEquals([chat.code, chat.stderr], [0, ""]);
    assert(chat.stdout.startsWith("Please enter a command:\n"), chat.stdout);
    const json = await Program.run("client", [...args, "--json"], { input: "" });
    assertEquals([json.code, JSON.parse(json.stdout.split("\n")[0]!)["type"]], [0, "ready"]);
    const [hosts = "", port = "", , ...flags] = args;
    const sent = await Program.run("client", ["send", hosts, port, "joe", "hello", ...flags]);
    assertEquals([sent.code, sent.stderr], [0, ""]);
  }));

Deno.test("the client says of each of several servers why it can't be joined, exit code 3", async () => {
  await using folder = await TempFolder.create();
  const [a, b] = [freePort(), freePort()];
  const args = [`127.0.0.1,[::1]:${b}`, `${a}`, "joe", "--config", folder.path];
  const { code, stderr } = await Program.run("client", args);
  assertEquals(code, 3);
  assertMatch(
    stderr.replaceAll(/\s+/g, " "),
    new RegExp(
      `^chatclient: none of the 2 servers can be joined: nobody listens at 127.0.0.1:${a}.*; ` +
        `.*\\[::1\\]:${b}.* $`,
    ),
  );
  const wrong = await Program.run("client", ["127.0.0.1,,x", "1300", "joe"]);
  assertEquals(wrong.code, 2);
  assertMatch(wrong.stderr, /"" is no address/);
});

Deno.test("the doctor examines each of several servers, and its exit code is that of the first thing wrong", () =>
  withServer(async ({ several, port }) => {
    const people = await Program.run("client", ["doctor", ...several]);
    assertEquals(people.code, 13);
    assertMatch(
      people.stdout,
      new RegExp(`^127.0.0.1:\\d+\\n[^]*WRONG[^]*\\n127.0.0.1:${port}\\nok `),
    );
    const json = await Program.run("client", ["doctor", ...several, "--json"]);
    assertEquals(json.code, 13);
    const findings = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    const wrong = findings.filter(({ result }) => result === "wrong");
    assertEquals(wrong.map(({ check, server }) => [check, server !== `127.0.0.1:${port}`]), [
      ["TCP", true],
    ]);
    assert(findings.some(({ check, server }) => check === "UDP" && server === `127.0.0.1:${port}`));
  }));
