// Three NATS servers that keep three copies of the stream, three journals, and what may happen to them.
import { assert, assertEquals } from "@std/assert";
import { ConflictError } from "../../lib/journal/journal.ts";
import { NatsServer } from "../helpers/nats.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import type { OpenJournal } from "../journal/journal_suite.ts";
import { openStream, type StreamUnderTest } from "./open_stream.ts";

const COUNT = 3;

/** NATS servers that are one, and journals that are one. */
class Cluster implements AsyncDisposable {
  readonly nats: NatsServer[];
  readonly journals: StreamUnderTest[];
  readonly #resources: AsyncDisposableStack;

  private constructor(
    nats: NatsServer[],
    journals: StreamUnderTest[],
    resources: AsyncDisposableStack,
  ) {
    this.nats = nats;
    this.journals = journals;
    this.#resources = resources;
  }

  static async start(): Promise<Cluster> {
    await using opened = new AsyncDisposableStack();
    const nats = await NatsServer.startCluster(COUNT);
    for (const server of nats) opened.use(server);
    const servers = nats.map(({ address }) => address);
    const journals: StreamUnderTest[] = [];
    for (let i = 0; i < COUNT; i++) {
      const folder = opened.use(await TempFolder.create());
      journals.push(opened.use(await openStream(folder.path, { servers })));
    }
    return new Cluster(nats, journals, opened.move());
  }

  /** Every journal has applied everything that any of them has. */
  async settled(): Promise<void> {
    const number = await say(this.journals[0]!, "the end");
    while (!this.journals.every(({ journal }) => journal.last >= number)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

function say({ journal }: OpenJournal, text: string): Promise<number> {
  return journal.append({
    ...{ type: "message", from: "joe", to: undefined, sent: 1, text },
    origin: undefined,
  });
}

/** So many messages each sender has under way at a time. */
const AT_ONCE = 5;

/** Says something at every journal, again and again. */
class Load {
  readonly answered = new Map<string, number>();
  #longest = 0;
  /** How often each sender was answered. */
  readonly #counts = new Map<string, number>();
  #over = false;
  readonly #running: Promise<void>[];

  constructor(journals: readonly OpenJournal[]) {
    this.#running = journals.flatMap((journal, i) =>
      Array.from({ length: 5 }, (_, sender) => this.#run(journal, `${i} ${sender}`))
    );
  }

  async #run(journal: OpenJournal, name: string): Promise<void> {
    this.#counts.set(name, 0);
    const underWay: Promise<void>[] = [];
    for (let i = 0; !this.#over; i++) {
      underWay.push(this.#say(journal, { name, i }));
      if (underWay.length === AT_ONCE) await underWay.shift();
    }
    await Promise.all(underWay);
  }

  async #say(journal: OpenJournal, { name, i }: { name: string; i: number }): Promise<void> {
    const text = `${name} ${i}`;
    const started = performance.now();
    this.answered.set(text, await say(journal, text));
    this.#longest = Math.max(this.#longest, performance.now() - started);
    this.#counts.set(name, i + 1);
  }

  /** Each sender was answered so many times more; how long the longest answer took, in milliseconds. */
  async more(count: number): Promise<number> {
    const before = new Map(this.#counts);
    this.#longest = 0;
    for (const name of before.keys()) {
      while (this.#counts.get(name)! < before.get(name)! + count) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    return Math.round(this.#longest);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
  }
}

function assertSame(journals: readonly OpenJournal[], answered: Map<string, number>): void {
  const given = journals.map(({ recorder }) =>
    recorder.entries.flatMap(({ number, event, outcome }) =>
      event.type === "message" && outcome === number ? [`${number} ${event.text}`] : []
    )
  );
  for (const other of given.slice(1)) assertEquals(other, given[0]);
  const all = new Set(given[0]);
  assertEquals(all.size, given[0]!.length);
  const lost = [...answered].filter(([text, number]) => !all.has(`${number} ${text}`));
  assertEquals(lost, []);
}

/** Whoever sends many at once has them stored in the order in which they were sent. */
function assertInTurn(answered: Map<string, number>): void {
  const newest = new Map<string, number>();
  const inOrder = [...answered].toSorted(([, a], [, b]) => a - b);
  const misplaced = inOrder.filter(([text]) => {
    const [journal, sender, i] = text.split(" ").map(Number);
    const name = `${journal} ${sender}`;
    const before = newest.get(name) ?? -1;
    newest.set(name, i!);
    return i !== before + 1;
  });
  assertEquals(misplaced, []);
}

Deno.test("everything that was answered is everywhere once, in one order, whichever NATS servers are killed", async () => {
  await using cluster = await Cluster.start();
  const { nats, journals } = cluster;
  const load = new Load(journals);
  const figures = [`quiet ${await load.more(50)} ms`];
  for (const victim of ["leader", "follower", "all"]) {
    const leader = await cluster.journals[0]!.leader();
    const killed = nats.filter((_, i) =>
      victim === "all" || (`n${i}` === leader) === (victim === "leader")
    ).slice(0, victim === "follower" ? 1 : COUNT);
    const longest = load.more(50);
    await Promise.all(killed.map((server) => server.kill()));
    if (victim === "all") {
      // A moment in which nobody may be told that anything is stored.
      const before = load.answered.size;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      assert(load.answered.size <= before + 15 * AT_ONCE, "answered without NATS");
      await Promise.all(killed.map((server) => server.restart()));
    }
    figures.push(`${victim} ${await longest} ms`);
    if (victim !== "all") await Promise.all(killed.map((server) => server.restart()));
  }
  await load.stop();
  await cluster.settled();
  assertSame(journals, load.answered);
  assertInTurn(load.answered);
  console.log(`    ${load.answered.size} answered; longest wait: ${figures.join(", ")}`);
});

Deno.test("a name that two servers claim in the same instant, 1,000 times", async () => {
  await using cluster = await Cluster.start();
  const claimants = cluster.journals.slice(0, 2);
  let won = [0, 0];
  for (let round = 0; round < 1_000; round += 50) {
    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const account = `joe${round + i}`;
      const claims = await Promise.allSettled(claimants.map(({ journal }, who) =>
        journal.append(
          { type: "account-made", account, identity: `${who}`, since: 0 },
          { since: journal.last },
        )
      ));
      const winners = claims.map(({ status }) => status === "fulfilled" ? 1 : 0);
      assertEquals(winners.toSorted(), [0, 1], account);
      for (const claim of claims) {
        if (claim.status === "rejected") assert(claim.reason instanceof ConflictError);
      }
      won = won.map((count, who) => count + winners[who]!);
    }));
  }
  await cluster.settled();
  for (const { projection } of cluster.journals) {
    assertEquals(projection.mailboxes.identities.size, 1_000);
  }
  const [first] = cluster.journals;
  for (const { projection } of cluster.journals) {
    assertEquals(projection.mailboxes.identities, first!.projection.mailboxes.identities);
  }
  console.log(`    1,000 names: ${won.join(" and ")} of them, each once`);
});
