// The installer for Windows, against a server for files on this machine; it needs the executables.
import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { archiveName, HOST } from "../../scripts/release/targets.ts";
import { filesBelow, Releases } from "../helpers/releases.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ARCHIVE = archiveName(HOST);

async function install(...args: readonly string[]): Promise<[code: number, printed: string]> {
  const script = `${root}scripts\\install.ps1`;
  const { code, stdout, stderr } = await new Deno.Command("powershell", {
    args: ["-NoProfile", "-ExecutionPolicy", "Bypass", "-File", script, ...args],
  }).output();
  return [code, [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("")];
}

Deno.test("install.ps1 installs what was compiled, and replaces it", async () => {
  await using home = await TempFolder.create();
  const archive = await Deno.readFile(`${root}dist/${ARCHIVE}`);
  const sums = await Deno.readFile(`${root}dist/SHA256SUMS`);
  await using releases = new Releases({
    "/latest/download/SHA256SUMS": () => sums,
    [`/latest/download/${ARCHIVE}`]: () => archive,
  });
  const args = ["-From", releases.url, "-Dir", home.file("my own programs")];
  for (const done of ["Installed", "Replaced"]) {
    const [code, printed] = await install(...args);
    assertEquals(code, 0, printed);
    assertMatch(printed, new RegExp(`${done} .*chatserver\\.exe: chatserver \\d`));
    assertMatch(printed, new RegExp(`${done} .*chatclient\\.exe: chatclient \\d`));
    assertEquals(filesBelow(home.path), [
      "my own programs/chatclient.exe",
      "my own programs/chatserver.exe",
    ]);
  }
});

Deno.test("install.ps1 refuses what is not what it should be, and leaves nothing", async () => {
  await using home = await TempFolder.create();
  const sums = await Deno.readFile(`${root}dist/SHA256SUMS`);
  await using releases = new Releases({
    "/latest/download/SHA256SUMS": () => sums,
    [`/latest/download/${ARCHIVE}`]: () => new TextEncoder().encode("half of it"),
  });
  const [code, printed] = await install("-From", releases.url, "-Dir", home.path);
  assertEquals(code, 1, printed);
  assertMatch(printed, /is not what it should be, so nothing was installed/);
  assertEquals(filesBelow(home.path), []);
});

Deno.test("install.ps1 says that it can't write its folder", async () => {
  await using home = await TempFolder.create();
  await Deno.writeTextFile(home.file("file"), "");
  const [code, printed] = await install("-From", "http://127.0.0.1:9", "-Dir", home.file("file"));
  assertEquals(code, 1, printed);
  assertMatch(printed, /file can't be written: -Dir names another folder/);
});
