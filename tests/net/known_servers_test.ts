import { assertEquals, assertThrows } from "@std/assert";
import { ExitError } from "../../lib/exit.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import { defaultConfigFolder, KnownServers } from "../../lib/net/known_servers.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const server = { hostname: "Host.example", port: 1_300 };

/** Two certificates, of servers of their own. */
async function certificates(folder: TempFolder): Promise<[Uint8Array, Uint8Array]> {
  const folders = [folder.file("a"), folder.file("b")];
  for (const path of folders) await Deno.mkdir(path);
  const [a, b] = await Promise.all(folders.map((path) => loadIdentity(path)));
  return [a!.certificate, b!.certificate];
}

Deno.test("KnownServers.remember() keeps one certificate a server, the last", async () => {
  await using folder = await TempFolder.create();
  const [a, b] = await certificates(folder);
  const config = folder.file("deep/config");
  const servers = await KnownServers.load(config);
  assertEquals(servers.find(server), undefined);
  await servers.remember(server, a);
  await servers.remember({ ...server, port: 1_301 }, b);
  assertEquals(servers.find(server), a);

  const again = await KnownServers.load(config);
  assertEquals(again.find({ hostname: "HOST.EXAMPLE", port: 1_300 }), a);
  assertEquals(again.find({ ...server, port: 1_301 }), b);
  assertEquals(again.find({ ...server, port: 130 }), undefined);
  await again.remember(server, b);
  assertEquals((await KnownServers.load(config)).find(server), b);
});

Deno.test("KnownServers.remember() begins a new line after a torn one", async () => {
  await using folder = await TempFolder.create();
  const [a] = await certificates(folder);
  await Deno.writeTextFile(folder.file("known_servers"), "host.example:1300 AQ");
  const servers = await KnownServers.load(folder.path);
  await servers.remember(server, a);
  assertEquals((await KnownServers.load(folder.path)).find(server), a);
});

Deno.test("KnownServers.find() does not take a damaged line for no line", async () => {
  await using folder = await TempFolder.create();
  const [a] = await certificates(folder);
  const whole = a.toBase64();
  for (const damaged of ["", "!!!", "AAAA", whole.slice(0, -8)]) {
    await Deno.writeTextFile(folder.file("known_servers"), `host.example:1300 ${damaged}\n`);
    const servers = await KnownServers.load(folder.path);
    const error = assertThrows(() => servers.find(server), ExitError, "is damaged");
    assertEquals(error.exitCode, 5);
    await servers.remember(server, a);
    assertEquals(servers.find(server), a);
  }
});

Deno.test("defaultConfigFolder() is the platform's", () => {
  const env = (variables: Record<string, string>) => (name: string) => variables[name];
  const unix = (folder: string | undefined) => folder?.replaceAll("\\", "/");
  assertEquals(unix(defaultConfigFolder("linux", env({ HOME: "/h" }))), "/h/.config/chatclient");
  assertEquals(
    unix(defaultConfigFolder("linux", env({ HOME: "/h", XDG_CONFIG_HOME: "/x" }))),
    "/x/chatclient",
  );
  assertEquals(
    unix(defaultConfigFolder("darwin", env({ HOME: "/h" }))),
    "/h/Library/Application Support/chatclient",
  );
  assertEquals(unix(defaultConfigFolder("windows", env({ APPDATA: "/a" }))), "/a/chatclient");
  assertEquals(defaultConfigFolder("linux", env({})), undefined);
});
