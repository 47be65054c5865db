import { assertEquals } from "@std/assert";
import { defaultConfigFolder, KnownServers } from "../../lib/net/known_servers.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const server = { hostname: "Host.example", port: 1_300 };
const a = Uint8Array.of(1, 2, 3);
const b = Uint8Array.of(4, 5, 6);

Deno.test("KnownServers.remember() keeps one certificate a server, the last", async () => {
  await using folder = await TempFolder.create();
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
  await Deno.writeTextFile(folder.file("known_servers"), "host.example:1300 AQ");
  const servers = await KnownServers.load(folder.path);
  await servers.remember(server, a);
  assertEquals((await KnownServers.load(folder.path)).find(server), a);
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
