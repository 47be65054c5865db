// The client as scripts use it: passwords from files, one message, exit codes.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Program } from "./helpers/programs.ts";
import { lines, withServer } from "./helpers/script_server.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

const windows = Deno.build.os === "windows";

Deno.test("--password-file logs in and makes accounts, and no question is asked", () =>
  withServer(async ({ clientArgs, password }) => {
    for (const [name, greeting] of [["joe", ""], ["renew", "New User: renew\n"]] as const) {
      const args = [...clientArgs(name), ...password];
      const { code, stdout, stderr } = await Program.run("client", args);
      assertEquals([code, stderr], [0, ""]);
      assert(stdout.startsWith(`${greeting}Please enter a command:\n`), stdout);
    }
  }));

Deno.test("--password-fd 0 takes the first line of the input, and leaves the rest", () =>
  withServer(async ({ clientArgs }) => {
    const args = [...clientArgs("joe"), "--password-fd", "0"];
    const input = "geheim\nDM joe hello\n";
    const { code, stdout } = await Program.run("client", args, { input });
    assertEquals(code, 0);
    assertMatch(stdout, /^Please enter a command:\n[^]*\nMessage sent\n/);
  }));

Deno.test({
  name: "--password-fd takes a pipe",
  ignore: windows,
  fn: () =>
    withServer(async ({ clientArgs }) => {
      await using shell = await TempFolder.create();
      const script = shell.file("run");
      await Deno.writeTextFile(
        script,
        'exec 3<<EOF\ngeheim\nEOF\ncat <&3 | "$@" 3<&0 </dev/null\n',
      );
      const args = [...clientArgs("joe"), "--password-fd", "3"];
      await using client = Program.start("client", args, { launcher: ["sh", script] });
      assertEquals([await client.exitCode(), client.stderr], [0, ""]);
      assertMatch(client.stdout, /^Please enter a command:\n/);
    }),
});

Deno.test("a wrong password from a file is refused at once, exit code 4", () =>
  withServer(async ({ clientArgs, folder }) => {
    await Deno.writeTextFile(folder.file("pw"), "wrong\n");
    const args = [...clientArgs("joe"), "--password-file", folder.file("pw")];
    const { code, stderr } = await Program.run("client", args, { input: "geheim\n" });
    assertEquals([code, stderr], [4, "chatclient: wrong password\n"]);
  }));

Deno.test("a command that fails through a pipe makes the exit code 4, and it is said", () =>
  withServer(async ({ clientArgs, password }) => {
    const args = [...clientArgs("joe"), ...password];
    const input = "DM nobody hi\nXY\nPM hello\nHI\n";
    const { code, stdout, stderr } = await Program.run("client", args, { input });
    assertEquals(code, 4);
    assertMatch(stdout, /\nMessage sent\n[^]*successfully logged out/);
    assertMatch(
      stderr,
      /^There is no user.*\nUnknown command "XY".*\nTo send it.*\nchatclient: 2 commands have failed\n$/,
    );
  }));

Deno.test("send: exit code 0 means that the server has stored the message", () =>
  withServer(async ({ clientArgs, password }) => {
    await using ann = Program.start("client", [...clientArgs("ann"), ...password]);
    await ann.match(/Please enter a command:/);
    const send = (text: string, ...more: string[]) => ["send", ...clientArgs("joe"), text, ...more];
    for (
      const [args, input] of [
        [send("to all", ...password), ""],
        [send("-", "--to", "ann", ...password), "two\r\nlines\n\n"],
        [send("-", "--to", "ann", "--password-fd", "0"), "geheim\nthe rest\n"],
      ] as const
    ) {
      const { code, stdout, stderr } = await Program.run("client", args, { input });
      assertEquals([code, stdout, stderr], [0, "", ""]);
    }
    await ann.match(/From: joe\n\n {2}to all\n/);
    await ann.match(/From: joe\n\n {2}two\n {2}lines\n\n/);
    await ann.match(/From: joe\n\n {2}the rest\n/);
  }));

