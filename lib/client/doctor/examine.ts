/**
 * Looks at everything between this machine and a server, in the order in which it is needed, and says what
 * is wrong, where, and what will likely help.
 *
 * @module
 */
import { abortable } from "@std/async/abortable";
import { lookup } from "node:dns/promises";
import type { Clock } from "../../clock.ts";
import { ExitCode, ExitError } from "../../exit.ts";
import { type Endpoint, formatEndpoint } from "../../net/connection.ts";
import type { Connection } from "../../net/connection.ts";
import { openSocket, PlainServerError } from "../connect.ts";
import { Servers } from "../servers.ts";
import { ClientSession, RequestError } from "../session.ts";
import type { Trust } from "../trust.ts";
import { diagnose } from "./cures.ts";
import type { Check, Finding, Problem, Situation } from "./finding.ts";
import { measure } from "./probe.ts";
import { judgeProbe } from "./udp_figures.ts";

/** How long one address may take to answer, in milliseconds: TCP asks four times until then. */
const CONNECT_LIMIT_MS = 8_000;
/** Clocks may differ so far, in milliseconds: nobody sees it. */
const CLOCK_LIMIT_MS = 10_000;

/** What an examination needs. */
export interface ExamineOptions {
  clock: Clock;
  /** Whom to trust; undefined for no encryption. Nothing is remembered. */
  trust: Omit<Trust, "say" | "now"> | undefined;
  os: typeof Deno.build.os;
  signal: AbortSignal;
}

/** What is found, each as soon as it is known; nothing after what keeps the rest from being looked at. */
export async function* examine(
  server: Endpoint,
  { clock, trust, os, signal }: ExamineOptions,
): AsyncGenerator<Finding> {
  const situation: Situation = { server, address: server.hostname, os };
  const wrong = (check: Check, problem: Problem, what: string): Finding => ({
    check,
    result: "wrong",
    problem,
    what,
    ...diagnose(problem, situation),
  });

  const addresses = await resolve(server.hostname);
  const [address] = addresses;
  if (address === undefined) {
    return yield wrong("name", "name", `there is no host ${JSON.stringify(server.hostname)}`);
  }
  situation.address = address;
  yield { check: "name", result: "good", what: addresses.join(", "), figures: { addresses } };

  const attempts = await connectAll(addresses, server.port, { clock, signal });
  const reached = attempts.find(({ error }) => error === undefined);
  if (reached === undefined) {
    const { problem, what } = explain(attempts[0]!.error, server);
    return yield wrong("TCP", problem, what);
  }
  situation.address = reached.address;
  yield describeAttempts(attempts, reached);

  const said: string[] = [];
  const quiet = withoutMemory(server, trust, (line) => said.push(line));
  let connection: Connection;
  try {
    const [only] = new Servers([server], { trust: quiet, clock }).round();
    connection = await abortable(only!.dial(), signal);
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    const problem = error instanceof PlainServerError
      ? "encryption"
      : error.exitCode === ExitCode.identity
      ? "identity"
      : "no-chat-server";
    return yield wrong("identity", problem, error.message);
  }
  yield {
    check: "identity",
    result: trust === undefined ? "note" : "good",
    what: trust === undefined
      ? "not checked: --plain"
      : said[0]?.replace(": not remembered", "").replaceAll("\n", ", ") ??
        "the server that was met before",
  };

  let session: ClientSession;
  try {
    session = await abortable(
      ClientSession.open(connection, { clock, openSocket, onWelcome: () => {} }),
      signal,
    );
  } catch (error) {
    connection.abort();
    if (!(error instanceof ExitError)) throw error;
    if (error.exitCode === ExitCode.unreachable) {
      return yield wrong("version", "no-chat-server", error.message);
    }
    const problem = /speaks TLS/.test(error.message) ? "encryption" : "version";
    return yield wrong("version", problem, error.message);
  }
  try {
    yield { check: "version", result: "good", what: "server and client speak the same" };
    yield* probe(session, connection, { clock, signal, wrong });
  } finally {
    session.abort();
    await session.closed;
  }
}

type Wrong = (check: Check, problem: Problem, what: string) => Finding;

