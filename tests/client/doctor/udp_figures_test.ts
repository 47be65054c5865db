import { assertEquals, assertMatch } from "@std/assert";
import { type Echo, judgeProbe } from "../../../lib/client/doctor/udp_figures.ts";

const SIZES = [100, 548, 900, 1_200];

/** Packets in turns of sizes; `answered` says whether the `turn`th one of a size comes back. */
function echoes(answered: (size: number, turn: number) => boolean, turns = 36): Echo[] {
  return Array.from({ length: turns }, (_, turn) => turn).flatMap((turn) =>
    SIZES.map((size) => ({ size, roundTrip: answered(size, turn) ? 10 : undefined }))
  );
}

function judge(all: Echo[], server: { packets: number; largest?: number; elsewhere?: number }) {
  return judgeProbe({ echoes: all, server: { largest: 1_200, elsewhere: 0, ...server } })
    .map(({ check, result, problem, what }) => ({ check, result: problem ?? result, what }));
}

const results = (found: ReturnType<typeof judge>) => found.map(({ result }) => result);

Deno.test("judgeProbe() finds nothing where everything comes back", () => {
  const found = judge(echoes(() => true), { packets: 144 });
  assertEquals(results(found), ["good", "good", "good"]);
  assertMatch(found[2]!.what, /^0 % lost to the server, 0 % from it; round trip 10 ms/);
});

Deno.test("judgeProbe() tells the two ways of UDP apart", () => {
  const none = echoes(() => false);
  assertEquals(results(judge(none, { packets: 0, largest: 0 })), ["udp-to-server"]);
  assertEquals(results(judge(none, { packets: 144 })), ["udp-from-server"]);
  assertEquals(results(judge(none, { packets: 144, elsewhere: 144 })), ["note"]);
});

Deno.test("judgeProbe() finds the largest packet, and the way that it does not get through", () => {
  const small = echoes((size) => size <= 548);
  const there = judge(small, { packets: 72, largest: 548 });
  assertEquals(results(there), ["good", "packet-size", "good"]);
  assertMatch(there[1]!.what, /more than 548 bytes do not get through to the server/);
  const back = judge(small, { packets: 144 });
  assertEquals(results(back), ["good", "packet-size", "good"]);
  assertMatch(back[1]!.what, /more than 548 bytes do not get through from the server/);
});

Deno.test("judgeProbe() knows packets in pieces by the first large ones that were lost", () => {
  for (const first of [1, 4]) {
    const learnt = echoes((size, turn) => size <= 548 || turn >= first);
    const found = judge(learnt, { packets: 144 });
    assertEquals(results(found), ["good", "note", "good"]);
    assertMatch(found[1]!.what, /MTU is below 928, and at least 576$/);
  }
  // One that is lost later, or a small one, is just lost.
  const later = echoes((size, turn) => size !== 900 || turn !== 5 && turn !== 0);
  assertEquals(results(judge(later, { packets: 144 })), ["good", "good", "good"]);
  const small = echoes((size, turn) => turn !== 0 || size !== 100 && size !== 900);
  assertEquals(results(judge(small, { packets: 144 })), ["good", "good", "good"]);
});

Deno.test("judgeProbe() finds losses, and which way they happen", () => {
  const lossy = echoes((size, turn) => (turn + size) % 5 !== 0);
  const answered = lossy.filter(({ roundTrip }) => roundTrip !== undefined).length;
  const there = judge(lossy, { packets: answered });
  assertEquals(results(there), ["good", "good", "loss"]);
  assertMatch(there[2]!.what, /^(19|20|21|22) % lost to the server, 0 % from it/);
  const back = judge(lossy, { packets: 144 });
  assertEquals(results(back), ["good", "good", "loss"]);
  assertMatch(back[2]!.what, /^0 % lost to the server, (19|20|21|22) % from it/);
  const hardly = echoes((size, turn) => size !== 100 || turn !== 7);
  assertEquals(results(judge(hardly, { packets: 144 })), ["good", "good", "good"]);
});
