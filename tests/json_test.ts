// `chatclient --json`: events, commands and their answers as lines.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Program, startServerAt } from "./helpers/programs.ts";
import { lines, withServer } from "./helpers/script_server.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

const windows = Deno.build.os === "windows";

type Fields = Record<string, unknown>;

/** What a client that is given these lines writes, and how it ends. */
async function runJson(args: readonly string[], input: string) {
  const { code, stdout, stderr } = await Program.run("client", [...args, "--json"], { input });
  return { code, stderr, events: parseAll(stdout) };
}

function parseAll(output: string): Fields[] {
  return output.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("--json: events and answers are lines, and answers carry the command's id", () =>
  withServer(async ({ clientArgs, password }) => {
    const args = [...clientArgs("joe"), ...password, "--json"];
    await using joe = Program.start("client", args);
    await joe.match(/"ready"/);
    await joe.type(lines({ id: 1, type: "direct", to: "joe", text: "\u202ehi" }));
    const id = Number((await joe.match(/"sent","id":1,"message":(\d+)/))[1]);
    await joe.type(lines(
      { id: "two", type: "users" },
      { type: "user", username: "ANN" },
      { id: 4, type: "history", count: 5 },
      { id: 5, type: "status", message: id },
    ));
    await joe.match(/"status"/);
    await joe.match(/"type":"message"/);
    await joe.type(lines({ id: 6, type: "logout" }));
    assertEquals([await joe.exitCode(), joe.stderr], [0, ""]);
    const events = parseAll(joe.stdout);
    const find = (type: string) => events.find((event) => event["type"] === type)!;
    const { sent, ...message } = find("message");
    assertEquals(typeof sent, "number");
    const fields = { message: id, from: "joe", to: "joe", text: "\u202ehi" };
    assertEquals(message, { type: "message", ...fields });
    assertEquals(find("ready"), {
      type: "ready",
      username: "joe",
      created: false,
      here: { count: 1, users: ["joe"] },
    });
    assertEquals(find("sent"), { type: "sent", id: 1, message: id, away: false });
    assertEquals(find("users"), { type: "users", id: "two", users: ["joe"] });
    assertEquals(find("user"), { type: "user", username: "ann", active: false });
    assertEquals(find("history"), { type: "history", id: 4, messages: [{ sent, ...fields }] });
    assertEquals(find("status")["id"], 5);
    assertEquals(events.at(-1), { type: "ended", id: 6, exitCode: 0, why: "logged out" });
    // deno-lint-ignore no-control-regex
    assert(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(joe.stdout));
  }));

Deno.test("--json: who comes and goes, what another session sent, search and a new password", () =>
  withServer(async ({ clientArgs, password }) => {
    const start = (name: string) =>
      Program.start("client", [...clientArgs(name), ...password, "--json"]);
    await using joe = start("joe");
    await joe.match(/"ready"/);
    await using renew = start("renew");
    await renew.match(/"here":\{"count":2,"users":\["renew","joe"\]\}/);
    await joe.match(/"presence","joined":\{"count":1,"users":\["renew"\]\},"left":\{"count":0/);
    await using twin = start("joe");
    await twin.match(/"ready"/);
    await twin.type(lines({ id: 1, type: "direct", to: "renew", text: "see you" }));
    await joe.match(/"type":"own","message":\d+,"from":"joe","to":"renew",.*"text":"see you"/);
    await renew.match(/"type":"message","message":\d+,"from":"joe"/);
    await joe.type(lines(
      { id: 2, type: "search", text: "SEE", count: 5 },
      { id: 3, type: "password", old: "wrong", new: "other" },
      {
        id: 4,
        type: "password",
        old: (await Deno.readTextFile(password[1]!)).trim(),
        new: "other",
      },
    ));
    await joe.match(/"type":"history","id":2,"messages":\[\{"message":\d+,/);
    await joe.match(/"type":"error","id":3,"code":"wrong-password"/);
    await joe.match(/"type":"password","id":4\}/);
    assertEquals(await twin.exitCode(), 4);
    await renew.type(lines({ type: "logout" }));
    await joe.match(/"left":\{"count":1,"users":\["renew"\]\}/);
    assertEquals(twin.stdout.includes('"own"'), false);
  }));

Deno.test("--json: a room is joined, spoken in, read and left", () =>
  withServer(async ({ clientArgs, password }) => {
    const start = (name: string) =>
      Program.start("client", [...clientArgs(name), ...password, "--json"]);
    await using joe = start("joe");
    await using ann = start("ann");
    await joe.match(/"ready"/);
    await ann.match(/"ready"/);
    await joe.type(lines({ id: 1, type: "join", room: "#lab" }));
    await joe.match(/"joined".*\n/);
    await ann.type(lines({ id: 1, type: "join", room: "lab" }));
    await joe.match(/"what":"joined","by":"ann".*\n/);
    await joe.type(lines({ id: 2, type: "say", room: "lab", text: "for us" }));
    const message = Number((await joe.match(/"sent","id":2,"message":(\d+)/))[1]);
    await ann.match(/"for us".*\n/);
    await ann.type(lines({ id: 2, type: "leave", room: "lab" }));
    await joe.match(/"what":"left","by":"ann".*\n/);
    await joe.type(lines(
      { id: 3, type: "say", room: "lab", text: "without her" },
      { id: 4, type: "history", room: "lab" },
      { id: 5, type: "logout" },
    ));
    await joe.exitCode();
    await ann.type(lines(
      { id: 3, type: "say", room: "lab", text: "too late" },
      { id: 4, type: "history", room: "lab" },
      { id: 5, type: "logout" },
    ));
    await ann.exitCode();

    const room = "lab";
    const text = "for us";
    const seen = (program: Program) =>
      parseAll(program.stdout)
        .filter(({ type }) => !["ready", "presence", "ended"].includes(type as string))
        .map(({ sent: _, ...event }): Fields => event);
    const [first, second] = parseAll(joe.stdout)
      .find(({ type }) => type === "history")!["messages"] as Fields[];
    const joined = { type: "joined", id: 1, room, topic: "" };
    assertEquals(seen(joe), [
      { type: "room", room, what: "made", by: "joe" },
      { ...joined, members: 1, role: "owner", made: true },
      { type: "room", room, what: "joined", by: "ann" },
      { type: "sent", id: 2, message },
      { type: "room", room, what: "left", by: "ann" },
      { type: "sent", id: 3, message: second!["message"] },
      { type: "history", id: 4, messages: [first, second] },
    ]);
    assertEquals([first!["message"], first!["text"], second!["text"]], [
      message,
      text,
      "without her",
    ]);
    const errors = seen(ann).slice(-2).map(({ type, id, code }) => [type, id, code]);
    assertEquals(errors, [["error", 3, "not-in-room"], ["error", 4, "not-in-room"]]);
    assertEquals(seen(ann).slice(0, -2), [
      { type: "room", room, what: "joined", by: "ann" },
      { ...joined, members: 2, role: "member", made: false },
      { type: "message", message, from: "joe", room, text },
      { type: "room", room, what: "left", by: "ann" },
      { type: "left", id: 2, room, ended: false },
    ]);
  }));

Deno.test("--json: what can't be carried out gets an error, the session goes on, exit code 4", () =>
  withServer(async ({ clientArgs, password }) => {
    const long = JSON.stringify({ id: 9, type: "public", text: "x".repeat(140_000) });
    const input = [
      "nonsense",
      "[1]",
      long,
      lines({ id: 1, type: "dance" }).trim(),
      lines({ id: 2, type: "direct", text: "hi" }).trim(),
      lines({ id: 3, type: "public", text: "hi", to: "ann" }).trim(),
      lines({ id: 4, type: "direct", to: "nobody", text: "hi" }).trim(),
      lines({ id: 5, type: "public", text: "a\u0007" }).trim(),
      lines({ id: {}, type: "public", text: "a" }).trim(),
      lines({ id: 6, type: "public", text: "\ud800" }).trim(),
      lines({ id: 7, type: "public", text: "x".repeat(20_000) }).trim(),
      lines({ id: 8, type: "users" }).trim(),
    ].join("\n");
    const { code, stderr, events } = await runJson([...clientArgs("joe"), ...password], input);
    const errors = events.filter(({ type }) => type === "error");
    const found = errors.map(({ id, code }) => `${id} ${code}`).sort();
    assertEquals(found, [
      "1 unknown-command",
      "2 bad-command",
      "3 bad-command",
      "4 no-such-user",
      "5 bad-text",
      "6 bad-text",
      "7 bad-text",
      "undefined bad-command",
      "undefined bad-line",
      "undefined bad-line",
      "undefined bad-line",
    ]);
    assertEquals(events.some(({ type, id }) => type === "users" && id === 8), true);
    assertEquals([code, stderr], [4, "chatclient: 11 commands have failed\n"]);
    assertEquals(events.at(-1), { type: "ended", exitCode: 4, why: "11 commands have failed" });
  }));

Deno.test("--json: it ends with a line that says why, also where nothing was reached", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("pw"), "geheim\n", { mode: 0o600 });
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = `${closed.addr.port}`;
  closed.close();
  const args = ["127.0.0.1", port, "joe", "--plain", "--password-file", folder.file("pw")];
  const { code, events } = await runJson(args, "");
  assertEquals(code, 3);
  const [{ type, exitCode, why } = {}] = events;
  assertEquals([events.length, type, exitCode], [1, "ended", 3]);
  assertMatch(String(why), /nobody listens/);
  const { code: usage, stderr } = await Program.run("client", [...args.slice(0, 4), "--json"]);
  assertEquals(usage, 2);
  assertMatch(stderr, /--json asks nobody for the password/);
});

Deno.test({
  name: "--json: a lost connection and the return are events, and commands meanwhile are answered",
  ignore: windows,
  fn: () =>
    withServer(async ({ server, port, clientArgs, password, folder }) => {
      await using joe = Program.start("client", [...clientArgs("joe"), ...password, "--json"]);
      await joe.match(/"ready"/);
      server.kill("SIGKILL");
      await joe.match(/"lost"/);
      await joe.type(lines({ id: 1, type: "direct", to: "joe", text: "after all" }));
      await server.exitCode();
      await using _next = (await startServerAt(port, folder.path)).server;
      await joe.match(/"type":"sent"/);
      await joe.match(/"type":"message"/);
      await joe.endInput();
      assertEquals([await joe.exitCode(), joe.stderr], [0, ""]);
      const types = parseAll(joe.stdout).map(({ type }) => type);
      assertEquals(types.slice(0, 3), ["ready", "lost", "back"]);
      assertEquals([types.slice(3, 5).sort(), types[5]], [["message", "sent"], "ended"]);
    }),
});

Deno.test({
  name: "--json: the server's farewell is the end, exit code 3",
  ignore: windows,
  fn: () =>
    withServer(async ({ server, clientArgs, password }) => {
      await using joe = Program.start("client", [...clientArgs("joe"), ...password, "--json"]);
      await joe.match(/"ready"/);
      server.kill("SIGINT");
      assertEquals(await joe.exitCode(), 3);
      const ended = parseAll(joe.stdout).at(-1)!;
      assertEquals([ended["type"], ended["exitCode"]], ["ended", 3]);
      assertMatch(String(ended["why"]), /the server was shut down/);
    }),
});
