// Twenty clients and a server, real programs, through networks that lose, delay, block and vanish: what
// became of 2,000 messages, and how long they took from the sender's prompt, and from the server, to the
// receiver's screen. Beside it TCP alone, which is to say UDP blocked wholly, in another network of the
// same kind, at the same time. "packets" are those with messages that came through by UDP.
import { assert, assertEquals } from "@std/assert";
import { Chat } from "./chat.ts";
import { type Figures, quantile } from "./ledger.ts";
import { type Load, pause, send } from "./load.ts";
import { Network } from "./network.ts";
import { startRelay } from "./relay.ts";

const LOAD: Load = { clients: 20, messages: 2_000, interval: 200 };
const OUTAGE_MS = 30_000;

/** What happens to a network, and when. */
interface Scenario {
  name: string;
  /** Whether it is one of those of `CHAT_NETWORK=short`. */
  inShort?: boolean;
  load?: Partial<Load>;
  /** Whether all goes through the relay. */
  relayed?: boolean;
  /** Before anybody logs in. */
  before?: (network: Network) => Promise<void>;
  /** When everybody is logged in. */
  then?: (network: Network) => Promise<void>;
  /** When half of the messages have been typed. */
  halfway?: (network: Network) => Promise<void>;
}

interface Result {
  figures: Figures;
  /** The UDP packets with messages that came through. */
  packets: number;
}

/** Half of the messages are too long for a packet of the network, and short enough for one of ours. */
const FRAGMENTED = {
  load: { length: 800 },
  before: (network: Network) => network.setMtu(576),
};

const SCENARIOS: readonly Scenario[] = [
  { name: "no loss", inShort: true },
  { name: "1 % loss", then: (network) => network.lose(0.01) },
  { name: "10 % loss", inShort: true, then: (network) => network.lose(0.1) },
  { name: "30 % loss", then: (network) => network.lose(0.3) },
  { name: "UDP blocked halfway", inShort: true, halfway: (network) => network.blockUdp() },
  { name: "MTU 576", ...FRAGMENTED },
  {
    name: "MTU 576, fragments dropped",
    inShort: true,
    ...FRAGMENTED,
    then: (network) => network.dropFragments(),
  },
  {
    name: "path gone for 30 s",
    inShort: true,
    halfway: async (network) => {
      await network.loseEverything();
      await pause(OUTAGE_MS);
      await network.heal();
    },
  },
  {
    name: "clients' address changed",
    inShort: true,
    halfway: (network) => network.moveClients(),
  },
  { name: "reorder, duplicates, 200 ms delay", relayed: true },
];

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
