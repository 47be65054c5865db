import { assertEquals } from "@std/assert";
import type { NatsConnection } from "../../lib/cluster/nats.ts";
import { Search } from "../../lib/cluster/search.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** A search over these servers, in this order, and what it does. */
function search(servers: string[]) {
  const clock = new FakeClock();
  const events: string[] = [];
  const say = (event: string) => events.push(`${clock.now() / 1_000} ${event}`);
  let at = 0;
  const connection = {
    getServer: () => servers[at],
    reconnect: () => {
      at = (at + 1) % servers.length;
      say(`to ${servers[at]}`);
      looking.disconnected();
      clock.after(100, () => looking.connected(servers[at]!));
      return Promise.resolve();
    },
  };
  const looking = new Search({ connection: connection as NatsConnection, clock, log: say });
  return { clock, events, looking };
}

Deno.test("Search leaves a NATS server that answers nothing, and says so once", () => {
  const { clock, events, looking } = search(["a", "b"]);
  clock.advance(60_000);
  looking.begin();
  for (let second = 0; second < 60; second++) {
    clock.advance(1_000);
    looking.answered();
  }
  assertEquals(events, []);
  clock.advance(5_000);
  assertEquals(events, ["125 NATS at a answers nothing: trying the others", "125 to b"]);
  clock.advance(1_000);
  looking.answered();
  assertEquals(events.slice(2), ["126 NATS at b answers"]);
  clock.advance(5_000);
  assertEquals(events.slice(3), ["131 NATS at b answers nothing: trying the others", "131 to a"]);
  looking[Symbol.dispose]();
  assertEquals(clock.timers, 1);
});

Deno.test("Search tries less and less often where none answers, and never one twice in a row", () => {
  const { clock, events, looking } = search(["a", "a", "b"]);
  looking.begin();
  clock.advance(180_000);
  assertEquals(events.map((event) => event.replace("answers nothing: trying the others", "...")), [
    "5 NATS at a ...",
    "5 to a",
    "5.1 to b",
    "15.2 to a",
    "35.3 to a",
    "35.4 to b",
    "75.5 to a",
    "135.6 to a",
    "135.7 to b",
  ]);
});

Deno.test("Search waits while NATS' client looks for a connection itself", () => {
  const { clock, events, looking } = search(["a", "b"]);
  looking.begin();
  looking.disconnected();
  clock.advance(60_000);
  looking.connected("b");
  clock.advance(4_000);
  looking.answered();
  assertEquals(events, []);
});
