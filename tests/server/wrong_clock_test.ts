// A server that is started with a wrong clock.
import { assertEquals } from "@std/assert";
import { systemClock } from "../../lib/clock.ts";
import { RunningServer } from "../helpers/running_server.ts";

const MONTH_MS = 31 * 24 * 3_600_000;

Deno.test("a server whose clock is a month ahead deletes no message and ends no login", async () => {
  let error = -3 * 3_600_000;
  const clock = { ...systemClock, date: () => new Date(Date.now() + error) };
  await using server = await RunningServer.start({}, { clock });
  const joe = await server.join("joe");
  for (let i = 0; i < 20; i++) await joe.chat.publish(`${i}`);
  await server.restart(() => {
    error = MONTH_MS;
    return Promise.resolve();
  });
  await Promise.race([joe.back(1), joe.chat.closed]);
  const { messages: history } = await joe.chat.history(100);
  assertEquals(history.length, 20);
  const said = server.log.filter((event) => event.includes("clock"));
  assertEquals(said.length, 1);
  console.log(`    the clock 31 days ahead: ${history.length} of 20 messages kept, 1 of 1 login`);
});
