import { type Load, pause } from "./load.ts";
import type { Network } from "./network.ts";

const OUTAGE_MS = 30_000;

/** What happens to a network, and when. */
export interface Scenario {
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

/** Half of the messages are too long for a packet of the network, and short enough for one of ours. */
const FRAGMENTED = {
  load: { length: 800 },
  before: (network: Network) => network.setMtu(576),
};

/** What can be wrong with a network. */
export const SCENARIOS: readonly Scenario[] = [
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
