// What a server does on a disk that is full, read-only or damaged. Needs root, for disks of its own.
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  makeAccounts,
  Program,
  shownMessages,
  startServer,
  startServerAt,
} from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stderr: "piped" }).output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr)}`);
}

/** A disk of a test's own, mounted on a folder. */
class SmallDisk implements AsyncDisposable {
  readonly #folder: TempFolder;

  private constructor(folder: TempFolder) {
    this.#folder = folder;
  }

  static async mount(megabytes: number): Promise<SmallDisk> {
    const folder = await TempFolder.create();
    await run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=700`, "tmpfs", folder.path);
    return new SmallDisk(folder);
  }

  get path(): string {
    return this.#folder.path;
  }

  /** Takes all that is free. @returns what gives it back */
  fill(): () => void {
    const path = this.#folder.file("filler");
    using file = Deno.openSync(path, { create: true, write: true });
    try {
      for (;;) file.writeSync(new Uint8Array(1_024));
    } catch {
      // Full.
    }
    return () => Deno.removeSync(path);
  }

  async makeReadOnly(): Promise<void> {
    await run("mount", "-o", "remount,ro", this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", this.path);
    await this.#folder[Symbol.asyncDispose]();
  }
}

const PAGE_BYTES = 4_096;

/** The numbers of the pages in a write-ahead log (SQLite's file format, section 4.1). */
function pagesOf(log: Uint8Array): Set<number> {
  const view = new DataView(log.buffer);
  const pages = new Set<number>();
  for (let frame = 32; frame < log.length; frame += 24 + PAGE_BYTES) {
    pages.add(view.getUint32(frame));
  }
  return pages;
}

async function join(args: readonly string[]): Promise<Program> {
  const client = Program.start("client", args);
  await client.type("geheim\n");
  await client.match(/Please enter a command:/);
  return client;
}

