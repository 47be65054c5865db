// Clients of a cluster, while its servers are killed, or replaced one after another. Real processes, TLS everywhere, and
// the files of scripts/cluster/.
import { assert, assertEquals } from "@std/assert";
import { ChatClient } from "../../lib/client/client.ts";
import { Servers } from "../../lib/client/servers.ts";
import { systemClock } from "../../lib/clock.ts";
import { KnownServers } from "../../lib/net/known_servers.ts";
import { type ChatNode, LocalCluster } from "../../scripts/cluster/local_cluster.ts";
import { makeAccounts } from "../helpers/programs.ts";
import { openUdp } from "../helpers/running_server.ts";
import { until } from "../helpers/running_cluster.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const CLIENTS = 12;
const SENDERS = 4;
const USERS = Array.from({ length: CLIENTS }, (_, index) => `u${index}`);

/** A user who sends, or only reads. */
class User {
  readonly shown: { id: number; text: string }[] = [];
  readonly said: string[] = [];
  readonly notices: string[] = [];
  /** How long each answer took, in milliseconds. */
  readonly waits: number[] = [];
  readonly sent: { id: number; text: string }[] = [];
  client!: ChatClient;

  /** Logs in at the first of the servers. */
  static async join(
    name: string,
    ports: readonly number[],
    folder: TempFolder,
  ): Promise<User> {
    const user = new User();
    const knownServers = await KnownServers.load(folder.file(name));
    const trust = { knownServers, say: (line: string) => void user.said.push(line), now: Date.now };
    const given = ports.map((port) => ({ hostname: "127.0.0.1", port }));
    user.client = await ChatClient.open({
      clock: systemClock,
      random: Math.random,
      servers: new Servers(given, { trust, clock: systemClock }),
      openSocket: openUdp,
      onMessage: ({ id, text }) => void user.shown.push({ id, text }),
      onLost: ({ message }) => user.notices.push(`lost: ${message}`),
      onBack: ({ sent }) => user.notices.push(sent ? "moved" : "back"),
    });
    await user.client.identify(name);
    await user.client.authenticate("geheim");
    return user;
  }

  /** Sends one message after another. */
  async send(name: string, signal: AbortSignal): Promise<void> {
    for (let number = 0; !signal.aborted; number++) {
      const text = `${name} ${number}`;
      const started = performance.now();
      const id = await this.client.publish(text);
      this.waits.push(performance.now() - started);
      this.sent.push({ id, text });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  get back(): number {
    return this.notices.filter((notice) => !notice.startsWith("lost")).length;
  }
}

/** Has users at all servers send to each other while something happens, and checks what all were shown. */
async function underLoad(
  happens: (parts: { cluster: LocalCluster; users: User[] }) => Promise<void>,
): Promise<{ users: User[]; messages: number; longestMs: number }> {
  await using folder = await TempFolder.create();
  let first = true;
  await using cluster = await LocalCluster.start({
    folder: folder.file("cluster"),
    flags: ["--commands-per-second", "100000", "--command-burst", "100000"],
    prepare: async (data) => {
      if (first) await makeAccounts(data, USERS);
      first = false;
    },
  });
  const ports = cluster.servers.map(({ port }) => port);
  const users: User[] = [];
  for (const [index, name] of USERS.entries()) {
    const own = ports[index % ports.length]!;
    // Most know one server, and learn of the others.
    const given = index < 3 ? [own, ...ports.filter((port) => port !== own)] : [own];
    users.push(await User.join(name, given, folder));
  }
  const stop = new AbortController();
  const sending = users.slice(0, SENDERS).map((user, index) =>
    user.send(USERS[index]!, stop.signal)
  );
  await happens({ cluster, users });
  stop.abort();
  await Promise.all(sending);

  const all = users.flatMap(({ sent }) => sent).toSorted((a, b) => a.id - b.id);
  for (const [index, { shown, sent }] of users.entries()) {
    const expected = all.filter((message) => !sent.includes(message));
    await until(() => shown.length >= expected.length);
    // Once, in the same order everywhere.
    assertEquals(shown, expected, `at ${USERS[index]}`);
  }
  await Promise.all(users.map(({ client }) => client.logout()));
  const longestMs = Math.round(Math.max(...users.flatMap(({ waits }) => waits)));
  return { users, messages: all.length, longestMs };
}

async function replace(server: ChatNode): Promise<void> {
  await server.end("SIGTERM");
  await server.ready();
}

Deno.test("a chat server that is killed loses nothing: its clients go on at the others within seconds", async () => {
  const away: number[] = [];
  const { users, messages, longestMs } = await underLoad(async ({ cluster, users }) => {
    for (const victim of [0, 1]) {
      const server = cluster.servers[victim]!;
      const before = users.map(({ back }) => back);
      const lost = users.map(({ notices }) => notices.length);
      const killed = performance.now();
      await server.end("SIGKILL");
      await until(() => users.some(({ notices }, index) => notices.length > lost[index]!));
      await until(() =>
        users.every(({ notices, back }, index) =>
          notices.length === lost[index] || back > before[index]!
        )
      );
      away.push(Math.round(performance.now() - killed));
      await server.ready();
      await until(async () => (await users[5]!.client.users()).length === CLIENTS);
    }
  });
  console.log(
    `    ${messages} messages, each once at ${CLIENTS} clients; all were back ${
      away.join(" and ")
    } ms ` +
      `after the kill, the longest answer took ${longestMs} ms`,
  );
  assert(Math.max(...away) < 10_000);
  // But for the first contact nobody was asked or told anything about identities.
  for (const { said } of users) assertEquals(said.length, 1);
});

Deno.test("servers are replaced one after another, and nobody loses the connection or a message", async () => {
  const { users, messages, longestMs } = await underLoad(async ({ cluster, users }) => {
    for (const server of cluster.servers) {
      // A client that has just moved is not moved at once.
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      await replace(server);
    }
    assert(users.every(({ back }) => back > 0));
  });
  const moves = users.reduce((sum, { back }) => sum + back, 0);
  console.log(
    `    ${messages} messages, each once at ${CLIENTS} clients, which moved ${moves} times; the longest ` +
      `answer took ${longestMs} ms`,
  );
  for (const { notices, said } of users) {
    assertEquals(new Set(notices), new Set(["moved"]));
    assertEquals(said.length, 1);
  }
});
