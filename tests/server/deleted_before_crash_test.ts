// A text was deleted, and the server crashed before it had left the files.
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { RunningServer } from "../helpers/running_server.ts";

Deno.test("what was deleted right before a crash has left the files after the next start", async () => {
  await using server = await RunningServer.start();
  const joe = await server.join("joe");
  await joe.chat.publish("to be forgotten");
  const paths = ["messages.db", "messages.db-wal"].map((name) => server.folder.file(name));
  const left = () =>
    paths.map((path) => new TextDecoder("latin1").decode(Deno.readFileSync(path)))
      .join("").split("to be forgotten").length - 1;
  await server.restart(() => {
    const database = new DatabaseSync(paths[0]!);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON;
      UPDATE messages SET text = '', deleted_by = 'ann'`);
    const files = paths.map((path) => Deno.readFileSync(path));
    database.close();
    // As they were before they were closed.
    for (const [index, path] of paths.entries()) Deno.writeFileSync(path, files[index]!);
    assertEquals(left(), 1);
    return Promise.resolve();
  });
  await joe.back(1);
  await joe.chat.publish("later");
  assertEquals(left(), 0);
});
