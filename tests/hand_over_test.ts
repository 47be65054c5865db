// A server that stops sends its clients to another one. The two have the same state: the second one is started with the
// first one's data folder, and with an identity of its own.
import { assertEquals } from "@std/assert";
import { ChatClient } from "../lib/client/client.ts";
import { Servers } from "../lib/client/servers.ts";
import { systemClock } from "../lib/clock.ts";
import { encodeCertificate } from "../lib/net/certificate.ts";
import { loadIdentity } from "../lib/net/identity.ts";
import { KnownServers } from "../lib/net/known_servers.ts";
import { ChatServer } from "../lib/server/server.ts";
import { FakeOthers } from "./helpers/fake_others.ts";
import { openUdp } from "./helpers/running_server.ts";
import { TempFolder } from "./helpers/temp_folder.ts";

const MESSAGES = 600;

function startServer(folder: string, port: number, others: FakeOthers): Promise<ChatServer> {
  return ChatServer.start({
    port,
    hostname: "127.0.0.1",
    folder,
    plain: false,
    limits: { commandBurst: 100_000 },
    cost: { ln: 1, r: 8, p: 1 },
    clock: systemClock,
    log: () => {},
    others,
  });
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A client that knows the first server alone. */
async function join(port: number, username: string, config: string) {
  const [shown, said, notices] = [[] as string[], [] as string[], [] as string[]];
  const come = { all: Promise.withResolvers<void>() };
  const say = (line: string) => void said.push(line);
  const knownServers = await KnownServers.load(config);
  const trust = { knownServers, say, now: Date.now };
  const client = await ChatClient.open({
    clock: systemClock,
    random: () => 0,
    servers: new Servers([{ hostname: "127.0.0.1", port }], { trust, clock: systemClock }),
    openSocket: openUdp,
    onMessage: ({ text }) => {
      if (shown.push(text) === MESSAGES) come.all.resolve();
    },
    onLost: ({ message }) => notices.push(message),
    onBack: ({ server }) => notices.push(`at ${server?.port}`),
  });
  await client.identify(username);
  await client.register(username);
  return { client, shown, said, notices, come };
}

for (const signal of ["SIGTERM", "SIGINT"]) {
  Deno.test(`a server of several that stops by ${signal} hands its clients over: every message comes once, in order, and nobody is alarmed`, () =>
    handOver({ final: signal === "SIGINT" }));
}

async function handOver(how: { final: boolean }): Promise<void> {
  await using folder = await TempFolder.create();
  const [first, second] = [folder.file("first"), folder.file("second")];
  await Deno.mkdir(second);
  const { certificate } = await loadIdentity(second);
  const port = freePort();
  const others = new FakeOthers();
  const named = { address: "127.0.0.1", port, certificate: encodeCertificate(certificate) };
  others.servers = [named];
  const server = await startServer(first, 0, others);
  assertEquals([others.announced?.address, others.announced?.port], ["127.0.0.1", server.port]);

  const joe = await join(server.port, "joe", folder.file("joe"));
  const ann = await join(server.port, "ann", folder.file("ann"));
  const sent: Promise<number>[] = [];
  let stopped: Promise<void> | undefined;
  for (let number = 0; number < MESSAGES; number++) {
    sent.push(ann.client.publish(`${number}`));
    // In the middle of it all, the server goes; what is on its way must go on elsewhere.
    if (number === MESSAGES / 2) stopped = server.close(how);
    if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  await stopped;
  assertEquals(others.announced, undefined);
  await Deno.copyFile(`${second}/identity.pem`, `${first}/identity.pem`);
  const next = await startServer(first, port, new FakeOthers());
  const ids = await Promise.all(sent);
  await joe.come.all.promise;

  assertEquals(joe.shown, Array.from({ length: MESSAGES }, (_, number) => `${number}`));
  assertEquals(new Set(ids).size, MESSAGES);
  for (const { notices, said } of [joe, ann]) {
    assertEquals(notices.at(-1), `at ${port}`);
    // The first contact with the first server.
    assertEquals(said.length, 1);
  }
  await next.close({ final: true });
  await Promise.all([joe.client.closed, ann.client.closed]);
}
