// What who runs a server asks of it from the shell, while it runs and while it does not.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ControlSocket } from "../lib/server/control.ts";
import { FakeServer } from "./helpers/fake_server.ts";
import { Program, startServer } from "./helpers/programs.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

const ignore = Deno.build.os === "windows";

async function control(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await Program.run(
    "server",
    ["control", ...args, "--data", folder],
  );
  return `${code} ${stdout}${stderr}`;
}

Deno.test({
  name: "chatserver control asks a running server, and only its owner may",
  ignore,
  fn: async () => {
    await using folder = await TempFolder.create();
    const { server, clientArgs } = await startServer(folder.path);
    await using _server = server;
    const { mode } = await Deno.stat(folder.file("control.sock"));
    assertEquals(mode! & 0o777, 0o600);
    await using joe = Program.start("client", clientArgs("joe"));
    await joe.type("geheim\n");
    await joe.match(/EX - exit/);

    const status = JSON.parse((await control(folder.path, "status", "--json")).slice(2));
    assertEquals([status.users, status.sessions, status.accounts], [1, 1, 1]);
    assert(status.memoryBytes > 1_000_000 && status.journal > 0);
    assertEquals([status.pid, status.isStoring], [server.pid, true]);
    await joe.type("DM\njoe\nnote\n");
    await joe.match(/Message sent/);
    const wrong = await Program.run("client", clientArgs("joe"), { input: "falsch\n" });
    assertEquals(wrong.code, 2, wrong.stderr);
    const screen = await control(folder.path, "status");
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;
    const lines = [
      `0 chatserver \\S+, process \\d+, since ${time}`,
      "users +1 \\(sessions here: 1\\)",
      "connections +1, logged in or not",
      "accounts +1",
      "rooms +0",
      "messages +\\d+\\.\\d a second in the last minute; since the start 0 public, 0 in rooms, 1 direct",
      "deliveries +1 since the start, (0|100) % by UDP; \\d+ sent once more, 0 datagrams dropped",
      "backlog +\\d deliveries, \\d+ bytes; \\d+ bytes unwritten",
      `journal +up to event \\d+; \\S+ KiB on the disk; oldest message of ${time}`,
      "commits +\\d+\\.\\d ms in the last minute, the longest \\d+\\.\\d ms",
      "memory +\\S+ MiB",
      "logins +1 since the start, and 0 came back",
      "refused logins 1 since the start, 1 wrong-password",
      "muted, banned +0",
      "new accounts +are taken",
    ];
    assertMatch(screen, new RegExp(`^${lines.join("\n")}\n$`));
    assertMatch(await control(folder.path, "sessions"), /^0 joe from 127\.0\.0\.1 since .*\n$/);
    assertMatch(await control(folder.path, "whois", "JOE"), /^0 joe: user, made /);

    const muted = await control(folder.path, "mute", "joe", "--for", "10m", "--why", "spam");
    assertMatch(muted, /^0 done: mute joe until 20.*Z\n$/);
    await joe.matchError(/The server says: you are muted until .* UTC: spam\n/);
    assertMatch(
      await control(folder.path, "restrictions"),
      /^0 joe is muted until .*, by the server's own machine: spam\n$/,
    );
    assertEquals(await control(folder.path, "announce", "Hand it in"), "0 done: announce\n");
    await joe.match(/Message type: Announcement of an operator\nFrom: server\n\n {2}Hand it in\n/);
    assertMatch(await control(folder.path, "unmute", "joe"), /^0 done/);
    await joe.type("PM the solutions\n");
    await joe.match(/Message sent/);
    const messages = await control(folder.path, "messages");
    const [, number = ""] = /server: Hand it in\n(\d+) .* joe: the solutions\n$/.exec(messages)!;
    const deleted = await control(folder.path, "delete", number, "--why", "not yet");
    assertEquals(deleted, "0 done: delete, a message of joe\n");
    await joe.matchError(/server deleted your message of .*: not yet\.\n/);
    assertMatch(await control(folder.path, "messages"), / joe \(deleted by server\)\n$/);
    assertMatch(
      await control(folder.path, "delete", number),
      /^4 chatserver: message \d+ is deleted already, by server\n$/,
    );
    const locked = await control(folder.path, "lock", "--for", "45m", "--why", "exam");
    assertMatch(locked, /^0 done: lock until 20.*Z\n$/);
    assertMatch(
      await control(folder.path, "status"),
      /\nnew accounts +The chat is locked for new users until .*: exam\n/,
    );
    assertEquals(await control(folder.path, "kick", "joe"), "0 done: kick joe\n");
    assertEquals(await joe.exitCode(), 4);
    assertMatch(joe.stderr, /you were sent away by an operator\n$/);
    const done = await control(folder.path, "operations", "--count", "2");
    assertMatch(
      done,
      /^0 \S+ the server's own machine: lock until \S+: exam\n\S+ the server's own machine: kick joe\n$/,
    );
  },
});

