import { assertEquals } from "@std/assert";
import { CommandRates } from "../../lib/server/command_rates.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** Servers that tell each other, after a time. */
function servers(count: number, active: (account: string, server: number) => boolean) {
  const clock = new FakeClock();
  let told = 0;
  const all = Array.from(
    { length: count },
    () => new CommandRates({ clock, burst: 20, perSecond: 10 }),
  );
  for (const [i, rates] of all.entries()) {
    rates.isElsewhere = (account) => all.some((_, j) => j !== i && active(account, j));
    rates.onUsed = (used) => {
      told++;
      for (const other of all) {
        if (other === rates) continue;
        for (const [account, count] of used) other.takeElsewhere(account, count);
      }
    };
  }
  return { clock, all, told: () => told };
}

Deno.test("CommandRates hold for an account at all servers together, in the long run", () => {
  const { clock, all } = servers(3, () => true);
  let served = 0;
  const next = all.map(() => 0);
  for (let ms = 0; ms < 60_000; ms += 10) {
    for (const [i, rates] of all.entries()) {
      if (clock.now() < next[i]!) continue;
      // Whoever waits has been served when the time is over, and sends the next one then.
      next[i] = clock.now() + rates.take("joe", 1);
      served++;
    }
    clock.advance(10);
  }
  console.log(`    ${served} commands at three servers in a minute, 10 a second allowed`);
  // Three bursts at most, and what is used until all know.
  assertEquals(served >= 600 && served <= 600 + 3 * 20 + 30, true, `${served}`);
});

Deno.test("CommandRates tell nothing of who is slow and at one server, but of who is fast", () => {
  const { clock, all, told } = servers(2, (account, server) => account === "both" || server === 0);
  for (let i = 0; i < 100; i++) {
    all[0]!.take("slow", 1);
    clock.advance(500);
  }
  assertEquals(told(), 0);
  all[0]!.take("both", 1);
  clock.advance(500);
  assertEquals(told(), 1);
  all[0]!.take("fast", 16);
  clock.advance(500);
  assertEquals(told(), 2);
  // It goes on elsewhere where it was.
  assertEquals(all[1]!.take("fast", 10), 600);
  assertEquals(all[1]!.take("slow", 20), 0);
});
