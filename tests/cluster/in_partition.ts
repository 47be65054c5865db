// What happens inside the namespaces of partition_test.ts: its argument says where the servers are.
import { assert, assertEquals } from "@std/assert";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { ChatCluster, type Site } from "./chat_cluster.ts";
import { assertExact, AT_ONCE, pause } from "./crowd.ts";

const CLIENTS = 60;
/** For so long it is cut off, in milliseconds: longer than NATS takes to elect another leader. */
const CUT_MS = 15_000;
/** After so long the machine that is cut off knows what the stream had taken before, in milliseconds. */
const SETTLED_MS = 6_000;
/** Where the clients are. */
const HUB = "10.0.9.254";

const site: Site = JSON.parse(Deno.args[0]!);

async function run(at: number, ...command: string[]): Promise<string> {
  const [program, ...args] = [...site.launchers[at]!, ...command];
  const { success, stdout } = await new Deno.Command(program!, { args }).output();
  assert(success, command.join(" "));
  return new TextDecoder().decode(stdout);
}

/** Adds or deletes the rules that cut a machine off from others. */
async function rules(change: "-A" | "-D", victim: number, from: readonly string[]): Promise<void> {
  for (const host of from) {
    for (const [chain, side] of [["INPUT", "-s"], ["OUTPUT", "-d"]] as const) {
      await run(victim, "iptables", change, chain, side, host, "-j", "DROP");
    }
  }
}

/** The same for a NATS server and the others, though not for chat servers. */
async function routeRules(change: "-A" | "-D", victim: number): Promise<void> {
  for (const { routePort } of cluster.nats) {
    for (const side of ["--dport", "--sport"]) {
      for (const chain of ["INPUT", "OUTPUT"]) {
        const ports = ["-p", "tcp", side, `${routePort}`];
        await run(victim, "iptables", change, chain, ...ports, "-j", "DROP");
      }
    }
  }
}

/** The place of the NATS server that a chat server is connected to. */
async function natsOf(chat: number): Promise<number> {
  for (const [i, { port }] of cluster.nats.entries()) {
    const found = await run(chat, "ss", "-Htn", "state", "established", `( dport = :${port} )`);
    if (found.trim() !== "") return i;
  }
  throw new Error("It is connected to no NATS server");
}

function peopleAt(place: number) {
  return crowd.people.filter(({ host }) => host === site.hosts[place]);
}

/** Waits until all of them were answered what was under way, and something new. @returns how long, in seconds */
async function answered(people: typeof crowd.people): Promise<string> {
  const started = performance.now();
  const before = people.map(({ answered }) => answered);
  while (!people.every(({ answered }, i) => answered > before[i]! + AT_ONCE)) await pause(20);
  return ((performance.now() - started) / 1_000).toFixed(1);
}

/** Waits until all servers are up, and everybody is answered. */
async function healed(): Promise<void> {
  await cluster.ready();
  await crowd.answered(3);
}

/**
 * The same history from each server. One of which nobody had heard for long may now say what another was not given: that one
 * ends and is started again, and whoever was there asks again.
 */
async function histories(): Promise<string[][]> {
  for (;;) {
    await cluster.ready();
    try {
      return await crowd.histories(100);
    } catch (error) {
      const away = error instanceof ExitError && error.exitCode === ExitCode.unreachable;
      if (!away) throw error;
      await pause(100);
    }
  }
}

await using cluster = await ChatCluster.start(CLIENTS, site);
const { crowd } = cluster;
crowd.start();
await crowd.answered(3);
console.log(`    before: ${crowd.figures()}`);

const victim = await cluster.leader();
const otherHosts = site.hosts.filter((_, i) => i !== victim);
const cutOff = peopleAt(victim);
assertEquals(cutOff.length, CLIENTS / site.hosts.length);
const others = crowd.people.filter((person) => !cutOff.includes(person));
await rules("-A", victim, otherHosts);
await pause(SETTLED_MS);
const before = cutOff.map(({ answered }) => answered);
await pause(CUT_MS - SETTLED_MS);
assertEquals(cutOff.map(({ answered }) => answered), before, "confirmed behind the cut");
for (const { name, notices } of cutOff) {
  assert(notices.at(-1)?.startsWith("nothing can be stored"), `${name} was not told`);
}
const during = others.map(({ answered }) => answered);
// Without the machine that led them.
while (!others.every(({ answered }, i) => answered > during[i]!)) await pause(20);
console.log(`    cut off for ${CUT_MS / 1_000} s: ${crowd.figures()}`);
await rules("-D", victim, otherHosts);
await healed();
console.log(`    healed: ${crowd.figures()}`);

// The same machine once more, now from the clients too: what it named before the first cut they still know.
const silent = victim;
const everybody = [...site.hosts.filter((_, i) => i !== silent), HUB];
const deserted = peopleAt(silent);
await rules("-A", silent, everybody);
const moved = await answered(deserted);
assertEquals(peopleAt(silent), []);
console.log(
  `    a machine is cut off from all: its ${deserted.length} clients are answered at others after ${moved} s`,
);
await rules("-D", silent, everybody);
await healed();

// A NATS server without the others, to which a chat server is connected.
const user = (silent + 1) % site.hosts.length;
const isolated = await natsOf(user);
await routeRules("-A", isolated);
const found = await answered(crowd.people);
await cluster.ready();
assert(await natsOf(user) !== isolated, cluster.log(user));
console.log(
  `    the NATS server of a chat server is cut off from the others: all are answered after ${found} s`,
);
// Each search is said once, and that it has ended.
const said = [...cluster.log(user).matchAll(/ answers( nothing)?/g)].map(([text]) => text);
assert(said.every((text, i) => text !== said[i - 1]), said.join());
await routeRules("-D", isolated);
await healed();

assertExact(await crowd.stop());
const [first, ...same] = await histories();
for (const other of same) assertEquals(other, first);
