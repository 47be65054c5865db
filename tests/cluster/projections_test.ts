import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import {
  connect,
  headers,
  jetstream,
  jetstreamManager,
  type NatsConnection,
} from "../../lib/cluster/nats.ts";
import { formatTurn, TURN } from "../../lib/cluster/turns.ts";
import { ExitError } from "../../lib/exit.ts";
import { LocalJournal } from "../../lib/journal/local_journal.ts";
import type { Journal } from "../../lib/journal/journal.ts";
import { Projection } from "../../lib/journal/projection.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { systemClock } from "../../lib/clock.ts";
import { Database } from "../../lib/messages/database.ts";
import { makeCredentials } from "../../scripts/cluster/credentials.ts";
import { NatsServer } from "../helpers/nats.ts";
import { Program, startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { openStream } from "./open_stream.ts";
import { contentOf } from "./tables.ts";

function say(journal: Journal, text: string): Promise<number> {
  return journal.append({
    ...{ type: "message", from: "joe", to: undefined, sent: 1, text },
    origin: undefined,
  });
}

/** Opens a journal, and closes it when it has everything. */
async function catchUp(folder: TempFolder, address: string): Promise<void> {
  await using _journal = await openStream(folder.path, { servers: [address] });
}

/** Publishes once more what was said first, as another server would. */
async function publishAs(
  connection: NatsConnection,
  turn: { number: number; after: number; counted: number },
): Promise<void> {
  const { streams } = await jetstreamManager(connection);
  const { subject, data } = (await streams.getMessage("chat", { seq: 1 }))!;
  const head = headers();
  head.set(TURN, formatTurn({ publisher: "another", attempt: 0, ...turn }));
  await jetstream(connection).publish(subject, data, { headers: head });
}

Deno.test("a server that is killed again and again has what it would have had without", async () => {
  await using nats = await NatsServer.start();
  await using killed = await TempFolder.create();
  const answered: string[] = [];
  for (let round = 0; round < 6; round++) {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--allow-all", "tests/cluster/append_until_killed.ts"],
        ...[killed.path, nats.address, `${round}`],
      ],
      stdout: "piped",
    }).spawn();
    let output = "";
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (output.split("\n").length > 100 + 70 * round) break;
    }
    process.kill("SIGKILL");
    assertEquals((await process.status).signal, "SIGKILL");
    // The last line may be torn.
    answered.push(...output.split("\n").slice(0, -1));
  }
  await catchUp(killed, nats.address);
  await using anew = await TempFolder.create();
  await catchUp(anew, nats.address);

  const content = contentOf(killed);
  assertEquals(content, contentOf(anew));
  const stored = (content["messages"] as { id: number; text: string }[])
    .map(({ id, text }) => `${id} ${text}`);
  assertEquals(new Set(stored).size, stored.length);
  assertEquals(answered.filter((line) => !stored.includes(line)), []);
  console.log(`    6 kills: ${answered.length} messages answered, ${stored.length} stored, 0 lost`);
});

Deno.test("a projection that was deleted is made again from the stream", async () => {
  await using nats = await NatsServer.start();
  await using first = await TempFolder.create();
  await using second = await TempFolder.create();
  await using other = await openStream(second.path, { servers: [nats.address] });
  {
    await using opened = await openStream(first.path, { servers: [nats.address] });
    const { journal } = opened;
    await journal.append({ type: "account-made", account: "ann", identity: "1", since: 0 });
    for (let i = 0; i < 10; i++) await Promise.all([say(journal, `${i}`), say(other.journal, "x")]);
  }
  for (const name of ["messages.db", "messages.db-wal", "messages.db-shm"]) {
    await Deno.remove(first.file(name)).catch(() => {});
  }
  await catchUp(first, nats.address);
  await other[Symbol.asyncDispose]();
  const content = contentOf(first);
  assertEquals(content, contentOf(second));
  assertEquals([content["messages"]!.length, content["accounts"]!.length], [20, 1]);
});

Deno.test("a projection takes no events of another stream, nor of a single server", async () => {
  await using nats = await NatsServer.start();
  await using another = await NatsServer.start();
  await using folder = await TempFolder.create();
  await using own = await TempFolder.create();
  {
    await using opened = await openStream(folder.path, { servers: [nats.address] });
    await say(opened.journal, "one");
    using database = new Database(own.file("messages.db"), { clock: systemClock });
    await say(new LocalJournal(database, new Projection(database)), "one");
  }
  const before = contentOf(folder);
  const open = (folder: TempFolder) => openStream(folder.path, { servers: [another.address] });
  await assertRejects(() => open(folder), ExitError, "belongs to the cluster whose stream is");
  await assertRejects(() => open(own), ExitError, "this data folder is a single server's");
  {
    using database = new Database(folder.file("messages.db"), { clock: systemClock });
    assertThrows(() => new Projection(database), ExitError, "belongs to the cluster");
  }
  assertEquals(contentOf(folder), before);
});

