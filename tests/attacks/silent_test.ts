// Connections that do not finish the TLS handshake, at a server that may have few files open.
import { assert, assertEquals } from "@std/assert";
import { makeAccounts, Program } from "../helpers/programs.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { socketsAt, untilSockets } from "../helpers/sockets.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const linux = { ignore: Deno.build.os !== "linux" };

/** A server that may have so many files open, and closes what is silent for two seconds. */
async function serverWithFiles(folder: string, files: number) {
  const args = ["0", "--host", "127.0.0.1", "--data", folder, "--handshake-seconds", "2"];
  // Both limits: from source Deno itself raises the soft one.
  const launcher = ["sh", "-c", `ulimit -n ${files}; exec "$@"`, "sh"];
  const server = Program.start("server", args, { launcher });
  const [, port = ""] = await server.match(/on port (\d+)\nServer ready to receive connections\n/);
  return { server, port: Number(port) };
}

/** Every other one says the first bytes of a handshake, the others nothing. */
async function connectSilently(port: number, count: number): Promise<Disposable> {
  using conns = new DisposableStack();
  for (let index = 0; index < count; index++) {
    const conn = conns.use(await Deno.connect({ hostname: "127.0.0.1", port }));
    if (index % 2 === 0) await conn.write(Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1)).catch(() => {});
  }
  return conns.move();
}

Deno.test("attack: 3,000 silent connections from one address", linux, async () => {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe"]);
  const { server, port } = await serverWithFiles(folder.path, 1_024);
  await using _server = server;
  const [, most] = await server.matchError(/--max-pending-per-address (\d+): .*ulimit -n/);
  using _silent = await connectSilently(port, 3_000);
  await untilSockets(port, ({ open }) => open <= Number(most));
  const { open } = await socketsAt(port);
  // The attacker keeps its ends open; the server does not.
  const seconds = await untilSockets(port, ({ open }) => open === 0);
  using joe = await RawClient.open(port, folder.path);
  assertEquals((await joe.logIn("joe"))["type"], "welcome");
  console.log(
    `    ${open} of 3,000 stand, none after ${seconds.toFixed(1)} s, and a login goes on`,
  );
});

Deno.test(
  "attack: more silent control connections than the server may have files open for",
  linux,
  async () => {
    await using folder = await TempFolder.create();
    const { server } = await serverWithFiles(folder.path, 100);
    await using _server = server;
    using silent = new DisposableStack();
    for (let count = 0; count < 100; count++) {
      silent.use(await Deno.connect({ transport: "unix", path: folder.file("control.sock") }));
    }
    // It is answered as soon as the silent ones before it have had their time.
    const args = ["control", "sessions", "--data", folder.path];
    const { code, stdout, stderr } = await Program.run("server", args);
    assertEquals([code, stdout, stderr], [0, "nobody is here\n", ""]);
  },
);

Deno.test("attack: more users than the server may have files open for", linux, async () => {
  await using folder = await TempFolder.create();
  const names = Array.from({ length: 100 }, (_, index) => `user${index}`);
  await makeAccounts(folder.path, names);
  const { server, port } = await serverWithFiles(folder.path, 100);
  await using _server = server;
  using stack = new DisposableStack();
  const users: RawClient[] = [];
  const logIn = async (name: string) => {
    const client = stack.use(await RawClient.open(port, folder.path));
    await client.logIn(name);
    users.push(client);
  };
  for (const name of names) await logIn(name).catch(() => {});
  const cameIn = users.length;
  assert(cameIn > 5 && cameIn < names.length, `${cameIn} came in`);
  const line = /connection refused: this process may have no more files open/g;
  assertEquals(server.stderr.match(line)?.length, 1);
  const { open } = await socketsAt(port);
  for (const user of users.slice(0, 5)) user[Symbol.dispose]();
  await untilSockets(port, (sockets) => sockets.open <= open - 5);
  // It listens again after a moment.
  const came = () => logIn("user0").then(() => true, () => false);
  while (!await came());
  console.log(`    ${cameIn} of 100 users came in, one more when there was room`);
});
