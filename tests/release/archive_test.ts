// What is in an archive, by what its users open it with.
import { assertEquals, assertMatch } from "@std/assert";
import { unpackTar, unzipSync } from "../../scripts/release/packages.ts";
import { type Entry, sha256Sums, tarGz, zip } from "../../scripts/release/archive.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const entries: Entry[] = [
  { name: "chatserver", data: bytes("program"), executable: true },
  { name: "LICENSE", data: bytes("text"), executable: false },
];

Deno.test("tarGz() packs nobody's files, of one time, the programs executable", async () => {
  const packed = await tarGz("chat", entries);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const unpacked = await unpackTar(await new Response(stream).bytes());
  assertEquals(
    unpacked.map(({ header: { name, mode, uid, gid, mtime } }) => [name, mode, uid, gid, mtime]),
    [
      ["chat/chatserver", 0o755, 0, 0, new Date("2000-01-01T00:00:00Z")],
      ["chat/LICENSE", 0o644, 0, 0, new Date("2000-01-01T00:00:00Z")],
    ],
  );
  assertEquals(unpacked.map(({ data }) => data), entries.map(({ data }) => data));
  assertEquals(await tarGz("chat", entries), packed);
});

Deno.test("zip() packs the same", () => {
  const packed = zip("chat", entries);
  assertEquals(unzipSync(packed), {
    "chat/chatserver": entries[0]!.data,
    "chat/LICENSE": entries[1]!.data,
  });
  // The central directory has the modes, in the upper half of four bytes.
  const view = new DataView(packed.buffer);
  const modes = [...packed.keys()].filter((at) =>
    at + 4 <= packed.length && view.getUint32(at) === 0x504b_0102
  ).map((at) => view.getUint16(at + 40, true));
  assertEquals(modes, [0o100_755, 0o100_644]);
  assertEquals(zip("chat", entries), packed);
});

Deno.test("sha256Sums() gives what sha256sum prints", async () => {
  await using folder = await TempFolder.create();
  await Deno.writeTextFile(folder.file("b"), "abc");
  await Deno.writeTextFile(folder.file("a"), "");
  const lines = (await sha256Sums(folder.path, ["b", "a"])).split("\n");
  assertMatch(lines[0]!, /^e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 {2}a$/);
  assertMatch(lines[1]!, /^ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad {2}b$/);
});