Deno.test("StreamJournal refuses a NATS, or a stream, that it can't use, and says why", async () => {
  await using folder = await TempFolder.create();
  const refused = async (nats: NatsServer, what: string) => {
    const servers = [nats.address];
    const error = await assertRejects(() => openStream(folder.path, { servers }), ExitError, what);
    assertEquals(error.exitCode, 4);
  };
  {
    await using nats = await NatsServer.start({ jetStream: false });
    await refused(nats, "has no JetStream: start it with -js");
  }
  {
    const config = "authorization { user: chat, password: secret }";
    await using nats = await NatsServer.start({ config });
    // Some of these are reset by NATS in the middle of being closed.
    for (let i = 0; i < 20; i++) {
      await refused(nats, "refuses the credentials (--cluster-credentials)");
    }
  }
  const gone = await NatsServer.start();
  await gone[Symbol.asyncDispose]();
  await refused(gone, "can't be reached");

  await using nats = await NatsServer.start();
  {
    await using connection = await connect({ servers: nats.address });
    const { streams } = await jetstreamManager(connection);
    await streams.add({ name: "chat", subjects: ["orders.>"] });
    await refused(nats, "has a stream chat that is no chat's");
    const description = "chatserver journal, format 9, 1234";
    await streams.update("chat", { description });
    await refused(nats, "of another version of chatserver (format 9, this one reads 2)");
  }
});

Deno.test("an event that the stream has lost is not waited for, and its place is not taken by another", async () => {
  await using nats = await NatsServer.start();
  await using folder = await TempFolder.create();
  await using connection = await connect({ servers: nats.address });
  const { streams } = await jetstreamManager(connection);
  const description = "chatserver journal, format 2, with-a-gap";
  await streams.add({ name: "chat", subjects: ["chat.>"], description });
  const log: string[] = [];
  await using busy = await TempFolder.create();
  {
    await using opened = await openStream(busy.path, { servers: [nats.address] });
    for (let i = 1; i <= 5; i++) await say(opened.journal, `${i}`);
  }
  await streams.deleteMessage("chat", 3);
  await using opened = await openStream(folder.path, {
    servers: [nats.address],
    log: (event) => log.push(event),
  });
  assertEquals(await say(opened.journal, "6"), 6);
  // Those that follow it count, at this server as at those who had it.
  const stored = opened.recorder.entries.filter(({ number, outcome }) => outcome === number);
  assertEquals(stored.map(({ number }) => number), [1, 2, 4, 5, 6]);
  assertEquals(log, ["NATS gave event 4 before 3: reading again"]);
});

Deno.test("a server to which NATS gave other events than to the others ends, and has theirs after the next start", async () => {
  await using nats = await NatsServer.start();
  await using right = await TempFolder.create();
  await using wrong = await TempFolder.create();
  await using opened = await openStream(right.path, { servers: [nats.address] });
  for (let i = 1; i <= 5; i++) await say(opened.journal, `${i}`);
  await catchUp(wrong, nats.address);
  {
    // As if a copy of the stream had had something else in the place of the last one.
    using database = new DatabaseSync(wrong.file("messages.db"));
    database.exec("UPDATE messages SET text = 'x' WHERE id = 5; UPDATE publishers SET last = 4");
  }
  const problem = Promise.withResolvers<string>();
  const options = { servers: [nats.address], onFailed: problem.resolve };
  {
    await using misled = await openStream(wrong.path, options);
    await say(opened.journal, "6");
    const why = "event 6 follows one that NATS has not given";
    assertEquals(await problem.promise, `${why}: started again, this server makes its tables anew`);
    await assertRejects(() => say(misled.journal, "7"), ProtocolError, "it has stopped");
  }
  await catchUp(wrong, nats.address);
  await opened[Symbol.asyncDispose]();
  const content = contentOf(wrong);
  assertEquals(content, contentOf(right));
  assertEquals(content["messages"]!.map(({ text }) => text), ["1", "2", "3", "4", "5", "6"]);
});

Deno.test("a server that was itself given what the stream has not keeps none of the others from starting", async () => {
  await using nats = await NatsServer.start();
  await using folder = await TempFolder.create();
  await using connection = await connect({ servers: nats.address });
  const problem = Promise.withResolvers<string>();
  const options = { servers: [nats.address], onFailed: problem.resolve };
  {
    await using opened = await openStream(folder.path, options);
    await say(opened.journal, "1");
    // Its publisher has counted one of its own that the stream has not.
    await publishAs(connection, { number: 2, after: 1, counted: 1 });
    const why = "event 2 follows one that NATS has not given";
    assertEquals(await problem.promise, `${why}: started again, this server makes its tables anew`);
  }
  await using opened = await openStream(folder.path, options);
  await publishAs(connection, { number: 3, after: 2, counted: 2 });
  assertEquals(await say(opened.journal, "4"), 4);
  const stored = opened.recorder.entries.filter(({ number, outcome }) => outcome === number);
  assertEquals(stored.map(({ number }) => number), [1, 2, 3, 4]);
});

