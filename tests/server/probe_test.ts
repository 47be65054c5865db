import { assert, assertEquals } from "@std/assert";
import { PacketOpener, PacketSealer, PacketType } from "../../lib/protocol/datagram.ts";
import { MAX_PROBES, PROBE_MS, PROBE_RATE } from "../../lib/protocol/limits.ts";
import type { DataParameters } from "../../lib/protocol/records.ts";
import { FakeServer } from "../helpers/fake_server.ts";

/** A client's end of a channel for probing. */
class Prober {
  readonly #server: FakeServer;
  readonly #sealer: PacketSealer;
  readonly #opener: PacketOpener;
  readonly session: string;

  constructor(server: FakeServer, data: unknown) {
    const { protection, session, clientKey, serverKey } = data as DataParameters;
    this.#server = server;
    this.session = session;
    this.#sealer = new PacketSealer({ protection, session, key: clientKey });
    this.#opener = new PacketOpener({ protection, session, key: serverKey });
  }

  seal(payload: Uint8Array, type: PacketType = PacketType.echo): Uint8Array {
    return this.#sealer.seal(type, payload);
  }

  /** Gives the server a datagram. Whether it is one of the channel's. */
  give(datagram: Uint8Array, hostname = "127.0.0.1"): boolean {
    return this.#server.services.probes.receive(this.session, datagram, { hostname, port: 999 });
  }

  /** The payloads that came back. */
  taken(): (Uint8Array | undefined)[] {
    return this.#server.datagrams.splice(0).map((datagram) => {
      const packet = this.#opener.open(datagram);
      return packet?.type === PacketType.echoed ? packet.payload : undefined;
    });
  }
}

Deno.test("probe: an echo comes back with its payload, and probed says what came", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  const { type, data, time } = await client.ask({ type: "probe", id: 1 });
  assertEquals([type, time], ["probe", server.clock.date().getTime()]);
  const prober = new Prober(server, data);
  const payload = new Uint8Array(1_166).fill(7);
  assert(prober.give(prober.seal(payload)));
  assert(prober.give(prober.seal(Uint8Array.of(1)), "192.0.2.9"));
  assertEquals(prober.taken(), [payload, Uint8Array.of(1)]);
  assertEquals(await client.ask({ type: "probed", id: 2 }), {
    type: "probed",
    id: 2,
    packets: 2,
    largest: 1_200,
    elsewhere: 1,
  });
});

Deno.test("probe: what does not authenticate, or came before, or is no echo, gets no answer", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  const { data } = await client.ask({ type: "probe", id: 1 });
  const prober = new Prober(server, data);
  const good = prober.seal(Uint8Array.of(1));
  const forged = good.slice();
  forged[forged.length - 1]! ^= 1;
  assert(!prober.give(forged));
  assert(prober.give(good));
  assert(!prober.give(good));
  assert(prober.give(prober.seal(Uint8Array.of(1), PacketType.bind)));
  assertEquals(prober.taken(), [Uint8Array.of(1)]);
});

Deno.test("probe: answers go to the control connection's address, wherever an echo came from", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet("198.51.100.7");
  const { data } = await client.ask({ type: "probe", id: 1 });
  const prober = new Prober(server, data);
  prober.give(prober.seal(Uint8Array.of(1)), "192.0.2.9");
  assertEquals(server.sentTo, [{ hostname: "198.51.100.7", port: 999 }]);
});

Deno.test("probe: a channel is capped in packets and in time", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  const { data } = await client.ask({ type: "probe", id: 1 });
  const prober = new Prober(server, data);
  const flood = () => {
    for (let sent = 0; sent < 1_000; sent++) prober.give(prober.seal(Uint8Array.of(1)));
    return prober.taken().length;
  };
  assertEquals(flood(), PROBE_RATE.burst);
  server.clock.advance(100);
  assertEquals(flood(), PROBE_RATE.perSecond / 10);
  server.clock.advance(PROBE_MS);
  assert(!prober.give(prober.seal(Uint8Array.of(1))));
  assertEquals(prober.taken(), []);
  assert(server.services.departed.has(prober.session));
});

Deno.test("probe: one on each connection, before the login, and so many at the server", async () => {
  await using server = await FakeServer.start();
  const client = await server.greet();
  assertEquals((await client.ask({ type: "probed", id: 1 }))["code"], "wrong-state");
  assertEquals((await client.ask({ type: "probe", id: 2 }))["type"], "probe");
  assertEquals((await client.ask({ type: "probe", id: 3 }))["code"], "wrong-state");
  const joe = await server.join("joe");
  assertEquals((await joe.ask({ type: "probe", id: 4 }))["code"], "wrong-state");
  for (let open = 1; open < MAX_PROBES; open++) {
    assertEquals((await (await server.greet()).ask({ type: "probe", id: 1 }))["type"], "probe");
  }
  const late = await server.greet();
  assertEquals((await late.ask({ type: "probe", id: 1 }))["code"], "too-many-probes");
  server.clock.advance(PROBE_MS);
  assertEquals((await late.ask({ type: "probe", id: 2 }))["type"], "probe");
});
