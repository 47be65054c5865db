import { assertEquals, assertMatch } from "@std/assert";
import { protectFolder } from "../../lib/server/folder_modes.ts";
import { RunningServer } from "../helpers/running_server.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const ignore = Deno.build.os === "windows";
const OWN = ["credentials.txt", "identity.pem", "messages.db", "messages.db-wal"];

/** A folder that is open to everybody, with open files in it. */
async function open(mode: number, names: readonly string[]): Promise<TempFolder> {
  const folder = await TempFolder.create();
  for (const name of names) {
    await Deno.writeTextFile(folder.file(name), "");
    await Deno.chmod(folder.file(name), 0o666);
  }
  await Deno.chmod(folder.path, mode);
  return folder;
}

function modeOf(path: string): string {
  return (Deno.statSync(path).mode! & 0o7777).toString(8);
}

Deno.test({
  name:
    "protectFolder() makes a data folder and all in it their owner's alone, and says what it did",
  ignore,
  async fn() {
    await using folder = await open(0o777, OWN);
    const lines = await protectFolder(folder.path);
    assertEquals(lines.length, 1 + OWN.length);
    assertMatch(lines[0]!, /^".*" was open to others \(mode 777\): now it is for its owner only$/);
    assertEquals([folder.path, ...OWN.map((name) => folder.file(name))].map(modeOf), [
      "700",
      ...OWN.map(() => "600"),
    ]);
    assertEquals(await protectFolder(folder.path), []);
  },
});

Deno.test({
  name: "protectFolder() leaves a folder as it is that is not the server's alone",
  ignore,
  async fn() {
    await using shared = await open(0o775, ["messages.db", "somebody's"]);
    const lines = await protectFolder(shared.path);
    assertEquals(lines.length, 2);
    assertMatch(lines[0]!, /\(mode 775\), who can replace the server's files in it: give it/);
    assertEquals(["", "messages.db", "somebody's"].map((name) => modeOf(shared.file(name))), [
      "775",
      "600",
      "666",
    ]);
    // Others see the names of files, and nothing else.
    await using readable = await open(0o755, ["somebody's"]);
    assertEquals([await protectFolder(readable.path), modeOf(readable.path)], [[], "755"]);
    await using temporary = await open(0o1777, []);
    assertEquals((await protectFolder(temporary.path)).length, 1);
    assertEquals(modeOf(temporary.path), "1777");
  },
});

Deno.test({
  name: "a server tightens its data folder before it reads anything in it",
  ignore,
  async fn() {
    await using server = await RunningServer.start({}, { plain: false });
    const { path } = server.folder;
    await server.restart(async () => {
      for (const { name } of Deno.readDirSync(path)) {
        await Deno.chmod(server.folder.file(name), 0o644);
      }
      await Deno.chmod(path, 0o777);
    });
    const modes = [...Deno.readDirSync(path)].map(({ name }) => modeOf(server.folder.file(name)));
    assertEquals([modeOf(path), ...new Set(modes)], ["700", "600"]);
    assertEquals(server.log.filter((event) => event.includes("open to others")).length > 1, true);
    console.log(
      `    ${modes.length} of ${modes.length} files and the folder: for their owner only`,
    );
  },
});
