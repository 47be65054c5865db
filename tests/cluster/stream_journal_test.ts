import { assertEquals } from "@std/assert";
import { systemClock } from "../../lib/clock.ts";
import { ClusterStream } from "../../lib/cluster/stream.ts";
import { NatsServer } from "../helpers/nats.ts";
import { testJournal } from "../journal/journal_suite.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { openStream } from "./open_stream.ts";

/** One NATS server for each folder, for as long as that is opened again. */
const servers = new Map<string, NatsServer>();

async function serverOf(folder: string): Promise<NatsServer> {
  const server = servers.get(folder) ?? await NatsServer.start();
  servers.set(folder, server);
  return server;
}

Deno.test.afterAll(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]();
});

testJournal({
  name: "StreamJournal",
  async open({ folder: { path }, sync }) {
    const { address } = await serverOf(path);
    return await openStream(path, { servers: [address], ...sync && { sync } });
  },
});

Deno.test("StreamJournal reads on with the same consumer when the time for a request is over", async () => {
  await using nats = await NatsServer.start();
  await using folder = await TempFolder.create();
  await using opened = await openStream(folder.path, { servers: [nats.address] });
  await using stream = await ClusterStream.open({ clock: systemClock, servers: [nats.address] });
  const end = performance.now() + 11_000;
  for (let login = 1; performance.now() < end; login++) {
    await opened.journal.append({ type: "login-ended", login });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { state } = await stream.manager.streams.info(stream.name);
  assertEquals(state.consumer_count, 1);
});
