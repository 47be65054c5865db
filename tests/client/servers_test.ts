// Whom a client goes to, and whom it believes, where there are several servers.
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Server, Servers } from "../../lib/client/servers.ts";
import { ExitError } from "../../lib/exit.ts";
import { fingerprintOf } from "../../lib/net/certificate.ts";
import { type Endpoint, formatEndpoint } from "../../lib/net/connection.ts";
import { KnownServers } from "../../lib/net/known_servers.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { ShownServer } from "../helpers/shown_servers.ts";
import { TempFolder } from "../helpers/temp_folder.ts";

const DAY = 86_400_000;

/** A client's choice, with what it says and remembers. */
class Client {
  readonly said: string[] = [];
  readonly servers: Servers;
  readonly knownServers: KnownServers;

  private constructor(
    given: Endpoint[],
    { clock, knownServers, fingerprint }: {
      clock: FakeClock;
      knownServers: KnownServers;
      fingerprint?: string | undefined;
    },
  ) {
    this.knownServers = knownServers;
    const say = (line: string) => void this.said.push(line);
    const now = () => clock.date().getTime();
    const trust = { knownServers, fingerprint, say, now };
    this.servers = new Servers(given, { trust, clock });
  }

  static async start(
    given: readonly (ShownServer | Endpoint)[],
    { folder, clock, fingerprint }: { folder: TempFolder; clock: FakeClock; fingerprint?: string },
  ): Promise<Client> {
    const knownServers = await KnownServers.load(folder.file("config"));
    const endpoints = given.map((one) => one instanceof ShownServer ? one.endpoint : one);
    return new Client(endpoints, { clock, knownServers, fingerprint });
  }

  get round(): string[] {
    return this.servers.round().map(({ endpoint }) => formatEndpoint(endpoint));
  }

  /** Joins a server, which names others. */
  async join(server: ShownServer, named: readonly ShownServer[] = []): Promise<void> {
    this.servers.joined(await this.dial(server.endpoint));
    await this.servers.learn(named.map(({ named }) => named), { welcome: true });
  }

  /** Connects to one of those that are to be tried. */
  async dial(endpoint: Endpoint): Promise<Server> {
    const server = this.servers.round().find((server) =>
      formatEndpoint(server.endpoint) === formatEndpoint(endpoint)
    );
    assert(server !== undefined, `${formatEndpoint(endpoint)} is not among ${this.round}`);
    (await server.dial()).abort();
    return server;
  }
}

function refuses(client: Client, endpoint: Endpoint, message: string): Promise<Error> {
  return assertRejects(() => client.dial(endpoint), ExitError, message);
}

function names(...servers: { endpoint: Endpoint }[]): string[] {
  return servers.map(({ endpoint }) => formatEndpoint(endpoint));
}

Deno.test("a client tries what was given, then what was named, then what was given, and last the one it lost", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  await using a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  await using c = await ShownServer.start(folder, "c");
  const client = await Client.start([a, b], { folder, clock });
  assertEquals(client.round, names(a, b));
  await client.join(a, [c, b]);
  assertEquals(client.round, names(c, b, a));
  // The list replaces the one before.
  await client.servers.learn([c.named], { welcome: false });
  assertEquals(client.round, names(c, b, a));
  await client.servers.learn([], { welcome: false });
  assertEquals(client.round, names(b, a));
});

Deno.test("moving to a server that was named is silent, and nothing is sent to a stranger in its place", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  await using a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  const client = await Client.start([a], { folder, clock });
  await client.join(a, [b]);
  assertEquals(client.said.length, 1);
  await client.join(b, [a]);
  assertEquals(client.said.length, 1);
  await client.join(a, [b]);

  const { port } = b.endpoint;
  await b[Symbol.asyncDispose]();
  await using stranger = await ShownServer.start(folder, "stranger", port);
  await refuses(client, stranger.endpoint, "is a stranger");
  await refuses(client, stranger.endpoint, "is a stranger");
  assertEquals(stranger.heard, 0);
  // The user is told once.
  assertEquals(client.said.length, 2);
  assertMatch(client.said[1]!, /is a stranger, .*nothing was sent to it$/);
  // Whoever is named with that certificate is none.
  await client.servers.learn([stranger.named], { welcome: false });
  await client.dial(stranger.endpoint);
});

Deno.test("what the client has met itself at an address counts more than what others say of it", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  await using a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  const other = await ShownServer.start(folder, "other");
  await other[Symbol.asyncDispose]();
  const client = await Client.start([a], { folder, clock });
  await client.knownServers.remember(b.endpoint, other.certificate);
  await client.join(a, [b]);
  await refuses(client, b.endpoint, "is not the one that was met before");
});

Deno.test("there is no first contact any more when the client has joined", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  await using a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  const client = await Client.start([a, b], { folder, clock });
  await client.join(a);
  await refuses(client, b.endpoint, "is a stranger");
  assertEquals(client.knownServers.find(b.endpoint), undefined);
  // It may be known to its cluster by another address than to the user.
  await client.servers.learn([{ ...b.named, address: "10.255.255.1" }], { welcome: false });
  await client.dial(b.endpoint);
});

