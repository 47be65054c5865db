// One receiver that is stopped for a minute while nine others talk: what that does to the others and to
// the server, and what the stopped one gets afterwards.
import { assert, assertEquals } from "@std/assert";
import { Chat } from "./chat.ts";
import { quantile } from "./ledger.ts";
import { type Load, pause, send } from "./load.ts";
import { Network } from "./network.ts";

const BEFORE_MS = 15_000;
const STOPPED_MS = 60_000;
const SAMPLE_MS = 250;
/**
 * How much the server may grow by, in MiB: what may wait for one session, in the queue and once more to be
 * written, and some garbage.
 */
const MEMORY_CAP_MIB = 48;
const INTERVAL_MS = 250;
const SENDERS = 9;
const STOPPED = SENDERS;
/** Half of the messages fill several packets, so that more waits for the stopped one than may. */
const LOAD: Load = {
  clients: SENDERS + 1,
  senders: SENDERS,
  interval: INTERVAL_MS,
  messages: SENDERS * (BEFORE_MS + STOPPED_MS) / INTERVAL_MS,
  publicEvery: 1,
  length: 12_000,
};

/** How much of a process is in memory, in MiB. */
async function memory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)![1]) / 1_024;
}

/** The most that it was for a time, in MiB. */
async function highestMemory(pid: number, ms: number): Promise<number> {
  let highest = 0;
  for (const end = performance.now() + ms; performance.now() < end; await pause(SAMPLE_MS)) {
    highest = Math.max(highest, await memory(pid));
  }
  return highest;
}

const NAME = "a receiver that is stopped for a minute holds up nobody, and gets everything";
const short = Deno.env.get("CHAT_NETWORK") === "short";

Deno.test({ name: NAME, ignore: short }, async () => {
  await using network = await Network.create({ udp: true });
  await using chat = await Chat.start(network, LOAD);
  const stopped = chat.client(STOPPED);
  const watch = async () => {
    const before = await highestMemory(chat.server.pid, BEFORE_MS);
    const stoppedAt = Date.now();
    stopped.kill("SIGSTOP");
    const during = await highestMemory(chat.server.pid, STOPPED_MS);
    stopped.kill("SIGCONT");
    return { before, during, stoppedAt };
  };
  const [{ before, during, stoppedAt }] = await Promise.all([watch(), send(chat, LOAD)]);
  const continuedAt = performance.now();
  await chat.settle();
  const caughtUp = performance.now() - continuedAt;
  const stored = await chat.end();

  const [p99Before, p99During] = [false, true].map((is) => {
    const counts = (receiver: number, typedAt: number) =>
      receiver !== STOPPED && (typedAt >= stoppedAt) === is;
    return quantile(chat.ledger.figures(stored, counts).fromSender, 0.99);
  });
  await chat.server.matchError(/user9 left: too much waited to be delivered/);
  const { expected, lost, twice, misplaced } = chat.ledger.figures(
    stored,
    (receiver) => receiver === STOPPED,
  );
  console.log(
    `    the others' p99: ${p99Before} ms before, ${p99During} ms during
    the server's memory: ${before.toFixed()} MiB before, ${during.toFixed()} MiB at most during
    the stopped one: ${expected} expected, ${lost} lost, ${twice} twice, ${misplaced} misplaced, ` +
      `all there after ${caughtUp.toFixed()} ms`,
  );
  assertEquals({ lost, twice, misplaced }, { lost: 0, twice: 0, misplaced: 0 });
  const all = chat.ledger.figures(stored);
  assertEquals([all.lost, all.twice, all.misplaced], [0, 0, 0], "somebody else");
  assert(p99During! <= 2 * p99Before! + 50, "the others had to wait");
  assert(during <= before + MEMORY_CAP_MIB, "the server kept too much");
});
