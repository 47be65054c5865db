// What the two programs say, and their exit codes, when they are started or ended wrong.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { Program, startServer, startServerAt } from "./helpers/programs.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

const windows = Deno.build.os === "windows";

/** Runs a program that has to fail: one line on standard error, and an exit code. */
async function fails(
  program: "server" | "client",
  args: readonly string[],
  { code, problem, input }: { code: number; problem: RegExp; input?: string },
): Promise<void> {
  const result = await Program.run(program, args, input === undefined ? {} : { input });
  assertMatch(result.stderr, problem);
  assertMatch(result.stderr, new RegExp(`^chat${program}: [^\\n]+\\n$`), "one line");
  assertEquals(result.code, code, result.stderr);
}

Deno.test("chatserver names what is wrong with its arguments, exit code 2", async () => {
  const wrong: [string[], RegExp][] = [
    [[], /the port is missing/],
    [["1300", "joe"], /one argument too many: joe/],
    [["port"], /"port" is no port: a port is a number from 0 to 65535/],
    [["65536"], /"65536" is no port/],
    [["13e2"], /"13e2" is no port/],
    [["1300", "--colour"], /there is no flag --colour/],
    [["-1"], /there is no flag -1/],
    [["--_=1300"], /there is no flag --_=1300/],
    [["-__", "1300"], /there is no flag -__/],
    [["1300", "--data"], /--data needs a value/],
    [["1300", "--metrics", "1e3"], /--metrics: "1e3" is no port: a port is a number from 0/],
    [["1300", "--metrics", "1300"], /--metrics: 1300 is the chat's port: choose another one/],
  ];
  for (const [args, problem] of wrong) await fails("server", args, { code: 2, problem });
});

Deno.test("chatclient names what is wrong with its arguments, exit code 2", async () => {
  const wrong: [string[], RegExp][] = [
    [["localhost"], /the port is missing: .*as in chatclient localhost 1300/],
    [["", "1300"], /the host is empty/],
    [["localhost", "1300", "joe", "joe"], /one argument too many: joe/],
    [["localhost", "0", "joe"], /"0" is no port: a port is a number from 1 to 65535/],
    [["localhost", "http", "joe"], /"http" is no port/],
  ];
  for (const [args, problem] of wrong) await fails("client", args, { code: 2, problem });
});

Deno.test("chatclient takes the system's name for the username, where there is one", async () => {
  await using folder = await TempFolder.create();
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  const args = clientArgs("joe").filter((arg) => arg !== "joe");
  const env = { USER: "ann", LOGNAME: "", USERNAME: "" };
  const { code, stderr } = await Program.run("client", args, { input: "geheim\n", env });
  assertEquals([code, stderr], [0, "joining as ann, which is your name on this system\n"]);
  const nobody = { ...env, USER: "a b" };
  const refused = await Program.run("client", args, { env: nobody });
  assertEquals([refused.code, refused.stderr], [2, "chatclient: the username is missing\n"]);
});

Deno.test("chatclient says the rule that a username breaks, exit code 4", async () => {
  for (const name of ["a b", "x".repeat(33), "a:b"]) {
    const problem = /is refused: a username has 1 to 32 letters, digits/;
    await fails("client", ["localhost", "1300", name], { code: 4, problem });
  }
});

Deno.test("--help and --version print what they are for, exit code 0", async () => {
  for (const program of ["server", "client"] as const) {
    for (const flag of ["--help", "-h"]) {
      const help = await Program.run(program, [flag]);
      assertEquals([help.code, help.stderr], [0, ""]);
      assertMatch(help.stdout, new RegExp(`^usage: chat${program} [[<]`));
    }
    const version = await Program.run(program, ["--version"]);
    const origin = "source|commit (?:[0-9a-f]{12}(?:\\+changes)?|unknown)";
    assertMatch(
      version.stdout,
      new RegExp(
        `^chat${program} \\d+\\.\\d+\\.\\d+ \\((?:${origin}), Deno \\d+\\.\\d+\\.\\d+\\)\\n$`,
      ),
    );
  }
});

Deno.test("chatserver says that its port is in use, not permitted or not here, exit code 4", async () => {
  await using folder = await TempFolder.create();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const data = ["--data", folder.path];
  await fails("server", [`${port}`, "--host", "127.0.0.1", ...data], {
    code: 4,
    problem: /port \d+ is in use by another program/,
  });
  await fails("server", ["0", "--host", "203.0.113.7", ...data], {
    code: 4,
    problem: /port 0 at 203\.0\.113\.7 can't be had/,
  });
});

Deno.test("chatserver says that its data folder is in use or can't be written, exit code 4", async () => {
  await using folder = await TempFolder.create();
  const { server } = await startServer(folder.path);
  await using _server = server;
  const inUse = { code: 4, problem: /data folder .* is in use by another chatserver/ };
  await fails("server", ["0", "--data", folder.path], inUse);
  await Deno.writeTextFile(folder.file("file"), "");
  const noFolder = { code: 4, problem: /data folder .* can't be written/ };
  await fails("server", ["0", "--data", folder.file("file")], noFolder);
});

Deno.test("chatserver names the lines of credentials.txt that can't be read, and loads the rest", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("credentials.txt"), "joe geheim\n???\nann:$scrypt$x\n");
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await server.matchError(/credentials\.txt: line 2 can't be read and was left out\n/);
  await server.matchError(/credentials\.txt: line 3 can't be read and was left out\n/);
  const args = clientArgs("joe");
  const { code, stdout } = await Program.run("client", args, { input: "geheim\n" });
  assertEquals(code, 0);
  assertMatch(stdout, /^Existing user\. Please enter password:\n\nPlease enter a command:\n/);
});

Deno.test("chatclient says that there is no host, or nobody listens, exit code 3", async () => {
  await fails("client", ["no.such.host.invalid", "1300", "joe"], {
    code: 3,
    problem: /there is no host "no\.such\.host\.invalid"/,
  });
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  await fails("client", ["127.0.0.1", `${port}`, "joe"], {
    code: 3,
    problem: /nobody listens at 127\.0\.0\.1:\d+/,
  });
});

Deno.test("chatclient says that something else is no chat server, exit code 3", async () => {
  for (const greeting of ["SSH-2.0-OpenSSH_9.2\r\n", ""]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = listener.accept().then(async (conn) => {
      await conn.write(new TextEncoder().encode(greeting));
      conn.close();
    });
    await fails("client", ["127.0.0.1", `${listener.addr.port}`, "joe"], {
      code: 3,
      problem: /127\.0\.0\.1:\d+ is no chat server/,
    });
    await serving;
  }
});

Deno.test("chatserver answers something that is no chat client, and serves on", async () => {
  await using folder = await TempFolder.create();
  const { server, port, clientArgs } = await startServer(folder.path, "--plain");
  await using _server = server;
  const browser = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await browser.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  const answer = await toText(browser.readable);
  const types = answer.trim().split("\n").map((line) => JSON.parse(line).type);
  assertEquals(types, ["hello", "error", "farewell"]);
  const args = clientArgs("joe");
  assertEquals((await Program.run("client", args, { input: "geheim\n" })).code, 0);
});

Deno.test({
  name: "chatserver ends the chat at SIGINT: its clients leave, exit code 3",
  // Windows has no signals between processes.
  ignore: windows,
  async fn() {
    await using folder = await TempFolder.create();
    const { server, clientArgs } = await startServer(folder.path);
    await using _server = server;
    await using client = Program.start("client", clientArgs("joe"));
    await client.type("geheim\n");
    await client.match(/New User: joe\n/);
    // Twice, as a terminal and `deno task` do.
    server.kill("SIGINT");
    server.kill("SIGINT");
    assertEquals(await server.exitCode(), 0);
    assertEquals(await client.exitCode(), 3);
    assertEquals(
      client.stderr,
      "chatclient: the server ended the connection: the server was shut down\n",
    );
    assertMatch(server.stderr, /joe joined from .*\n.*joe left: the server was shut down\n$/);
  },
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test({
    name: `chatclient comes back to a server that ended by ${signal}, and sends what was typed`,
    ignore: windows,
    async fn() {
      await using folder = await TempFolder.create();
      const { server, port, clientArgs } = await startServer(folder.path);
      await using _server = server;
      await using client = Program.start("client", clientArgs("joe"));
      await client.type("geheim\n");
      await client.match(/New User: joe\n/);
      server.kill(signal);
      const why = signal === "SIGTERM" ? " (the server was shut down)" : "";
      await client.expectError(`Connection lost${why}, trying to come back.\n`);
      assertEquals(await server.exitCode(), signal === "SIGTERM" ? 0 : 137);
      await client.type("DM joe to myself\n");
      await client.expectError("Not connected: what you typed is kept, and goes out later.\n");
      const { server: next } = await startServerAt(port, folder.path);
      await using _next = next;
      await client.expectError("Connected again.\n");
      await client.match(/From: joe\n\n {2}to myself\n/);
      await client.type("EX\n");
      assertEquals(await client.exitCode(), 0);
      assertMatch(next.stderr, /joe came back from .*\n.*joe left: logged out\n$/);
      assertEquals(client.stdout.match(/Message sent/g)?.length, 1);
    },
  });
}

Deno.test("chatclient --compact through pipes: a message is a line, and there is not one escape byte", async () => {
  await using folder = await TempFolder.create();
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  const args = (name: string) => [...clientArgs(name), "--compact", "--color", "auto"];
  await using joe = Program.start("client", args("joe"));
  await joe.type("geheim\n");
  await joe.expect("Welcome new user: joe please enter a new password:\n\nNew User: joe\n");
  await joe.expect("* 1 here: joe\n");
  await using ann = Program.start("client", args("ann"));
  await ann.type("geheim\nhello joe\n@joe one\nDM joe\ntwo\n/pm\n/who\nfg\nEX\n");
  await joe.expectMatch(/\* ann joined|\d\d:\d\d ann: hello joe/);
  assertEquals(await ann.exitCode(), 0);
  await joe.match(/ann: fg\n/);
  await joe.type("EX\n");
  assertEquals(await joe.exitCode(), 0);
  // Who comes and goes is told when a second is over.
  const lines = joe.stdout.split("\n").filter((line) => !line.startsWith("* ann "));
  assertEquals(lines.slice(4).map((line) => line.replace(/^\d\d:\d\d /, "")), [
    "ann: hello joe",
    "ann -> you: one",
    "ann -> you: two",
    "ann: fg",
    "Sending logout command to server",
    "successfully logged out. Closing client side socket and ending program.",
    "",
  ]);
  assertMatch(
    ann.stdout,
    /\n\* 2 here: ann, joe\n\* Active users:\n {9}ann \(since .*\)\n {9}joe \(since .*\)\nSending logout/,
  );
  assertEquals([joe, ann].map(({ stdout, stderr }) => (stdout + stderr).includes("\x1b")), [
    false,
    false,
  ]);
});

Deno.test("chatclient names what is wrong with --color and with settings.toml, and takes the rest", async () => {
  await fails("client", ["localhost", "1300", "joe", "--color", "blue"], {
    code: 2,
    problem: /--color can be auto, always or never/,
  });
  await using folder = await TempFolder.create();
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  const path = `${folder.path}/config/settings.toml`;
  await Deno.writeTextFile(path, 'times = "of"\nblocked = ["ann"]\nstyle = "compact"\n');
  const { stdout, stderr } = await Program.run("client", clientArgs("joe"), {
    input: "geheim\nBL\nSE times\nEX\n",
  });
  assertEquals(stderr, `${path}, line 1: times can be off, short or full\n`);
  assertMatch(stdout, /Please enter a command:[^]*You have blocked ann\.\n[^]*times = short\n/);
});

Deno.test({
  name: "chatclient can be left while there is no server, exit code 3",
  ignore: windows,
  async fn() {
    await using folder = await TempFolder.create();
    const { server, clientArgs } = await startServer(folder.path);
    await using client = Program.start("client", clientArgs("joe"));
    await client.type("geheim\n");
    await client.match(/New User: joe\n/);
    await server[Symbol.asyncDispose]();
    await client.matchError(/trying to come back\.\n$/);
    await client.endInput();
    assertEquals(await client.exitCode(), 3);
    assertMatch(client.stderr, /chatclient: the server did not answer the logout\n$/);
  },
});

Deno.test({
  name: "chatclient logs out at SIGINT, exit code 0",
  ignore: windows,
  async fn() {
    await using folder = await TempFolder.create();
    const { server, clientArgs } = await startServer(folder.path);
    await using _server = server;
    await using client = Program.start("client", clientArgs("joe"));
    await client.type("geheim\n");
    await client.match(/EX - exit program and logout of account\n/);
    client.kill("SIGINT");
    assertEquals(await client.exitCode(), 0);
    assertMatch(client.stdout, /of account\nSending logout .*\nsuccessfully logged out\..*\n$/);
    await server.matchError(/joe left: logged out/);
  },
});

Deno.test({
  name: "chatclient can be left while it connects, and while a server hangs",
  ignore: windows,
  async fn() {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const args = ["127.0.0.1", `${listener.addr.port}`, "joe", "--plain"];
    await using connecting = Program.start("client", args);
    using _silent = await listener.accept();
    connecting.kill("SIGINT");
    assertEquals(await connecting.exitCode(), 2);
    assertMatch(connecting.stderr, /chatclient: you left before the connection was made\n$/);

    await using folder = await TempFolder.create();
    const { server, clientArgs } = await startServer(folder.path);
    await using _server = server;
    await using client = Program.start("client", clientArgs("joe"));
    await client.type("geheim\n");
    await client.match(/New User: joe\n/);
    server.kill("SIGSTOP");
    client.kill("SIGINT");
    await client.match(/Sending logout command to server\n/);
    assertEquals(await client.exitCode(), 3);
    assertMatch(client.stderr, /chatclient: the server did not answer the logout\n$/);
  },
});

Deno.test("input that is no text ends the client with a clear line, exit code 2", async () => {
  await using folder = await TempFolder.create();
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  await using client = Program.start("client", clientArgs("joe"));
  await client.type("geheim\n");
  await client.typeBytes(Uint8Array.of(0x50, 0x4d, 0x20, 0xe4, 0x0a));
  assertEquals(await client.exitCode(), 2);
  assertEquals(
    client.stderr,
    "chatclient: the input can't be read: a line is not valid UTF-8\n",
  );
  await server.matchError(/joe left: logged out/);
});

Deno.test("the server writes no password anywhere, and no text into its log", async () => {
  await using folder = await TempFolder.create();
  const { server, clientArgs } = await startServer(folder.path);
  await using _server = server;
  const args = clientArgs("joe");
  await Program.run("client", args, { input: "s3cret\nPM c0nfidential\n" });
  await Program.run("client", args, { input: "wr0ng\nwr0ng\nwr0ng\n" });
  await server.count("refused: wrong password (joe), from 127.0.0.1\n", 3, "err");
  const files = [...Deno.readDirSync(folder.path)].filter(({ isFile }) => isFile)
    .map(({ name }) => folder.file(name));
  const latin1 = new TextDecoder("latin1");
  const written = files.map((file) => latin1.decode(Deno.readFileSync(file))).join("");
  const said = `${server.stdout}${server.stderr}`;
  for (const word of ["s3cret", "wr0ng"]) assert(!`${said}${written}`.includes(word), word);
  assert(!said.includes("c0nfidential"));
});

Deno.test({
  name: "chatserver goes on when its terminal was closed, and when its log can't be written",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using folder = await TempFolder.create();
    // What is written to a terminal that has gone fails, too.
    const launcher = ["sh", "-c", 'exec "$@" 2>/dev/full', "sh"];
    const args = ["0", "--host", "127.0.0.1", "--plain", "--data", folder.path];
    await using full = Program.start("server", args, { launcher });
    const [, port] = await full.match(/on port (\d+)\nServer ready/);
    full.kill("SIGHUP");
    const joined = await Program.run("client", ["127.0.0.1", port!, "joe", "--plain"], {
      input: "geheim\nPM\nhello\nEX\n",
    });
    assertEquals(joined.code, 0, joined.stderr);
    full.kill("SIGTERM");
    assertEquals(await full.exitCode(), 0);

    const { server } = await startServer(folder.path);
    await using _server = server;
    server.kill("SIGHUP");
    await server.matchError(/Z SIGHUP: the server goes on, and SIGTERM ends it; .*\n/);
  },
});
