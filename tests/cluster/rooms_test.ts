// Rooms in a cluster: who is in one, and what is said there, whichever server it is said at.
import { assertEquals } from "@std/assert";
import { StreamConnection } from "../../lib/net/stream.ts";
import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import { RunningCluster } from "../helpers/running_cluster.ts";

type Fields = Record<string, unknown>;

/** A client that shows what it is sent. */
class Talker {
  readonly #connection: StreamConnection;
  readonly #records: AsyncIterator<Fields>;
  /** What came besides answers. */
  readonly told: Fields[] = [];
  #id = 0;

  constructor(conn: Deno.Conn) {
    this.#connection = new StreamConnection(conn);
    this.#records = recordsOf(this.#connection);
  }

  static async join(cluster: RunningCluster, i: number, username: string): Promise<Talker> {
    const { port } = cluster.nodes[i]!.server;
    const talker = new Talker(await Deno.connect({ hostname: "127.0.0.1", port }));
    talker.#send({ type: "hello", protocol: PROTOCOL_VERSION, software: "test" });
    await talker.ask({ type: "identify", username });
    await talker.ask({ type: "register", password: "open sesame", overview: 0 });
    return talker;
  }

  async ask(request: Fields): Promise<Fields> {
    const id = ++this.#id;
    this.#send({ ...request, id });
    for (;;) {
      const record = await this.#next();
      if (record["id"] === id) return record;
      this.told.push(record);
    }
  }

  /** The texts of the next messages. */
  async texts(count: number): Promise<string[]> {
    const texts = () =>
      this.told.flatMap((record) =>
        record["type"] === "deliver" ? record["messages"] as Fields[] : []
      ).map(({ text }) => text as string);
    while (texts().length < count) this.told.push(await this.#next());
    return texts();
  }

  /** What somebody has done in the room, when they have. */
  async act(what: string): Promise<Fields> {
    for (;;) {
      const found = this.told.find((record) =>
        record["type"] === "room" && record["what"] === what
      );
      if (found !== undefined) return found;
      this.told.push(await this.#next());
    }
  }

  #send(record: Fields): void {
    this.#connection.send(JSON.stringify(record));
  }

  async #next(): Promise<Fields> {
    const { value, done } = await this.#records.next();
    if (done) throw new Error("the server ended the connection");
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }
}

async function* recordsOf(connection: StreamConnection): AsyncGenerator<Fields> {
  for await (const lines of connection.batches()) {
    for (const line of lines) yield JSON.parse(line);
  }
}

Deno.test("two who make one room at two servers at a time are both in it, and one owns it", async () => {
  await using cluster = await RunningCluster.start(2);
  await using ann = await Talker.join(cluster, 0, "ann");
  await using bob = await Talker.join(cluster, 1, "bob");
  for (let i = 0; i < 50; i++) {
    const answers = await Promise.all(
      [ann, bob].map((talker) => talker.ask({ type: "join", room: `lab${i}` })),
    );
    assertEquals(answers.map(({ type }) => type), ["joined", "joined"], JSON.stringify(answers));
    assertEquals(answers.map(({ role }) => role).toSorted(), ["member", "owner"]);
  }
});

Deno.test("what is said in a room goes to its members at all servers, until they are put out of it", async () => {
  await using cluster = await RunningCluster.start(2);
  await using ann = await Talker.join(cluster, 0, "ann");
  await using bob = await Talker.join(cluster, 1, "bob");
  await using joe = await Talker.join(cluster, 1, "joe");
  await ann.ask({ type: "join", room: "lab" });
  assertEquals((await bob.ask({ type: "join", room: "lab" }))["members"], 2);
  assertEquals((await ann.ask({ type: "say", room: "lab", text: "for us" }))["type"], "sent");
  assertEquals(await bob.texts(1), ["for us"]);
  await ann.ask({ type: "act", room: "lab", what: "kick", user: "bob" });
  await bob.act("kick");
  assertEquals(
    (await bob.ask({ type: "say", room: "lab", text: "hello?" }))["code"],
    "not-in-room",
  );
  await ann.ask({ type: "say", room: "lab", text: "without him" });
  await ann.ask({ type: "public", text: "for all" });
  assertEquals(await bob.texts(2), ["for us", "for all"]);
  assertEquals(await joe.texts(1), ["for all"]);
});