Deno.test("what servers say that were only named counts for 30 days from the last word of one that was met", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  await using a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  await using c = await ShownServer.start(folder, "c");
  const client = await Client.start([a], { folder, clock });
  await client.join(a, [b]);
  await client.join(b, [c]);
  clock.error += 29 * DAY;
  await client.servers.learn([c.named], { welcome: false });
  assertEquals(client.round, names(c, a, b));
  await client.dial(c.endpoint);
  clock.error += 2 * DAY;
  // A stolen key says so again and again.
  await client.servers.learn([c.named], { welcome: false });
  assertEquals(client.round, names(a, b));
  const again = await Client.start([a], { folder, clock });
  assertEquals(again.round, names(a));
  // What a server said that was only named is remembered nowhere.
  const file = await Deno.readTextFile(folder.file("config/known_servers"));
  assert(file.includes(b.named.certificate!) && !file.includes(c.named.certificate!));
});

Deno.test("what a server named is tried at the next start, until it names others", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  const a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  await using c = await ShownServer.start(folder, "c");
  await (await Client.start([a], { folder, clock })).join(a, [b, c]);

  const later = await Client.start([a], { folder, clock });
  assertEquals(later.round.toSorted(), names(a, b, c).toSorted());
  assertEquals(later.round[0], names(a)[0]);
  await later.dial(b.endpoint);
  assertEquals(later.said, [
    `${names(a)} is not there: trying ${names(b)}, which it has named`,
  ]);
  await later.join(a, [c]);
  assertEquals((await Client.start([a], { folder, clock })).round, names(a, c));
  // A demanded fingerprint is that of the first server.
  const fingerprint = fingerprintOf(a.certificate);
  assertEquals((await Client.start([a], { folder, clock, fingerprint })).round, names(a));
  // Another server's address has nothing of it.
  assertEquals((await Client.start([b], { folder, clock })).round, names(b));
  await a[Symbol.asyncDispose]();
  await (await Client.start([a], { folder, clock })).dial(c.endpoint);
  clock.error += 31 * DAY;
  assertEquals((await Client.start([a], { folder, clock })).round, names(a));
});

Deno.test("a server that was named is no stranger at the first contact, and one that was named once is", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  await using a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  await using c = await ShownServer.start(folder, "c");
  await (await Client.start([a], { folder, clock })).join(a, [b, c]);
  const [where, via] = names(b, a);
  const second = await Client.start([b], { folder, clock });
  await second.dial(b.endpoint);
  assertEquals(second.said, [`first contact with ${where}: of the cluster of ${via}, remembered`]);
  assertEquals((await KnownServers.load(folder.file("config"))).find(b.endpoint), b.certificate);

  await (await Client.start([a], { folder, clock })).join(a, [b]);
  const third = await Client.start([c], { folder, clock });
  await third.dial(c.endpoint);
  assertMatch(third.said[0]!, /: remembered\nfingerprint: /);
});

Deno.test("a server whose identity was replaced vouches for nobody any more", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  await using a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  await using anew = await ShownServer.start(folder, "anew");
  await (await Client.start([a], { folder, clock })).join(a, [b]);
  const client = await Client.start([a], { folder, clock });
  await client.knownServers.remember(a.endpoint, anew.certificate);
  assertEquals(client.round, names(a));
  assertEquals(client.knownServers.voucherOf(b.certificate, clock.date().getTime()), undefined);
});

Deno.test("an address that is none is ignored: it could write lines of the file, or on the terminal", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  await using a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  const client = await Client.start([a], { folder, clock });
  await client.join(a);
  const line = `x:1\nbank.example:1300 ${b.named.certificate}`;
  const odd = [line, "", "a b", "\x1b[2J", "a,b"].map((address) => ({ ...b.named, address }));
  const many = Array.from({ length: 40 }, (_, index) => ({ ...b.named, address: `h${index}` }));
  await client.servers.learn([...odd, ...many], { welcome: true });
  assertEquals(client.round.length, 16 - odd.length + 1);
  const later = await KnownServers.load(folder.file("config"));
  assertEquals(later.find({ hostname: "bank.example", port: 1300 }), undefined);
});

Deno.test("KnownServers.voucherOf() passes over damaged lines", async () => {
  await using folder = await TempFolder.create();
  const clock = new FakeClock();
  await using a = await ShownServer.start(folder, "a");
  await using b = await ShownServer.start(folder, "b");
  await (await Client.start([a], { folder, clock })).join(a, [b]);
  const path = folder.file("config/known_servers");
  await Deno.writeTextFile(path, `]:[ ${a.named.certificate}\n@servers\n@servers x\n`, {
    append: true,
  });
  const known = await KnownServers.load(folder.file("config"));
  assertEquals(known.voucherOf(b.certificate, clock.date().getTime()), a.endpoint);
});
