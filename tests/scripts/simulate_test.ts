import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { drawCrowd, HABITS } from "../../scripts/cluster/crowd.ts";
import { DESIGNS, needOf } from "../../scripts/cluster/need.ts";

Deno.test("drawCrowd() gives the same crowd for a seed, and puts everybody in rooms", () => {
  const crowd = drawCrowd(10_000, { habits: HABITS, seed: 7 });
  assertEquals(drawCrowd(10_000, { habits: HABITS, seed: 7 }), crowd);
  assert(crowd.rooms.join() !== drawCrowd(10_000, { habits: HABITS, seed: 8 }).rooms.join());
  const members = crowd.rooms.reduce((sum, size) => sum + size, 0);
  assert(members >= 10_000 * HABITS.roomsPerUser && members < 10_000 * (HABITS.roomsPerUser + 1));
  assert(crowd.rooms.every((size) => size >= 2 && size <= 10_000));
});

Deno.test("needOf() finds the least number of servers that keep to their budget", () => {
  for (const users of [1e4, 1e6]) {
    const crowd = drawCrowd(users, { habits: HABITS, seed: 1 });
    let before = Infinity;
    for (const design of DESIGNS) {
      const { servers = Infinity, cpu, read } = needOf(crowd, design);
      const { follow, presence, deliver, clients } = cpu;
      assert(servers === Infinity || follow + presence + deliver + clients <= 0.7);
      // A server reads no more than there is, and each design needs no more than the one before.
      assert(read <= crowd.events + 1e-6 && servers <= before, design.name);
      before = servers;
    }
  }
  const [asItIs] = DESIGNS;
  assertEquals(needOf(drawCrowd(1e7, { habits: HABITS, seed: 1 }), asItIs!).servers, undefined);
});

Deno.test("docs/SCALING.md has what the simulation says", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", `${root}scripts/cluster/simulate.ts`],
    env: { NO_COLOR: "1" },
  }).output();
  const cellsOf = (line: string) => line.replaceAll(/\s+|-{3,}/g, " ");
  const page = (await Deno.readTextFile(`${root}docs/SCALING.md`)).split("\n").map(cellsOf);
  const said = new TextDecoder().decode(stdout).trim().split("\n");
  assert(said.length > 15);
  for (const line of said) assert(page.includes(cellsOf(line)), line);
});
