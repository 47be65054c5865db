// The data folder, or a file in it, is deleted or replaced under a running server.
import { assertEquals } from "@std/assert";
import { RunningServer } from "../helpers/running_server.ts";

const MESSAGES = 20;

/** What happens to the folder. */
const CASES: Record<string, (folder: string, away: string) => Promise<unknown>> = {
  "data folder deleted": (folder) => Deno.remove(folder, { recursive: true }),
  "messages.db deleted": (folder) => Deno.remove(`${folder}/messages.db`),
  "messages.db-wal deleted": (folder) => Deno.remove(`${folder}/messages.db-wal`),
  "data folder replaced by a copy": async (folder, away) => {
    await Deno.rename(folder, away);
    await Deno.mkdir(folder);
    for (const { name } of Deno.readDirSync(away)) {
      await Deno.copyFile(`${away}/${name}`, `${folder}/${name}`);
    }
  },
};

for (const [what, happen] of Object.entries(CASES)) {
  Deno.test({
    name: `${what}: nothing is answered as stored, and the log says so once`,
    // An open file can't be deleted there.
    ignore: Deno.build.os === "windows",
    async fn() {
      await using server = await RunningServer.start();
      const joe = await server.join("joe");
      const ann = await server.join("ann");
      await joe.chat.publish("before");
      await ann.received(1);
      const folder = server.folder.path;
      await happen(folder, `${folder}-away`);
      const refusals: string[] = [];
      for (let i = 0; i < MESSAGES; i++) {
        await joe.chat.publish(`${i}`).catch(({ message }) => refusals.push(message));
      }
      await Deno.mkdir(folder, { recursive: true });
      await Deno.remove(`${folder}-away`, { recursive: true }).catch(() => {});
      assertEquals(refusals.length, MESSAGES);
      assertEquals(ann.messages.length, 1);
      const said = server.log.filter((event) => event.includes("was deleted or replaced"));
      assertEquals(said.length, 1);
      console.log(`    ${what}: ${MESSAGES - refusals.length} of ${MESSAGES} answered as stored`);
    },
  });
}

Deno.test({
  name: "a write-ahead log that was deleted costs nothing, where the server is stopped in order",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using server = await RunningServer.start();
    const joe = await server.join("joe");
    await joe.chat.publish("before");
    await server.restart();
    await joe.back(1);
    await joe.chat.publish("in the log that is deleted");
    await Deno.remove(server.folder.file("messages.db-wal"));
    await server.restart();
    await joe.back(2);
    const texts = (await joe.chat.history(10)).messages.map(({ text }) => text);
    assertEquals(texts, ["before", "in the log that is deleted"]);
  },
});

Deno.test({
  name: "a data folder that is away is noticed before anybody writes, and nobody is thrown out",
  ignore: Deno.build.os === "windows",
  async fn() {
    const noticed = Promise.withResolvers<void>();
    await using server = await RunningServer.start({}, {
      onEvent: (event) => event.includes("was deleted or replaced") && noticed.resolve(),
    });
    const joe = await server.join("joe");
    const { path } = server.folder;
    await Deno.rename(path, `${path}-away`);
    await Promise.race([noticed.promise, joe.chat.closed]);
    await Deno.rename(`${path}-away`, path);
    await joe.chat.publish("after");
    assertEquals(joe.notices, []);
    assertEquals(server.log.at(-1), "messages are stored again");
  },
});
