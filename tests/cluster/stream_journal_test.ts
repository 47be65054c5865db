import { NatsServer } from "../helpers/nats.ts";
import { testJournal } from "../journal/journal_suite.ts";
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