Deno.test({
  name: "chatserver control says what is wrong",
  ignore,
  fn: async () => {
    await using folder = await TempFolder.create();
    const nobody = `4 chatserver: no server that runs in ${
      JSON.stringify(folder.path)
    } can be asked: `;
    assertEquals(
      await control(folder.path, "status"),
      `${nobody}there is no control.sock\n`,
    );
    const deep = folder.file("x".repeat(100));
    assertMatch(
      await control(deep, "status"),
      /: the path of its control\.sock has \d+ bytes, and a socket's at most \d+: go into the data folder, and/,
    );
    const first = (await startServer(folder.path)).server;
    Deno.kill(first.pid, "SIGKILL");
    await first.exitCode();
    await first[Symbol.asyncDispose]();
    assertEquals(
      await control(folder.path, "status"),
      `${nobody}nobody listens at control.sock, which an earlier one has left\n`,
    );
    const { server } = await startServer(folder.path);
    await using _server = server;
    const wrong: [string[], RegExp][] = [
      [["kick", "joe"], /^4 chatserver: there is no user of that name\n$/],
      [["unquiet"], /^4 chatserver: the chat is not quiet\n$/],
      [["unlock"], /^4 chatserver: the chat is not locked\n$/],
      [["delete", "1"], /^4 chatserver: there is no message 1 to everybody or in a room\n$/],
      [["delete", "x"], /^2 chatserver: delete takes the number of a message/],
      [["announce", " "], /^4 chatserver: the message is empty\n$/],
      [["mute", "joe", "--for", "10x"], /^2 chatserver: "10x" is no duration/],
      [["operations", "--count", "x"], /^2 chatserver: --count takes a number/],
      [["kick"], /^2 chatserver: the username is missing/],
      [["shutdown"], /^2 chatserver: chatserver control takes one of status, sessions, /],
    ];
    for (const [args, expected] of wrong) {
      assertMatch(await control(folder.path, ...args), expected, args.join(" "));
    }
    // What is no request is answered, and the server goes on.
    for (
      const line of ["nonsense", "[]", '{"command":"shutdown"}', '{"command":"kick","user":1}']
    ) {
      using connection = await Deno.connect({
        transport: "unix",
        path: folder.file("control.sock"),
      });
      await connection.write(new TextEncoder().encode(`${line}\n`));
      const answer = await new Response(connection.readable).json();
      assertEquals(Object.keys(answer), ["error"], line);
    }
    assertMatch(await control(folder.path, "sessions"), /^0 nobody is here\n$/);
  },
});

Deno.test({
  name:
    "chatserver control takes no other program for a server, and a server starts where something is in the way",
  ignore,
  fn: async () => {
    await using folder = await TempFolder.create();
    const path = folder.file("control.sock");
    const another = Deno.listen({ transport: "unix", path });
    const answered = (async () => {
      for await (const connection of another) {
        await connection.read(new Uint8Array(1_000));
        await connection.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"));
        connection.close();
      }
    })();
    assertEquals(
      await control(folder.path, "status"),
      `4 chatserver: what listens at ${JSON.stringify(path)} is no chatserver\n`,
    );
    // A server that starts in this folder takes the place of whatever listened there.
    const { server } = await startServer(folder.path);
    assertMatch(await control(folder.path, "sessions"), /^0 nobody is here\n$/);
    await server[Symbol.asyncDispose]();
    another.close();
    await answered;

    await Deno.mkdir(path);
    const { server: other } = await startServer(folder.path);
    await using _other = other;
    await other.matchError(/"chatserver control" can't reach this server: a folder stands where/);
  },
});

Deno.test({
  name: "ControlSocket ends at once, though somebody has connected and says nothing",
  ignore,
  fn: async () => {
    await using folder = await TempFolder.create();
    await using server = await FakeServer.start();
    // Its clock stands still.
    const socket = await ControlSocket.open(folder.path, server.services);
    const open = () => Deno.connect({ transport: "unix", path: folder.file("control.sock") });
    using silent = await open();
    using asking = await open();
    await asking.write(new TextEncoder().encode('{"command":"sessions"}\n'));
    assertEquals(await new Response(asking.readable).text(), '{"done":[]}\n');
    await socket![Symbol.asyncDispose]();
    assertEquals(await silent.read(new Uint8Array(1)), null);
  },
});
