// What an operator does to the accounts, while the server runs and while it does not.
import { assertEquals, assertMatch } from "@std/assert";
import { Accounts } from "../lib/accounts/accounts.ts";
import { FakeClock } from "./helpers/fake_clock.ts";
import { Program, startServer } from "./helpers/programs.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

async function users(folder: TempFolder, args: string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await Program.run(
    "server",
    ["users", ...args, ...args.includes("--data") ? [] : ["--data", folder.path]],
    { input },
  );
  return `${code} ${stdout}${stderr}`;
}

Deno.test("chatserver users adds, lists, changes and removes accounts", async () => {
  await using folder = await TempFolder.create();
  assertEquals(await users(folder, ["list"]), "0 ");
  assertEquals(await users(folder, ["add", "joe"], "geheim\n"), "0 New password:\n\nadded joe\n");
  assertEquals(await users(folder, ["add", "Ann"], "geheim\n"), "0 New password:\n\nadded Ann\n");
  assertEquals(await users(folder, ["list"]), "0 Ann\njoe\n");
  assertEquals(
    await users(folder, ["passwd", "JOE"], "neu\n"),
    "0 New password:\n\nJOE has a new password\n",
  );
  assertEquals(await users(folder, ["remove", "ann"]), "0 removed Ann\n");
  // Clients can't register this one.
  assertEquals(await users(folder, ["add", "admin"], "x\n"), "0 New password:\n\nadded admin\n");
  assertEquals(await users(folder, ["remove", "admin"]), "0 removed admin\n");
  assertEquals(await users(folder, ["list"]), "0 joe\n");
});

Deno.test("chatserver users remove takes away many, and says first which", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  const accounts = await Accounts.load(folder.path, { cost: { ln: 1, r: 8, p: 1 }, clock });
  await accounts.create("joe", "x");
  clock.advance(86_400_000);
  const bots = Array.from({ length: 200 }, (_, index) => `bot${index}`);
  for (const name of [...bots, "Zoe"]) await accounts.create(name, "x");

  const dry = await users(folder, ["remove", "*", "--created-after", "2026-02-01", "--dry-run"]);
  assertMatch(dry, /^0 would remove bot0, made 2026-02-01T09:30:00Z\nwould remove bot1, /);
  assertMatch(dry, /Zoe, made 2026-02-01T09:30:00Z\n201 accounts, none of which was removed\n$/);
  const none = await users(folder, ["remove", "*", "--created-before", "2026-01-01"]);
  assertEquals(none, "4 chatserver: there is no such account\n");
  assertEquals(
    await users(folder, ["remove", "*", "--created-after", "yesterday"]),
    "2 chatserver: --created-after takes a time such as 2026-01-31 or 2026-01-31T09:30Z (UTC)\n",
  );
  assertMatch(
    await users(folder, ["remove", "b?t*", "--created-after", "2026-02-01"]),
    /^0 removed bot0\n[^]*removed bot99\n200 accounts\n$/,
  );
  assertEquals(await users(folder, ["list"]), "0 joe\nZoe\n");
});

Deno.test("chatserver users says what is wrong, and changes nothing", async () => {
  await using folder = await TempFolder.create();
  await users(folder, ["add", "joe"], "geheim\n");
  const wrong: [string[], string, RegExp][] = [
    [["add", "JOE"], "x\n", /^4 chatserver: there is an account JOE already\n$/],
    [["add", "a b"], "x\n", /^4 chatserver: a username has 1 to 32 letters/],
    [
      ["add", "--data", folder.path, "--", "-ann"],
      "x\n",
      /^4 chatserver: a username does not begin with "-"\n$/,
    ],
    [["add", "ann"], "\n", /^4 [^]*chatserver: a password can't be empty\n$/],
    [["add", "ann"], "", /^2 [^]*chatserver: the input ended before there was a password\n$/],
    [["passwd", "ann"], "x\n", /^4 chatserver: there is no account ann\n$/],
    [["role", "ann", "operator"], "", /^4 chatserver: there is no account ann\n$/],
    [["role", "joe", "admin"], "", /^2 chatserver: a role is one of: user, operator\n$/],
    [["role", "joe"], "", /^2 chatserver: the role is missing/],
    [["remove", "ann"], "", /^4 chatserver: there is no account ann\n$/],
    [["remove"], "", /^2 chatserver: the username is missing/],
    [
      ["rename", "joe"],
      "",
      /^2 chatserver: chatserver users takes one of add, list, passwd, remove, role/,
    ],
    [[], "", /^2 chatserver: chatserver users takes one of/],
  ];
  for (const [args, input, expected] of wrong) {
    assertMatch(await users(folder, args, input), expected, args.join(" "));
  }
  assertEquals(await users(folder, ["list"]), "0 joe\n");
});

Deno.test("chatserver users role makes an operator of an account, and of no other one of its name", async () => {
  await using folder = await TempFolder.create();
  await users(folder, ["add", "joe"], "geheim\n");
  const role =
    async () => [...(await Accounts.load(folder.path, { cost: { ln: 1, r: 8, p: 1 } })).operators];
  assertEquals(await role(), []);
  assertEquals(
    await users(folder, ["role", "JOE", "operator"]),
    "0 joe is an operator from now on\n",
  );
  assertEquals(await role(), ["joe"]);
  await users(folder, ["passwd", "joe"], "neu\n");
  assertEquals(await role(), ["joe"]);
  assertEquals(await users(folder, ["role", "joe", "user"]), "0 joe is a user from now on\n");
  assertEquals(await role(), []);
  await users(folder, ["role", "joe", "operator"]);
  await users(folder, ["remove", "joe"]);
  await users(folder, ["add", "joe"], "geheim\n");
  assertEquals(await role(), []);
});

Deno.test("a running server sees within three seconds what an operator did to the accounts", async () => {
  await using folder = await TempFolder.create();
  const { server, clientArgs } = await startServer(folder.path, "--closed");
  await using _server = server;
  const refused = await Program.run("client", clientArgs("joe"), { input: "geheim\n" });
  assertEquals([refused.code, refused.stdout, refused.stderr], [
    4,
    "",
    "chatclient: this server takes no new accounts\n",
  ]);
  await server.matchError(/login refused: this server takes no new accounts \(joe\), from/);

  for (const name of ["joe", "ann"]) await users(folder, ["add", name], "geheim\n");
  // The server looks each half second; a login that is too early would be refused as above.
  const join = async (name: string) => {
    for (;;) {
      const client = Program.start("client", clientArgs(name));
      await client.type("geheim\n");
      const greeted = await client.match(/EX - exit/).then(() => true, () => false);
      if (greeted) return client;
      await client[Symbol.asyncDispose]();
    }
  };
  await using joe = await join("joe");
  await using ann = await join("ann");
  await users(folder, ["passwd", "joe"], "neu\n");
  assertEquals(await joe.exitCode(), 4);
  assertMatch(joe.stderr, /chatclient: the account has a new password\n$/);
  await users(folder, ["remove", "ann"]);
  assertEquals(await ann.exitCode(), 4);
  assertMatch(ann.stderr, /chatclient: the account was removed\n$/);
  const again = await Program.run("client", clientArgs("joe"), { input: "neu\n" });
  assertEquals(again.code, 0);
});