/** The server's clock, then UDP. */
async function* probe(
  session: ClientSession,
  { local, remote }: Connection,
  { clock, signal, wrong }: { clock: Clock; signal: AbortSignal; wrong: Wrong },
): AsyncGenerator<Finding> {
  const askedAt = clock.now();
  let answer;
  try {
    answer = await session.request({ type: "probe", id: 1 }, "probe");
  } catch (error) {
    const why = error instanceof RequestError
      ? error.message
      : "the server is older than this client, and can't be asked";
    if (!(error instanceof ExitError || error instanceof RequestError)) throw error;
    return yield { check: "UDP", result: "skipped", what: why };
  }
  // The server read its clock in the middle.
  const ahead = clock.date().getTime() - (clock.now() - askedAt) / 2 - answer.time;
  yield judgeClock(Math.round(ahead), wrong);

  const socket = openSocket(local);
  if (socket === undefined) {
    return yield wrong("UDP", "udp-here", "this machine gives no UDP socket");
  }
  using _socket = socket;
  const parameters = answer.data;
  const echoes = await measure({ clock, parameters, socket, server: remote, signal });
  const { packets, largest, elsewhere } = await session.request(
    { type: "probed", id: 2 },
    "probed",
  );
  for (const finding of judgeProbe({ echoes, server: { packets, largest, elsewhere } })) {
    const { check, problem, what } = finding;
    yield problem === undefined ? finding : { ...wrong(check, problem, what), ...finding };
  }
}

function judgeClock(ahead: number, wrong: Wrong): Finding {
  const figures = { ahead };
  const seconds = Math.abs(ahead) / 1_000;
  if (Math.abs(ahead) <= CLOCK_LIMIT_MS) {
    return {
      check: "clock",
      result: "good",
      what: "this machine's and the server's agree",
      figures,
    };
  }
  const by = seconds >= 172_800
    ? `${Math.round(seconds / 86_400)} days`
    : seconds >= 7_200
    ? `${Math.round(seconds / 3_600)} hours`
    : `${Math.round(seconds)} seconds`;
  const what = `this machine's is ${by} ${ahead > 0 ? "ahead of" : "behind"} the server's`;
  return { ...wrong("clock", "clock", what), figures };
}

/** All addresses of a name; none where there is no such name. */
async function resolve(hostname: string): Promise<string[]> {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

interface Attempt {
  address: string;
  error: unknown;
  /** How long it took, in milliseconds. */
  took: number;
}

/** Connects to each address, all at once. */
async function connectAll(
  addresses: readonly string[],
  port: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Attempt[]> {
  return await Promise.all(addresses.map(async (address) => {
    const startedAt = clock.now();
    const error = await connect(address, port, signal);
    return { address, error, took: clock.now() - startedAt };
  }));
}

class NoAnswer extends Error {}

/** What goes wrong; undefined where nothing does. */
async function connect(hostname: string, port: number, signal: AbortSignal): Promise<unknown> {
  const connecting = Deno.connect({ hostname, port });
  connecting.then((conn) => conn.close(), () => {});
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new NoAnswer()), CONNECT_LIMIT_MS);
  try {
    await abortable(connecting, AbortSignal.any([signal, limit.signal]));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error;
  } finally {
    clearTimeout(timer);
  }
}

function explain(error: unknown, server: Endpoint): { problem: Problem; what: string } {
  const where = formatEndpoint(server);
  const code = (error as { code?: string }).code;
  if (error instanceof NoAnswer || code === "ETIMEDOUT") {
    return { problem: "no-answer", what: `${where} does not answer` };
  }
  if (code === "ECONNREFUSED") {
    const what = `the machine answers, but nobody listens at ${where}`;
    return { problem: "port", what };
  }
  if (code === "EHOSTUNREACH" || code === "EHOSTDOWN") {
    return {
      problem: "no-answer",
      what: `${where} does not answer: the network finds no such machine`,
    };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { problem: "route", what: `there is no way to ${where}: ${reason}` };
}

/** Some addresses of a name may not work; the client takes another one then, but slowly. */
function describeAttempts(attempts: readonly Attempt[], reached: Attempt): Finding {
  const failed = attempts.filter(({ error }) => error !== undefined).map(({ address }) => address);
  const connected = `${reached.address} answers in ${reached.took.toFixed(1)} ms`;
  const figures = { took: Math.round(reached.took * 1_000) / 1_000, failed };
  if (failed.length === 0) return { check: "TCP", result: "good", what: connected, figures };
  const what = `${connected}, but not ${failed.join(", ")}`;
  return { check: "TCP", result: "note", what, figures };
}

/** Trust that finds what is remembered, and remembers nothing. */
function withoutMemory(
  server: Endpoint,
  trust: ExamineOptions["trust"],
  say: Trust["say"],
): Trust | undefined {
  if (trust === undefined) return undefined;
  const { knownServers, fingerprint } = trust;
  const known = fingerprint === undefined && knownServers?.find(server) !== undefined;
  return { fingerprint, knownServers: known ? knownServers : undefined, say, now: Date.now };
}