Deno.test("send leaves messages that wait for its user to another login", () =>
  withServer(async ({ clientArgs, password }) => {
    const waiting = ["send", ...clientArgs("ann"), "wait for joe", "--to", "joe", ...password];
    const { code, stderr } = await Program.run("client", waiting);
    const away = "joe is not here: the message is delivered at the next login\n";
    assertEquals([code, stderr], [0, away]);
    const sending = ["send", ...clientArgs("joe"), "hello", ...password];
    assertEquals((await Program.run("client", sending)).code, 0);
    await using joe = Program.start("client", [...clientArgs("joe"), ...password]);
    await joe.match(/From: ann\nSent: .*\n\n {2}wait for joe\n/);
  }));

Deno.test("send: the other exit codes say why the message was not stored", () =>
  withServer(async ({ clientArgs, password, folder }) => {
    const to = (name: string) => ["--to", name, ...password];
    const [host = "", port = "", , ...config] = clientArgs("joe");
    const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const nobody = `${closed.addr.port}`;
    closed.close();
    await Deno.writeTextFile(folder.file("wrong"), "wrong\n", { mode: 0o600 });
    const wrong: [string[], number, RegExp, string?][] = [
      [[host, port, "joe", "hi", ...config, ...to("nobody")], 4, /no user of that name/],
      [
        [host, port, "joe", "hi", "--password-file", folder.file("wrong"), ...config],
        4,
        /wrong pass/,
      ],
      [[host, nobody, "joe", "hi", "--config", folder.path, ...password], 3, /nobody listens/],
      [[host, port, "joe", "hi", ...config], 2, /asks nobody for the password/],
      [[host, port, "joe", ...config, ...password], 2, /the text is missing/],
      [[host, port, "joe", "-", ...config, ...password], 2, /the message is empty/, "\n"],
      [[host, port, "joe", "-", ...config, ...password], 2, /at most/, "x".repeat(40_000)],
      [[host, port, "joe", "hi", "--timeout", "soon", ...config, ...password], 2, /takes seconds/],
    ];
    for (const [args, code, problem, input = ""] of wrong) {
      const result = await Program.run("client", ["send", ...args], { input });
      assertMatch(result.stderr, problem);
      assertEquals([result.code, result.stdout], [code, ""], result.stderr);
    }
  }));

for (const signal of ["SIGHUP", "SIGTERM"] as const) {
  Deno.test({
    name: `${signal} is a request to leave: logged out, exit code 0`,
    ignore: windows,
    fn: () =>
      withServer(async ({ server, clientArgs, password }) => {
        for (const [more, ready] of [[[], /command:/], [["--json"], /"ready"/]] as const) {
          await using joe = Program.start("client", [...clientArgs("joe"), ...password, ...more]);
          await joe.match(ready);
          joe.kill(signal);
          assertEquals([await joe.exitCode(), joe.stderr], [0, ""]);
        }
        await server.count("joe left: logged out", 2, "err");
      }),
  });
}

Deno.test({
  name: "where nobody reads the output any more the client logs out and says so, exit code 1",
  ignore: windows,
  fn: () =>
    withServer(async ({ server, clientArgs, password, folder }) => {
      const script = folder.file("run");
      await Deno.writeTextFile(script, '{ "$@"; echo "code $?" >&2; } | head -n 1\n');
      const cases = [
        [[], /enter a command/, "DM joe hi\n".repeat(3)],
        [["--json"], /"ready"/, lines({ type: "direct", to: "joe", text: "hi" }).repeat(3)],
      ] as const;
      for (const [more, first, commands] of cases) {
        const args = [...clientArgs("joe"), ...password, ...more];
        await using joe = Program.start("client", args, { launcher: ["sh", script] });
        await joe.match(first);
        await joe.type(commands);
        await joe.matchError(/^chatclient: nobody reads the output any more: .*\ncode 1\n$/);
        await joe.endInput();
      }
      await server.count("joe left: logged out", 2, "err");
    }),
});