Deno.test("on a full disk nothing is confirmed that is not stored, and the chat goes on after it", async () => {
  await using disk = await SmallDisk.mount(4);
  await makeAccounts(disk.path, ["ann", "joe", "bob"]);
  // To the end of its last block, so that another account needs one more.
  const accounts = await Deno.readTextFile(`${disk.path}/credentials.txt`);
  await Deno.writeTextFile(`${disk.path}/credentials.txt`, accounts.padEnd(4_096, "\n"));
  const { server, port, clientArgs } = await startServer(disk.path);
  await using _server = server;
  await using ann = await join(clientArgs("ann"));
  await using joe = await join(clientArgs("joe"));
  const giveBack = disk.fill();
  const refusal = "The server can't store the message, so it was not sent.\n";
  let tries = 0;
  while (!joe.stderr.includes(refusal)) {
    await joe.type(`PM ${tries++} ${"x".repeat(10_000)}\n`);
    await joe.count("Please enter a command:", tries + 1);
    assert(tries < 100, "the disk is never full");
  }
  await server.matchError(/messages can't be stored: the disk is full\n/);

  // Nobody is thrown out, and who has an account gets in.
  await using bob = await join(clientArgs("bob"));
  const eve = await Program.run("client", clientArgs("eve"), { input: "geheim\n" });
  assertEquals(eve.code, 4);
  assertMatch(eve.stderr, /^chatclient: the server can't store the account\n$/);

  giveBack();
  await joe.type("PM after\n");
  await joe.count("Please enter a command:", tries + 2);
  for (const client of [ann, bob]) await client.match(/From: joe\n\n {2}after\n/);
  await server.matchError(/messages are stored again\n/);
  const confirmed = joe.stdout.split("Message sent\n").length - 1;
  assertEquals(shownMessages(ann.stdout).length, confirmed);
  assertEquals(shownMessages(bob.stdout), ["Public joe after"]);

  // Who logged in while nothing could be stored can't come back, but is here until then.
  await bob.type("EX\n");
  assertEquals(await bob.exitCode(), 0);
  server.kill("SIGKILL");
  await server.exitCode();
  await using again = (await startServerAt(port, disk.path)).server;
  await ann.matchError(/Connected again/);
  await ann.type("HI 100\n");
  await ann.count("*** Message ***", confirmed);
  // One of the commands of joe has failed.
  for (const [client, code] of [[ann, 0], [joe, 4]] as const) {
    await client.type("EX\n");
    assertEquals(await client.exitCode(), code, client.stderr);
  }
  assertEquals(ann.stdout.split("*** Message ***").length - 1, confirmed);
  again.kill("SIGTERM");
  assertEquals(await again.exitCode(), 0);
  console.log(
    `    ${tries} messages on a full disk: ${confirmed - 1} confirmed, all of them there`,
  );
});

Deno.test("a server that was killed on a full disk says so, and starts when less is on it", async () => {
  await using disk = await SmallDisk.mount(4);
  await makeAccounts(disk.path, ["joe"]);
  const { server, port, clientArgs } = await startServer(disk.path);
  await using joe = await join(clientArgs("joe"));
  for (let i = 1; i <= 10; i++) {
    await joe.type(`PM ${i} ${"x".repeat(10_000)}\n`);
    await joe.count("Message sent\n", i);
  }
  const giveBack = disk.fill();
  server.kill("SIGKILL");
  await server.exitCode();
  const refused = await Program.run("server", ["0", "--data", disk.path]);
  assertEquals(refused.code, 4);
  assertMatch(
    refused.stderr,
    /^chatserver: the disk is full: ".*messages\.db" can't be used .*\n$/,
  );

  giveBack();
  await using again = (await startServerAt(port, disk.path)).server;
  await again.matchError(/joe came back/);
  await joe.type("HI 100\n");
  await joe.count("*** Message ***", 10);
  console.log("    killed on a full disk: refused in a line; then 10 of 10 messages are there");
});

Deno.test("a first start on a full disk is refused in a line", async () => {
  await using disk = await SmallDisk.mount(1);
  // As much as the database needs to begin with, and nothing for the identity.
  for (const free of [0, 16_384, 65_536]) {
    const path = `${disk.path}/${free}`;
    await Deno.mkdir(path, { mode: 0o700 });
    await Deno.writeFile(`${disk.path}/free`, new Uint8Array(free));
    const giveBack = disk.fill();
    await Deno.remove(`${disk.path}/free`);
    const refused = await Program.run("server", ["0", "--data", path]);
    assertEquals(refused.code, 4, refused.stderr);
    assertMatch(refused.stderr, /^chatserver: .*(disk is full|No space left).*\n$/);
    giveBack();
  }
});

Deno.test("a read-only data folder is refused in a line, exit code 4", async () => {
  await using disk = await SmallDisk.mount(1);
  await disk.makeReadOnly();
  const refused = await Program.run("server", ["0", "--data", disk.path]);
  assertEquals([refused.code, refused.stdout.includes("ready")], [4, false]);
  assertMatch(refused.stderr, /^chatserver: the data folder ".*" can't be written: .*\n$/);
});

Deno.test("a damaged page at the end shows at the start after a crash, and the file stays as it is", async () => {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe"]);
  const first = await startServer(folder.path);
  await using joe = await join(first.clientArgs("joe"));
  for (let i = 1; i <= 50; i++) {
    await joe.type(`PM ${i} ${"x".repeat(1_000)}\n`);
    await joe.count("Message sent\n", i);
  }
  first.server.kill("SIGTERM");
  assertEquals(await first.server.exitCode(), 0);
  const second = await startServerAt(first.port, folder.path);
  await joe.matchError(/Connected again/);
  await joe.type("PM last\n");
  await joe.count("Message sent\n", 51);
  second.server.kill("SIGKILL");
  await second.server.exitCode();

  const path = folder.file("messages.db");
  const content = await Deno.readFile(path);
  // Of a page that the write-ahead log has anew nobody needs the old one.
  const rewritten = pagesOf(await Deno.readFile(`${path}-wal`));
  let page = content.length / PAGE_BYTES;
  while (rewritten.has(page)) page--;
  const damaged = content.slice().fill(0xaa, (page - 1) * PAGE_BYTES, page * PAGE_BYTES);
  await Deno.writeFile(path, damaged);
  const refused = await Program.run("server", ["0", "--data", folder.path]);
  const after = await Deno.readFile(path);
  assertEquals(refused.code, 4);
  assertMatch(
    refused.stderr,
    /^chatserver: ".*messages\.db" is damaged: put a backup in its place.*\n$/,
  );
  assert(damaged.every((byte, at) => byte === after[at]), "the file was changed");

  // The whole file with what was written beside it: nothing is lost.
  await Deno.writeFile(path, content);
  await using third = (await startServerAt(first.port, folder.path)).server;
  await third.matchError(/joe came back/);
  await joe.type("HI 100\n");
  await joe.count("*** Message ***", 51);
});
