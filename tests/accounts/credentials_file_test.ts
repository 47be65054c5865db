import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { CredentialsFile } from "../../lib/accounts/credentials_file.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A file in a folder of its own, with a line that the program has written. */
async function makeFile() {
  const folder = await TempFolder.create();
  const file = new CredentialsFile(folder.file("credentials.txt"));
  await file.exclusively(() => file.append("ann"));
  const isOwn = () => file.exclusively(() => Promise.resolve(file.isOwn));
  return { file, isOwn, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

Deno.test("CredentialsFile knows what it has written itself, and how that left the file", async () => {
  await using made = await makeFile();
  const { file, isOwn } = made;
  assert(await isOwn());
  assertEquals(file.written, undefined);
  for (const write of [() => file.append("bob"), () => file.replace([bytes("cid")])]) {
    await file.exclusively(write);
    assertEquals(file.written, await file.state());
    assert(await isOwn());
  }
  await Deno.writeTextFile(file.path, "cid\ndan\n");
  assert(!await isOwn());
  // What is added to that does not make it all its own.
  await file.exclusively(() => file.append("eve"));
  assert(!await isOwn());
  await file.exclusively(() => Promise.resolve(file.vouch()));
  assert(await isOwn());
  await Deno.remove(file.path);
  assert(!await isOwn());
});

Deno.test("CredentialsFile does not take for its own what somebody else changes during a change", async () => {
  const meddling = [
    (path: string) => Deno.remove(path),
    (path: string) => Deno.writeTextFile(path, ""),
    (path: string) => Deno.writeTextFile(path, "somebody else's\n"),
  ];
  const writing = [
    (_file: CredentialsFile) => Promise.resolve(),
    (file: CredentialsFile) => file.append("bob"),
    (file: CredentialsFile) => file.replace([bytes("bob")]),
  ];
  for (const meddle of meddling) {
    for (const write of writing) {
      await using made = await makeFile();
      const { file, isOwn } = made;
      const before = await file.state();
      await file.exclusively(async () => {
        await meddle(file.path);
        await write(file);
      });
      // Whoever knows the file as it was before sees that it has to be read.
      assertEquals(file.written, undefined);
      assertNotEquals((await file.state()).stamp, before.stamp);
      assert(!await isOwn());
    }
  }
});

Deno.test("CredentialsFile is its own from the first line on, also in an empty file", async () => {
  for (const content of [undefined, ""]) {
    await using folder = await TempFolder.create();
    const file = new CredentialsFile(folder.file("credentials.txt"));
    if (content !== undefined) await file.exclusively(() => file.replace([]));
    await file.exclusively(() => file.append("ann"));
    assert(await file.exclusively(() => Promise.resolve(file.isOwn)));
  }
});
