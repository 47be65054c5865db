import { assertEquals } from "@std/assert";
import { Incidents } from "../../lib/server/incidents.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

Deno.test("Incidents.report() writes a few, counts the rest, and begins anew", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const incidents = new Incidents(clock, (line) => log.push(line));
  for (let i = 0; i < 1_000; i++) incidents.report("bad thing", "192.0.2.1");
  incidents.report("bad thing", "192.0.2.2");
  assertEquals(log, [...Array(5).fill("bad thing, from 192.0.2.1"), "bad thing, from 192.0.2.2"]);
  clock.advance(10_000);
  assertEquals(log.slice(6), ["bad thing, from 192.0.2.1: 995 more in 10 s"]);
  incidents.report("bad thing", "192.0.2.1");
  assertEquals(log.at(-1), "bad thing, from 192.0.2.1");
});

Deno.test("Incidents.report() counts by kind, whatever is said of it", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const incidents = new Incidents(clock, (line) => log.push(line));
  for (let i = 0; i < 100; i++) incidents.report("login refused", "192.0.2.1", ` (name${i})`);
  assertEquals(log.length, 5);
  assertEquals(log[4], "login refused (name4), from 192.0.2.1");
  clock.advance(10_000);
  assertEquals(log[5], "login refused, from 192.0.2.1: 95 more in 10 s");
});

Deno.test("Incidents.report() does not grow with the number of addresses", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const incidents = new Incidents(clock, (line) => log.push(line));
  for (let i = 0; i < 5_000; i++) incidents.report("bad thing", `address ${i}`);
  assertEquals(log.length, 1_000 + 5);
  assertEquals(clock.timers, 1_001);
  clock.advance(10_000);
  assertEquals(log.at(-1), "incidents from many addresses: 3995 more in 10 s");
});

Deno.test("Incidents.warn() writes a line of one kind each ten seconds at most", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const incidents = new Incidents(clock, (line) => log.push(line));
  for (let count = 0; count < 3; count++) incidents.warn("no sockets");
  incidents.warn("no light");
  assertEquals(log, ["no sockets", "no light"]);
  clock.advance(10_000);
  incidents.warn("no sockets");
  assertEquals(log, ["no sockets", "no light", "no sockets"]);
});
