import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { formatPhc, hashPassword } from "../../lib/accounts/phc.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const cost = { ln: 1, r: 8, p: 1 };
const load = (folder: TempFolder, clock = new FakeClock()) =>
  Accounts.load(folder.path, { cost, clock });
const usernames = (accounts: Accounts) => accounts.all.map(({ username }) => username);

Deno.test("Accounts.create() makes the file, with a hash, for its owner's eyes only", async () => {
  await using folder = await TempFolder.create();
  const accounts = await load(folder);
  assertEquals(accounts.filed.unreadable, []);
  assert(await accounts.create("Joe", "geheim"));
  const path = folder.file("credentials.txt");
  assertMatch(
    await Deno.readTextFile(path),
    /^Joe:\$scrypt\$ln=1,r=8,p=1\$\S+ 2026-01-31T09:30:00Z\n$/,
  );
  if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);

  const again = await load(folder);
  assertEquals(again.find("jOE"), "Joe");
  assert(await again.verify("joe", "geheim"));
  assert(!await again.verify("joe", "Geheim"));
  assert(!await again.verify("jim", "geheim"));
});

Deno.test("Accounts.create() claims the name before the account is in the file", async () => {
  await using folder = await TempFolder.create();
  const accounts = await load(folder);
  const refused = await accounts.create("Joe", "a", { claim: () => Promise.resolve(false) });
  assertEquals([refused, accounts.find("joe"), accounts.identities.size], [false, undefined, 0]);
  assertEquals(await readOrEmpty(folder), "");
  const claim = async (identity: string) => {
    // Nobody is to believe that the account has gone.
    assertEquals(accounts.identities.get("joe"), identity);
    assertEquals([await readOrEmpty(folder), accounts.find("joe")], ["", undefined]);
    return true;
  };
  assert(await accounts.create("Joe", "a", { claim }));
  assertEquals(accounts.find("joe"), "Joe");
  // A name that is taken is not claimed.
  assert(!await accounts.create("JOE", "b", { claim: () => Promise.reject(new Error("claimed")) }));
});

function readOrEmpty(folder: TempFolder): Promise<string> {
  return Deno.readTextFile(folder.file("credentials.txt")).catch(() => "");
}

Deno.test("Accounts.create() lets only the first of two have a name", async () => {
  await using folder = await TempFolder.create();
  const accounts = await load(folder);
  const created = await Promise.all([accounts.create("joe", "a"), accounts.create("JOE", "b")]);
  assertEquals(created.toSorted(), [false, true]);
  const winner = created[0] ? "a" : "b";
  assert(await accounts.verify("joe", winner));
  assert(!await accounts.verify("joe", winner === "a" ? "b" : "a"));
  assertEquals((await Deno.readTextFile(folder.file("credentials.txt"))).split("\n").length, 2);
});

Deno.test("Accounts.verify() replaces a password in the file by a hash, and nothing else", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("credentials.txt");
  const before = new TextEncoder().encode("ann one\njoe,old\n\nbob:two\nJOE new\n???\n\xff\n");
  before[before.length - 3] = 0xff; // no UTF-8
  await Deno.writeFile(path, before);
  const accounts = await load(folder);
  assertEquals(accounts.filed.unreadable, [6, 7]);
  assert(!await accounts.verify("joe", "old"), "the last line for a name wins");
  assert(await accounts.verify("joe", "new"));

  const after = await Deno.readFile(path);
  const text = new TextDecoder().decode(after);
  assertMatch(text, /^ann one\nbob:two\n\?\?\?\n\ufffd.*\nJOE:\$scrypt\$\S+\n$/s);
  assert(after.includes(0xff), "a line that can't be read stays as it is");

  const again = await load(folder);
  assert(await again.verify("joe", "new"));
  assert(await again.verify("ann", "one"));
  assert(await again.verify("bob", "two"));
});

Deno.test("Accounts.verify() hashes two passwords at once without losing one", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("credentials.txt"), "ann one\nbob two");
  const accounts = await load(folder);
  assertEquals(
    await Promise.all([accounts.verify("ann", "one"), accounts.verify("bob", "two")]),
    [true, true],
  );
  const lines = (await Deno.readTextFile(folder.file("credentials.txt"))).trimEnd().split("\n");
  assertEquals(lines.map((line) => line.split(":$scrypt$")[0]).toSorted(), ["ann", "bob"]);
});

