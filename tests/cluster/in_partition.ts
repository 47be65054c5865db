// What happens inside the namespaces of partition_test.ts: its argument says where the servers are.
import { assert, assertEquals } from "@std/assert";
import { ChatCluster, type Site } from "./chat_cluster.ts";
import { assertExact, pause } from "./crowd.ts";

const CLIENTS = 60;
/** For so long it is cut off, in milliseconds: longer than NATS takes to elect another leader. */
const CUT_MS = 15_000;

const site: Site = JSON.parse(Deno.args[0]!);

/** Adds or deletes the rules that cut a machine off from the other servers, though not from the clients. */
async function rules(change: "-A" | "-D", victim: number): Promise<void> {
  for (const [i, host] of site.hosts.entries()) {
    if (i === victim) continue;
    for (const [chain, side] of [["INPUT", "-s"], ["OUTPUT", "-d"]] as const) {
      const [program, ...args] = [
        ...site.launchers[victim]!,
        ...["iptables", change, chain, side, host, "-j", "DROP"],
      ];
      const { success } = await new Deno.Command(program!, { args }).output();
      assert(success, args.join(" "));
    }
  }
}

await using cluster = await ChatCluster.start(CLIENTS, site);
const { crowd } = cluster;
crowd.start();
await crowd.answered(3);
console.log(`    before: ${crowd.figures()}`);

const victim = await cluster.leader();
const cutOff = crowd.people.filter((_, i) => i % site.hosts.length === victim);
const others = crowd.people.filter((person) => !cutOff.includes(person));
await rules("-A", victim);
await pause(1_000);
const before = cutOff.map(({ answered }) => answered);
await pause(CUT_MS - 1_000);
assertEquals(cutOff.map(({ answered }) => answered), before, "confirmed behind the cut");
for (const { name, notices } of cutOff) {
  assert(notices.at(-1)?.startsWith("nothing can be stored"), `${name} was not told`);
}
const during = others.map(({ answered }) => answered);
// Without the machine that led them.
while (!others.every(({ answered }, i) => answered > during[i]!)) await pause(20);
console.log(`    cut off for ${CUT_MS / 1_000} s: ${crowd.figures()}`);
await rules("-D", victim);
await crowd.answered(3);
console.log(`    healed: ${crowd.figures()}`);
assertExact(await crowd.stop());
const [first, ...same] = await crowd.histories(100);
for (const other of same) assertEquals(other, first);
