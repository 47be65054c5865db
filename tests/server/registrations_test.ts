import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { DEFAULT_LIMITS } from "../../lib/server/limits.ts";
import { Registrations } from "../../lib/server/registrations.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeServer } from "../helpers/fake_server.ts";

Deno.test("attack: one address makes accounts for two hours", async () => {
  const clock = new FakeClock();
  const registrations = new Registrations(clock, DEFAULT_LIMITS);
  let made = 0;
  // 1.5 a second, as fast as a server makes them.
  for (let attempt = 0; attempt < 2 * 3_600 * 1.5; attempt++) {
    await registrations.count("bad", () => Promise.resolve(++made > 0)).catch(() => {});
    clock.advance(1_000 / 1.5);
  }
  console.log(`    ${made} of 10800 accounts made in two hours`);
  assertEquals(made, 64 + 120 - 1, "the burst, and one a minute");
  assertEquals(await registrations.count("good", () => Promise.resolve(true)), true);
});

Deno.test("a class of 40 behind one address registers at once, and the 65th is told when", async () => {
  await using server = await FakeServer.start();
  const join = (name: string) => server.join(name);
  const names = Array.from({ length: 64 }, (_, index) => `user${index}`);
  const classmates = await Promise.all(names.slice(0, 40).map(join));
  assertEquals(classmates.filter(({ welcome }) => welcome["type"] !== "welcome").length, 0);

  await Promise.all(names.slice(40).map(join));
  const client = await server.greet();
  const refused = await client.ask({ type: "identify", id: 1, username: "late" });
  assertEquals([refused["code"], refused["message"]], [
    "too-many-accounts",
    "too many new accounts come from your address: try again in 60 s",
  ]);
  assertEquals((await client.ask({ type: "identify", id: 2, username: "user1" }))["exists"], true);
  server.clock.advance(60_000);
  const [first, second] = [await server.greet(), await server.greet()];
  await first.ask({ type: "identify", id: 1, username: "late" });
  await second.ask({ type: "identify", id: 1, username: "later" });
  const answers = await Promise.all(
    [first, second].map((client) => client.ask({ type: "register", id: 2, password: "x" })),
  );
  assertEquals(answers.map((answer) => answer["code"] ?? answer["type"]).toSorted(), [
    "too-many-accounts",
    "welcome",
  ]);
});

Deno.test("Registrations.count() does not count what was not made", async () => {
  const registrations = new Registrations(new FakeClock(), {
    registrationBurst: 1,
    registrationsPerHour: 1,
  });
  assertEquals(await registrations.count("a", () => Promise.resolve(false)), false);
  await registrations.count("a", () => Promise.reject(new RangeError())).catch(() => {});
  assertEquals(await registrations.count("a", () => Promise.resolve(true)), true);
  assertThrows(() => registrations.require("a"), ProtocolError, "try again in 60 minutes");
});

Deno.test("Registrations count what an address made at other servers", async () => {
  const clock = new FakeClock();
  const limits = { registrationBurst: 3, registrationsPerHour: 60 };
  const [here, there] = [new Registrations(clock, limits), new Registrations(clock, limits)];
  here.onMade = (address) => there.countElsewhere(address);
  await here.count("a", () => Promise.resolve(true));
  await here.count("a", () => Promise.resolve(false));
  await here.count("a", () => Promise.resolve(true));
  assertEquals(await there.count("a", () => Promise.resolve(true)), true);
  assertThrows(() => there.require("a"), ProtocolError, "try again in 60 s");
  there.require("b");
});
