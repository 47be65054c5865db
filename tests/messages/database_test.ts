import { assert, assertEquals, assertRejects } from "@std/assert";
import type { DatabaseOptions } from "../../lib/messages/database.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { pub, TestStore } from "../helpers/test_store.ts";
import { TestDisk } from "../helpers/test_disk.ts";

/** What the system reads of a disk at a time, in bytes. */
const BLOCK = 4_096;
/** So many long messages fill the write-ahead log, so that it goes into the database file. */
const MUCH = 1_100;

function open(path: string, options: Partial<DatabaseOptions> = {}) {
  const events: string[] = [];
  const store = new TestStore(path, { log: (event) => events.push(event), ...options });
  const { clock, database, messages } = store;
  const say = async (...texts: string[]) => {
    const stored = store.append(...texts.map((text) => pub("joe", text)));
    clock.endTurn();
    await Promise.all(stored);
  };
  const sayMuch = () => say(...Array.from({ length: MUCH }, (_, i) => `${i} `.padEnd(16_000)));
  const said = () => messages.flow("ann", 0).items.map(({ message }) => message.text);
  return { clock, database, events, say, sayMuch, said };
}

const sizeOf = (path: string) => Deno.statSync(path).size;
const turn = () => new Promise((resolve) => setImmediate(resolve));

Deno.test("Database.scrub() does not take the only copy that is on the disk", async () => {
  await using folder = await TempFolder.create();
  const [disk, path] = [new TestDisk(), folder.file("messages.db")];
  disk.slow = false;
  const { clock, database, sayMuch } = open(path, disk);
  await sayMuch();
  // It is in the database file, and that is synced before the next commit.
  disk.slow = true;
  database.scrub();
  clock.endTurn();
  const sync = await disk.next();
  assert(sizeOf(`${path}-wal`) > 16_000_000);
  sync.resolve();
  await turn();
  assertEquals(sizeOf(`${path}-wal`), 0);
  database[Symbol.dispose]();
});

Deno.test("Database takes a fault after the commit for none of the disk, and stores the next change", () => {
  const { clock, database } = open(":memory:");
  const told: string[] = [];
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    told.push((event.error as Error).message);
  };
  const next = {
    run: () => false,
    committed: () => told.push("the next is stored"),
    failed: (error: Error) => told.push(error.message),
  };
  globalThis.addEventListener("error", onError);
  database.change({
    run: () => {
      database.change(next);
      return false;
    },
    committed: () => {
      throw new Error("a fault");
    },
    failed: (error) => told.push(error.message),
  });
  clock.endTurn();
  clock.endTurn();
  globalThis.removeEventListener("error", onError);
  assertEquals(told, ["a fault", "the next is stored"]);
});

Deno.test("Database has on the disk what it says, though a sync failed before and the next one did not", async () => {
  await using folder = await TempFolder.create();
  const path = folder.file("messages.db");
  const disk = new TestDisk();
  disk.slow = false;
  const { database, say } = open(path, disk);
  await say("one");
  disk.slow = true;
  const before = sizeOf(`${path}-wal`);
  const refused = assertRejects(() => say("refused"), ProtocolError);
  const sync = await disk.next();
  // What the system could not write it forgets, and does not try again.
  const lost = Deno.readFileSync(`${path}-wal`).slice(before - before % BLOCK);
  sync.reject(new Error("no disk"));
  await refused;
  disk.slow = false;
  await say("two");
  const crashed = folder.file("crashed.db");
  Deno.copyFileSync(path, crashed);
  Deno.writeFileSync(
    `${crashed}-wal`,
    withoutBlocks(Deno.readFileSync(`${path}-wal`), lost, before),
  );
  const after = open(crashed);
  assertEquals(after.said(), ["one", "two"]);
  for (const one of [database, after.database]) one[Symbol.dispose]();
});

/** A file of which the blocks are zeros that are as they were when they were lost. */
function withoutBlocks(file: Uint8Array, lost: Uint8Array, size: number): Uint8Array {
  const begin = size - size % BLOCK;
  for (let at = 0; at < lost.length; at += BLOCK) {
    const block = file.subarray(begin + at, begin + at + BLOCK);
    const same = block.every((byte, index) => byte === lost[at + index]);
    // Of the first block a part was on the disk before.
    if (same) block.fill(0, at === 0 ? size % BLOCK : 0);
  }
  return file;
}

Deno.test("Database stores nothing after its file could not be synced, and leaves all to the next start", async () => {
  await using folder = await TempFolder.create();
  const [disk, path] = [new TestDisk(), folder.file("messages.db")];
  disk.slow = false;
  const { clock, database, events, say, sayMuch } = open(path, disk);
  await sayMuch();
  disk.slow = true;
  const refused = assertRejects(() => say("one"), ProtocolError);
  (await disk.next()).reject(new Error("no disk"));
  await refused;
  // No sync could bring back what was lost.
  await assertRejects(() => say("two"), ProtocolError);
  database.scrub();
  clock.endTurn();
  await turn();
  assertEquals(events, [
    "messages can't be stored: no disk: stop the server and start it again",
    "deleted messages can still be read in the files: no disk: stop the server and start it again",
  ]);
  database[Symbol.dispose]();
  assert(sizeOf(`${path}-wal`) > 16_000_000);
});
