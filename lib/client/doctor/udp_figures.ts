import type { Finding, Problem } from "./finding.ts";

/** One `echo` packet. */
export interface Echo {
  /** Of the datagram, in bytes. */
  size: number;
  /** Until its answer came, in milliseconds; undefined where none came. */
  roundTrip: number | undefined;
}

/** What a probe measured. */
export interface ProbeResult {
  /** In the order in which they were sent. */
  echoes: readonly Echo[];
  /** What the server says of them. */
  server: { packets: number; largest: number; elsewhere: number };
}

/** Above this share a loss is worth a cure. */
const MUCH_LOSS = 0.02;

type UdpFinding = Pick<Finding, "check" | "result" | "what" | "figures"> & { problem?: Problem };

/** What a probe's figures say: about UDP at all, then about sizes, then about losses. */
export function judgeProbe({ echoes, server }: ProbeResult): UdpFinding[] {
  const answered = echoes.filter(({ roundTrip }) => roundTrip !== undefined);
  const figures = { sent: echoes.length, received: server.packets, answered: answered.length };
  if (server.packets === 0) {
    const what = "nothing that this machine sends by UDP gets to the server";
    return [{ check: "UDP", result: "wrong", problem: "udp-to-server", what, figures }];
  }
  if (answered.length === 0 && server.elsewhere > 0) {
    const what = "not measured: this network sends UDP from another address than TCP";
    return [{ check: "UDP", result: "note", what, figures }];
  }
  if (answered.length === 0) {
    const what = "the server gets what this machine sends by UDP, but its answers do not come back";
    return [{ check: "UDP", result: "wrong", problem: "udp-from-server", what, figures }];
  }
  const good = { check: "UDP", result: "good", what: "gets through both ways", figures } as const;
  return [good, judgeSizes(echoes, server.largest), judgeLoss(echoes, server)];
}

function judgeSizes(echoes: readonly Echo[], arrived: number): UdpFinding {
  const sizes = [...new Set(echoes.map(({ size }) => size))].sort((a, b) => a - b);
  const passing = sizes.filter((size) => loss(echoes.filter((echo) => echo.size === size)) < 1);
  const largest = passing.at(-1)!;
  const most = sizes.at(-1)!;
  const figures = { largest, largestToServer: arrived };
  if (largest < most) {
    const way = arrived < most ? "to the server" : "from the server";
    const what = `packets of more than ${largest} bytes do not get through ${way}`;
    return { check: "packets", result: "wrong", problem: "packet-size", what, figures };
  }
  const cut = sizes.find((size) => size !== sizes[0] && isLearnt(echoes, size));
  if (cut === undefined) {
    const what = `the largest, ${most} bytes, get through`;
    return { check: "packets", result: "good", what, figures };
  }
  const below = sizes[sizes.indexOf(cut) - 1];
  const what = `the largest, ${most} bytes, get through in pieces: somewhere the MTU is below ` +
    `${cut + IP_HEADERS_BYTES}, and at least ${below! + IP_HEADERS_BYTES}`;
  return { check: "packets", result: "note", what, figures: { ...figures, cut } };
}

/** IPv4 and UDP. */
const IP_HEADERS_BYTES = 28;

/**
 * Whether the first packets of a size were lost, and all later ones came, as with all smaller sizes, and
 * nothing was lost of the smallest: then a machine on the way has learnt meanwhile that it has to cut them
 * into pieces (RFC 1191).
 */
function isLearnt(echoes: readonly Echo[], size: number): boolean {
  const upTo = echoes.filter((echo) => echo.size <= size);
  const smallest = Math.min(...upTo.map((echo) => echo.size));
  return lostAtFirst(echoes, smallest) === 0 && lostAtFirst(echoes, size)! > 0 &&
    upTo.every((echo) => lostAtFirst(echoes, echo.size) !== undefined);
}

/** How many of a size were lost before the first that came; undefined where some were lost later. */
function lostAtFirst(echoes: readonly Echo[], size: number): number | undefined {
  const lost = echoes.filter((echo) => echo.size === size).map(({ roundTrip }) =>
    roundTrip === undefined
  );
  const first = lost.indexOf(false);
  return first < 0 || lost.includes(true, first) ? undefined : first;
}

function judgeLoss(
  echoes: readonly Echo[],
  { packets, largest }: ProbeResult["server"],
): UdpFinding {
  // What is too large is not lost by chance.
  const reaching = echoes.filter(({ size }) => size <= largest);
  const passing = reaching.filter(({ size }) =>
    loss(echoes.filter((echo) => echo.size === size)) < 1
  );
  const answered = passing.filter(({ roundTrip }) => roundTrip !== undefined);
  const times = answered.map(({ roundTrip }) => roundTrip!).sort((a, b) => a - b);
  const arrived = Math.min(packets / reaching.length, 1);
  const there = 1 - arrived;
  const back = 1 - Math.min(answered.length / (arrived * passing.length), 1);
  const roundTrip = {
    median: round(times[Math.floor(times.length / 2)]!),
    longest: round(times.at(-1)!),
  };
  const figures = { lossToServer: round(there), lossFromServer: round(back), roundTrip };
  const trip = `round trip ${roundTrip.median} ms, at most ${roundTrip.longest} ms`;
  const lost = `${percent(there)} lost to the server, ${percent(back)} from it`;
  if (there > MUCH_LOSS || isLossy(passing)) {
    return { check: "loss", result: "wrong", problem: "loss", what: `${lost}; ${trip}`, figures };
  }
  return { check: "loss", result: "good", what: `${lost}; ${trip}`, figures };
}

function isLossy(passing: readonly Echo[]): boolean {
  // Those that taught a machine to cut them say nothing about the network's quality.
  return loss(passing.filter(({ size }) => !isLearnt(passing, size))) > MUCH_LOSS;
}

function loss(echoes: readonly Echo[]): number {
  if (echoes.length === 0) return 0;
  return echoes.filter(({ roundTrip }) => roundTrip === undefined).length / echoes.length;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** To thousandths: figures that people read. */
function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