Deno.test("Accounts.create() begins a new line after a torn one", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("credentials.txt"), "ann one\njoe:$scr");
  const accounts = await load(folder);
  assertEquals(accounts.filed.unreadable, [2]);
  assert(await accounts.create("joe", "geheim"));
  const again = await load(folder);
  assertEquals(again.filed.unreadable, [2]);
  assert(await again.verify("joe", "geheim"));
});

Deno.test("Accounts.load() takes a file that begins with a byte order mark", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("credentials.txt"), "\ufeffann one\r\njoe two\r\n");
  const accounts = await load(folder);
  assertEquals(accounts.filed.unreadable, []);
  assert(await accounts.verify("ann", "one"));
  assert(await accounts.verify("joe", "two"));
});

Deno.test("Accounts.all says when they were made, also after another password", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("credentials.txt"), "old secret\n");
  const clock = new FakeClock();
  const accounts = await load(folder, clock);
  clock.advance(1_999);
  await accounts.create("joe", "x");
  const expected = [
    { username: "joe", created: new Date("2026-01-31T09:30:01Z") },
    { username: "old", created: undefined },
  ];
  assertEquals(accounts.all, expected);
  clock.advance(60_000);
  assert(await accounts.setPassword("joe", "y"));
  assert(await accounts.verify("old", "secret"));
  assertEquals((await load(folder)).all, expected);
});

Deno.test("Accounts.setPassword() from a password changes no other one, and no other account", async () => {
  await using folder = await TempFolder.create();
  const accounts = await load(folder);
  await accounts.create("joe", "one");
  const from = accounts.credential("joe");
  const wanted = ["two", "three"];
  const changed = await Promise.all(
    wanted.map((password) => accounts.setPassword("joe", password, { from })),
  );
  assertEquals(changed.filter((done) => done).length, 1);
  assert(await accounts.verify("joe", wanted[changed.indexOf(true)]!));

  // Whoever runs the server changes it in a process of its own, which is seen when the file is to be changed.
  const operator = await load(folder);
  const old = accounts.credential("joe");
  assert(await operator.setPassword("joe", "four"));
  assertEquals(await accounts.setPassword("joe", "five", { from: old }), false);
  assert(await accounts.verify("joe", "four"));

  const controller = new AbortController();
  const given = accounts.setPassword("joe", "six", { signal: controller.signal });
  controller.abort();
  await assertRejects(() => given, DOMException);
  assert(await accounts.verify("joe", "four"));

  // An account that is made anew under the name is another one.
  await operator.remove(["joe"]);
  await operator.create("joe", "new");
  assertEquals(await accounts.setPassword("joe", "seven"), false);
  assert(await accounts.verify("joe", "new"));
});

Deno.test("Accounts.setPassword() and remove() change the file, and nobody else's account", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("credentials.txt"), "ann one\nbob two\n???\nBOB three\n");
  const accounts = await load(folder);
  assert(await accounts.setPassword("bob", "four"));
  assert(!await accounts.setPassword("joe", "x"));
  assert(await accounts.verify("bob", "four"));
  assert(!await accounts.verify("bob", "three"));
  const again = await load(folder);
  assert(await again.verify("Bob", "four"));
  assert(await again.verify("ann", "one"));
  assertEquals(await again.remove(["ANN"]), 1);
  assertEquals(await again.remove(["ann"]), 0);
  assertEquals(usernames(await load(folder)), ["BOB"]);
  assertMatch(await Deno.readTextFile(folder.file("credentials.txt")), /^\?\?\?\nBOB:\S+\n$/);
});

Deno.test("Accounts.refresh() tells whose account somebody else has changed", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  const server = await load(folder, clock);
  for (const name of ["ann", "bob", "joe"]) await server.create(name, name);
  assertEquals(await server.refresh(), []);
  const operator = await load(folder);
  await operator.create("new", "x");
  await operator.setPassword("bob", "y");
  assertEquals(await server.refresh(), ["bob"]);
  await operator.remove(["joe"]);
  assertEquals(await server.refresh(), []);
  clock.advance(2_000);
  assertEquals(await server.refresh(), ["joe"]);
  assertEquals(usernames(server), ["ann", "bob", "new"]);
  assert(await server.verify("bob", "y"));
  assertEquals(await server.refresh(), []);
});