Deno.test("a server that can't read an event sends its clients away and ends, and does not start again", async () => {
  await using nats = await NatsServer.start();
  await using folder = await TempFolder.create();
  const flags = ["--plain", "--hidden", "--cluster", nats.address];
  const { server } = await startServer(folder.path, ...flags);
  await using connection = await connect({ servers: nats.address });
  const client = (await jetstreamManager(connection)).jetstream();
  await client.publish("chat.message", JSON.stringify({ type: "of tomorrow" }));
  assertEquals(await server.exitCode(), 4);
  const problem =
    /event \d+ of the cluster can't be read: it is of no type that this version knows/;
  assertMatch(server.stderr, problem);
  const args = ["0", "--host", "127.0.0.1", "--data", folder.path, ...flags];
  const again = await Program.run("server", args);
  assertEquals(again.code, 4);
  assertMatch(again.stderr, problem);
});

Deno.test("a journal whose stream was made anew while it was open takes nothing of it", async () => {
  await using nats = await NatsServer.start();
  await using folder = await TempFolder.create();
  const problem = Promise.withResolvers<string>();
  const options = { servers: [nats.address], onFailed: problem.resolve };
  await using opened = await openStream(folder.path, options);
  await say(opened.journal, "before");
  await using connection = await connect({ servers: nats.address });
  await (await jetstreamManager(connection)).streams.delete("chat");
  await using other = await TempFolder.create();
  await using anew = await openStream(other.path, { servers: [nats.address] });
  await say(anew.journal, "1");
  await say(anew.journal, "2");
  assertEquals(await problem.promise, "the stream chat is another one by now");
  await assertRejects(() => say(opened.journal, "after"), ProtocolError, "it has stopped");
  assertEquals(opened.recorder.entries.length, 1);
});

Deno.test("NATS with nkeys and TLS: --cluster-credentials and --cluster-ca, and what is said without", async () => {
  await using folder = await TempFolder.create();
  await using data = await TempFolder.create();
  const user = await makeCredentials(folder.path, ["127.0.0.1"]);
  const file = (name: string) => JSON.stringify(folder.file(name));
  await using nats = await NatsServer.start({
    config: `authorization { users: [{ nkey: ${user} }] }
tls { cert_file: ${file("nats.pem")}, key_file: ${file("nats-key.pem")} }`,
  });
  const refused = async (what: RegExp, ...flags: string[]) => {
    const args = ["0", "--host", "127.0.0.1", "--data", data.path, "--cluster", nats.address];
    const { code, stderr } = await Program.run("server", [...args, ...flags]);
    assertEquals([code, what.test(stderr)], [4, true], stderr);
  };
  await refused(/name the one of its authority with --cluster-ca/);
  const ca = ["--cluster-ca", folder.file("ca.pem")];
  await refused(/refuses the credentials \(--cluster-credentials\)/, ...ca);
  await using strange = await TempFolder.create();
  await makeCredentials(strange.path, ["127.0.0.1"]);
  const credentials = (folder: TempFolder) => ["--cluster-credentials", folder.file("chat.nkey")];
  await refused(/refuses the credentials/, ...ca, ...credentials(strange));
  const strangeCa = ["--cluster-ca", strange.file("ca.pem")];
  await refused(/can't be checked/, ...strangeCa, ...credentials(folder));
  const flags = [...ca, ...credentials(folder)];
  const { server } = await startServer(data.path, "--cluster", nats.address, "--hidden", ...flags);
  server.kill("SIGTERM");
  assertEquals(await server.exitCode(), 0);
});

Deno.test("a server that was away for 100,000 events, and one whose tables were deleted, serve again; sooner from a trimmed stream", async () => {
  await using nats = await NatsServer.start();
  await using folder = await TempFolder.create();
  await using busy = await TempFolder.create();
  const serve = async () => {
    const started = performance.now();
    const flags = ["--plain", "--hidden", "--cluster", nats.address];
    const { server } = await startServer(folder.path, ...flags);
    const seconds = (performance.now() - started) / 1_000;
    server.kill("SIGTERM");
    assertEquals(await server.exitCode(), 0);
    return seconds.toFixed(1);
  };
  const alone = await serve();
  {
    await using opened = await openStream(busy.path, { servers: [nats.address] });
    for (let batch = 0; batch < 50; batch++) {
      await Promise.all(Array.from({ length: 2_000 }, (_, i) => say(opened.journal, `${i}`)));
    }
  }
  const away = await serve();
  assertEquals(contentOf(folder)["messages"]!.length, 100_000);
  await Deno.remove(folder.file("messages.db"));
  const anew = await serve();
  assertEquals(contentOf(folder)["messages"]!.length, 100_000);
  {
    await using opened = await openStream(busy.path, { servers: [nats.address] });
    await opened.journal.append({ type: "messages-expired", before: opened.journal.last - 9_999 });
    await opened.trim();
    await opened.trim();
  }
  await Deno.remove(folder.file("messages.db"));
  const trimmed = await serve();
  assertEquals(contentOf(folder), contentOf(busy));
  assertEquals(contentOf(folder)["messages"]!.length, 10_000);
  console.log(
    `    serves after ${alone} s; 100,000 events behind, after ${away} s; without tables, after ${anew} s; ` +
      `the same of a stream trimmed to 10,000, after ${trimmed} s`,
  );
});
