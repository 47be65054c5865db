// Twenty clients and a server, real programs, through networks that lose, delay, block and vanish: what
// became of 2,000 messages, and how long they took from the sender's prompt, and from the server, to the
// receiver's screen. Beside it TCP alone, which is to say UDP blocked wholly, in another network of the
// same kind, at the same time. "packets" are those with messages that came through by UDP.
import { assert, assertEquals } from "@std/assert";
import { Chat } from "./chat.ts";
import { type Figures, quantile } from "./ledger.ts";
import { type Load, send } from "./load.ts";
import { Network } from "./network.ts";
import { startRelay } from "./relay.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";

const LOAD: Load = { clients: 20, messages: 2_000, interval: 200 };

interface Result {
  figures: Figures;
  /** The UDP packets with messages that came through. */
  packets: number;
}

async function play(
  { load, relayed, before, then, halfway }: Scenario,
  udp: boolean,
): Promise<Result> {
  await using network = await Network.create({ udp });
  await before?.(network);
  await using _relay = relayed ? await startRelay(network) : undefined;
  const wholeLoad = { ...LOAD, ...load };
  const { clients } = wholeLoad;
  await using chat = await Chat.start(
    network,
    relayed ? { clients, at: network.relay } : { clients },
  );
  await then?.(network);
  await send(chat, wholeLoad, async () => await halfway?.(network));
  await chat.settle();
  const packets = await network.dataPackets();
  // How a client leaves is not the subject.
  await network.heal();
  return { figures: chat.ledger.figures(await chat.end()), packets };
}

/** What is known of one play, as columns: title, width, value. */
const COLUMNS: readonly [string, number, (result: Result) => number][] = [
  ["lost", 6, ({ figures }) => figures.lost],
  ["twice", 6, ({ figures }) => figures.twice],
  ["misplaced", 10, ({ figures }) => figures.misplaced],
  ["ms: p50", 9, ({ figures }) => quantile(figures.fromSender, 0.5)],
  ["p99", 6, ({ figures }) => quantile(figures.fromSender, 0.99)],
  ["max", 6, ({ figures }) => quantile(figures.fromSender, 1)],
  ["from server: p50", 18, ({ figures }) => quantile(figures.fromServer, 0.5)],
  ["p99", 6, ({ figures }) => quantile(figures.fromServer, 0.99)],
  ["max", 6, ({ figures }) => quantile(figures.fromServer, 1)],
];
const TITLES = COLUMNS.map(([title, width]) => title.padStart(width)).join("");

function row(result: Result): string {
  return COLUMNS.map(([, width, value]) => `${value(result)}`.padStart(width)).join("");
}

const short = Deno.env.get("CHAT_NETWORK") === "short";

for (const scenario of SCENARIOS) {
  Deno.test({ name: scenario.name, ignore: short && scenario.inShort !== true }, async () => {
    const plays = [play(scenario, true), play(scenario, false)] as const;
    // One that fails leaves nothing of the other running.
    await Promise.allSettled(plays);
    const [both, tcpAlone] = await Promise.all(plays);

    const name = scenario.name.padEnd(35);
    const [expected, packets] = [both.figures.expected, both.packets]
      .map((count) => `${count}`.padStart(9));
    console.log(
      `${"".padEnd(35)} expected  packets${TITLES}   | TCP alone: ${TITLES}
${name}${expected}${packets}${row(both)}   |            ${row(tcpAlone)}`,
    );
    for (const { figures: { lost, twice, misplaced } } of [both, tcpAlone]) {
      assertEquals({ lost, twice, misplaced }, { lost: 0, twice: 0, misplaced: 0 });
    }
    assert(
      both.packets > 0 && tcpAlone.packets === 0,
      "UDP was used where it was blocked, or not where it was not",
    );
  });
}