Deno.test("Accounts.create() sees an account that somebody else has just made", async () => {
  await using folder = await TempFolder.create();
  const [one, two] = [await load(folder), await load(folder)];
  const created = await Promise.all([one.create("joe", "a"), two.create("joe", "b")]);
  assertEquals(created.toSorted(), [false, true]);
  assert(await two.verify("joe", created[0] ? "a" : "b"));
});

Deno.test("Accounts.refresh() tells of a change that was seen while an account was made", async () => {
  await using folder = await TempFolder.create();
  const server = await load(folder);
  await server.create("joe", "x");
  await (await load(folder)).setPassword("joe", "y");
  await server.create("ann", "x");
  assertEquals(await server.refresh(), ["joe"]);
  assertEquals(await server.refresh(), []);
});

Deno.test("Accounts.refresh() throws out nobody while an editor rewrites the file", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  const server = await load(folder, clock);
  const names = Array.from({ length: 40 }, (_, index) => `user${index}`);
  for (const name of names) await server.create(name, name);
  const path = folder.file("credentials.txt");
  // Two lines for one name, as the older program leaves them; the first is not what counts.
  const content = `twin first\n${await Deno.readTextFile(path)}twin second`;
  await Deno.writeTextFile(path, content);
  assertEquals(await server.refresh(), []);

  let thrownOut = 0;
  const cuts = ["", content.slice(0, 1_000), content.slice(0, -12), content.slice(0, -1)];
  for (const half of cuts) {
    await Deno.writeTextFile(path, half);
    thrownOut += (await server.refresh()).length;
    clock.advance(1_999);
    thrownOut += (await server.refresh()).length;
    await Deno.writeTextFile(path, content);
    thrownOut += (await server.refresh()).length;
    assertEquals(server.count, 41);
  }
  await Deno.remove(path);
  thrownOut += (await server.refresh()).length;
  await Deno.writeTextFile(path, content);
  thrownOut += (await server.refresh()).length;
  console.log(`    ${thrownOut} thrown out in ${cuts.length + 1} rewritings of 41 accounts`);
  assertEquals(thrownOut, 0);
  assert(await server.verify("twin", "second"));

  await Deno.writeTextFile(path, "");
  assertEquals(await server.refresh(), []);
  clock.advance(2_000);
  assertEquals((await server.refresh()).length, 41, "what stays away is gone");
});

Deno.test("Accounts.create() adds to no file that is half written", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  const server = await load(folder, clock);
  await server.create("joe", "x");
  const path = folder.file("credentials.txt");
  const content = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, "");
  const created = server.create("ann", "x");
  let done = false;
  created.then(() => done = true);
  while (clock.timers === 0 && !done) await new Promise((resolve) => setImmediate(resolve));
  await Deno.writeTextFile(path, content);
  clock.advance(100);
  assert(await created);
  assertEquals(usernames(await load(folder)), ["ann", "joe"]);
});

Deno.test("Accounts.verify() is false where the account is another one when the hash is there", async () => {
  await using folder = await TempFolder.create();
  // One hash that takes its time keeps the others waiting, which are asked for before the change.
  const slow = formatPhc(await hashPassword("x", { ln: 14, r: 8, p: 8 }));
  await Deno.writeTextFile(folder.file("credentials.txt"), `old plain\nslow:${slow}\n`);
  const server = await Accounts.load(folder.path, { cost, hashesAtOnce: 1 });
  await server.create("joe", "x");
  const operator = await load(folder);
  const checking = ["slow x", "joe x", "old plain"].map((line) => {
    const [name, password] = line.split(" ");
    return server.verify(name!, password!);
  });
  await operator.setPassword("joe", "y");
  await operator.setPassword("old", "y");
  await server.refresh();
  assertEquals(await Promise.all(checking), [true, false, false]);
});

Deno.test("Accounts never seem to be gone while the file is read again", async () => {
  await using folder = await TempFolder.create();
  const server = await load(folder);
  await server.create("joe", "x");
  await (await load(folder)).create("ann", "x");
  let done = false;
  const refreshed = server.refresh().then(() => done = true);
  while (!done) {
    assertEquals([server.find("joe"), server.count > 0], ["joe", true]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await refreshed;
});

Deno.test("Accounts.load() makes an old file its owner's alone", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("credentials.txt");
  await Deno.writeTextFile(path, "joe secret\n", { mode: 0o644 });
  await load(folder);
  if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
});
