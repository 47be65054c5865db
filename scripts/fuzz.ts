/**
 * Throws nonsense at every parser, and at the login of a server, until the time is up.
 *
 *     deno task fuzz [--seconds N] [--seed N]
 *
 * Whatever is found is printed with the seed of its round, which runs it again: `--seed N --seconds 0`
 * plays that one round.
 *
 * @module
 */
import { parseCredentialsLine } from "../lib/accounts/credentials_line.ts";
import { parsePhc } from "../lib/accounts/phc.ts";
import { formatMessage } from "../lib/client/format.ts";
import { UNWRAPPED } from "../lib/console/page.ts";
import { parseCommandLine } from "../lib/command_line.ts";
import { PasteDecoder } from "../lib/console/paste.ts";
import { ExitCode, ExitError } from "../lib/exit.ts";
import { decodePem, parseFingerprint } from "../lib/net/certificate.ts";
import { originOf } from "../lib/net/connection.ts";
import { runProgram } from "../lib/program.ts";
import { PacketOpener, sessionOf } from "../lib/protocol/datagram.ts";
import { ProtocolError } from "../lib/protocol/errors.ts";
import { decodeAck, decodeData } from "../lib/protocol/payloads.ts";
import { LineDecoder } from "../lib/protocol/lines.ts";
import { foldUsername, parsePassword, parseUsername } from "../lib/protocol/names.ts";
import { parseClientRecord, parseMessages, parseServerRecord } from "../lib/protocol/records.ts";
import { parseText } from "../lib/protocol/text.ts";
import { visible, visibleLine } from "../lib/protocol/visible.ts";
import { FakeServer } from "../tests/helpers/fake_server.ts";
import { seededRandom } from "../tests/helpers/lossy_link.ts";

/** Random choices of one round. */
class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }
  /** From 0 to `below` - 1. */
  roll(below: number): number {
    return Math.floor(this.#random() * below);
  }
  pick<T>(items: readonly T[]): T {
    return items[this.roll(items.length)]!;
  }
}

/** What inputs are grown from. */
const CORPUS = [
  '{"type":"hello","protocol":2,"software":"fuzz"}',
  '{"type":"identify","id":1,"username":"joe"}',
  '{"type":"register","id":2,"password":"geheim"}',
  '{"type":"authenticate","id":3,"password":"geheim"}',
  '{"type":"users","id":4}',
  '{"type":"user","id":5,"username":"joe"}',
  '{"type":"public","id":6,"text":"Hello"}',
  '{"type":"direct","id":7,"to":"joe","text":"Hello"}',
  '{"type":"ack","delivered":0}',
  '{"type":"ping"}',
  '{"type":"deliver","number":0,"messages":[{"id":1,"from":"a","sent":0,"text":"b"}]}',
  '{"id":1,"from":"a","sent":0,"text":"b"},{"id":2,"from":"a","to":"b","sent":0,"text":"c"}',
  '{"type":"farewell","code":"timeout","message":"x","final":true}',
  "joe:$scrypt$ln=14,r=8,p=5$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "joe secret",
  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
  "\x1b[200~a\nb\x1b[201~",
  "Ünïcödé 世界 👩‍👩‍👧 \u202e\u0301\u200d",
];

const FRAGMENTS = [
  ...[
    "\n",
    "\r",
    "\0",
    "\x1b[",
    "\u202e",
    "\ud800",
    "\udc00",
    "é",
    "e\u0301",
    "🎉",
    '"',
    "\\",
    "{",
  ],
  ...[
    "}",
    "[",
    "]",
    "null",
    "1e999",
    "-1",
    "9007199254740993",
    '{"__proto__":1}',
    ",",
    ":",
    " ",
    "$",
  ],
];

function mutate(dice: Dice): string {
  let text = dice.pick(CORPUS);
  for (let changes = dice.roll(6); changes > 0; changes--) {
    const at = dice.roll(text.length + 1);
    const end = at + dice.roll(8);
    const insert = dice.pick([
      "",
      dice.pick(FRAGMENTS),
      String.fromCharCode(dice.roll(65_536)),
      text.slice(dice.roll(text.length + 1)),
      dice.pick(FRAGMENTS).repeat(dice.roll(200)),
    ]);
    text = text.slice(0, at) + insert + text.slice(end);
  }
  return text.slice(0, 20_000);
}

function bytesOf(dice: Dice): Uint8Array {
  if (dice.roll(2) === 0) return new TextEncoder().encode(mutate(dice));
  return Uint8Array.from({ length: dice.roll(1_300) }, () => dice.roll(256));
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Expected that ${what}`);
}

const opener = new PacketOpener({
  protection: "sealed",
  session: "01".repeat(8),
  key: "02".repeat(32),
});

/** Each must throw nothing but what bad input is answered with. */
const TARGETS: Record<string, (dice: Dice) => unknown> = {
  parseClientRecord: (dice) => parseClientRecord(mutate(dice)),
  parseServerRecord: (dice) => parseServerRecord(mutate(dice)),
  parseMessages: (dice) => parseMessages(mutate(dice)),
  parseUsername: (dice) => {
    const name = parseUsername(mutate(dice));
    check(parseUsername(name) === name, "an accepted name is accepted again");
    check(foldUsername(foldUsername(name)) === foldUsername(name), "folding twice changes nothing");
    check(!/[ :,\n]/.test(name), "a name never separates fields of credentials.txt");
  },
  parsePassword: (dice) => parsePassword(mutate(dice)),
  parseText: (dice) => parseText(mutate(dice)),
  visible: (dice) => {
    const text = mutate(dice);
    check(!/(?![\n\t])[\p{Cc}]/u.test(visible(text)), "nothing visible is a control character");
    check(!/\p{Cc}/u.test(visibleLine(text)), "a line has no control characters");
  },
  formatMessage: (dice) => {
    const [from, text] = [mutate(dice), mutate(dice)];
    const message = { id: 1, from, sent: 0, text };
    const lines = formatMessage(message, UNWRAPPED).split("\n");
    check(lines.slice(4, -1).every((line) => line.startsWith("  ")), "texts stand back");
  },
  parseCredentialsLine: (dice) => parseCredentialsLine(mutate(dice)),
  parsePhc: (dice) => parsePhc(mutate(dice)),
  decodePem: (dice) => decodePem("CERTIFICATE", mutate(dice)),
  parseFingerprint: (dice) => parseFingerprint(mutate(dice)),
  originOf: (dice) => originOf(mutate(dice)),
  LineDecoder: (dice) => {
    const decoder = new LineDecoder(1 + dice.roll(500));
    for (let chunk = dice.roll(5); chunk > 0; chunk--) {
      for (const line of decoder.decode(bytesOf(dice))) {
        check(!line.includes("\n"), "a line is one");
      }
      check(decoder.pendingBytes <= decoder.maxBytes, "no more is kept than the cap");
    }
  },
  PasteDecoder: (dice) => {
    const decoder = new PasteDecoder();
    for (let piece = dice.roll(5); piece > 0; piece--) decoder.decode(mutate(dice));
  },
  packets: (dice) => {
    const bytes = bytesOf(dice);
    if (bytes.length > 0) bytes[0] = 2;
    sessionOf(bytes);
    check(opener.open(bytes) === undefined, "nonsense does not authenticate");
  },
  decodeData: (dice) => decodeData(bytesOf(dice)),
  decodeAck: (dice) => decodeAck(bytesOf(dice)),
  parseCommandLine: (dice) =>
    parseCommandLine(
      [mutate(dice), mutate(dice)].map((arg) => arg.replace(/^--(help|version)/, "")),
      {
        program: "fuzz",
        help: "usage: fuzz <argument>",
        arguments: ["argument"],
        flags: ["flag"],
        options: ["option"],
      },
    ),
};

function fuzzParser(dice: Dice): void {
  const name = dice.pick(Object.keys(TARGETS));
  try {
    TARGETS[name]!(dice);
  } catch (error) {
    const expected = error instanceof ProtocolError || error instanceof ExitError;
    if (!expected) throw new Error(`${name}: ${error}`, { cause: error });
  }
}

/** A server's login and commands, with records right, wrong and out of order. */
async function fuzzLogin(dice: Dice): Promise<void> {
  await using server = await FakeServer.start();
  const { accounts } = server.services;
  await accounts.create("joe", "the right password");
  const client = await server.connect();
  const taken = (async () => {
    const answers = [];
    for (let answer; (answer = await client.next())["type"] !== undefined;) answers.push(answer);
    return answers;
  })();
  const start = dice.roll(3);
  for (const line of CORPUS.slice(0, start)) client.connection.receive(line);
  for (let lines = dice.roll(12); lines > 0; lines--) {
    client.connection.receive(dice.roll(2) === 0 ? dice.pick(CORPUS.slice(0, 10)) : mutate(dice));
    if (dice.roll(4) === 0) server.clock.advance(dice.roll(20_000));
  }
  client.connection.disconnect();
  const answers = await taken;
  server.clock.endTurn();
  const log = server.log.join("\n");
  check(!log.includes("unforeseen"), `nothing is unforeseen: ${log}`);
  check(!log.includes("geheim"), "no password is in the log");
  const said = JSON.stringify(answers);
  check(!said.includes("geheim") && !said.includes("right password"), "no answer holds a password");
  const welcome = answers.find(({ type }) => type === "welcome");
  check(welcome?.["username"] !== "joe", "nobody gets in without the right password");
  check(answers.every(({ type }) => typeof type === "string"), "every answer has a type");
  check(server.services.hub.users.count === 0, "whoever has gone is not active");
  check(server.admission.pending === 0, "whoever has gone has no place");
}

async function round(seed: number): Promise<void> {
  const dice = new Dice(seed);
  for (let i = 0; i < 2_000; i++) fuzzParser(dice);
  for (let i = 0; i < 20; i++) await fuzzLogin(dice);
}

async function main(): Promise<void> {
  const commandLine = parseCommandLine(Deno.args, {
    program: "fuzz",
    help: "usage: fuzz [--seconds N] [--seed N]",
    arguments: [],
    options: ["seconds", "seed"],
  });
  if (commandLine === undefined) return;
  const { seconds = "60", seed = `${crypto.getRandomValues(new Uint32Array(1))[0]}` } =
    commandLine.options;
  const end = performance.now() + Number(seconds) * 1_000;
  let next = Number(seed);
  let rounds = 0;
  do {
    try {
      await round(next);
    } catch (error) {
      throw new ExitError(ExitCode.unforeseen, `seed ${next}: ${(error as Error).message}`);
    }
    next = (next + 1) >>> 0;
    rounds++;
  } while (performance.now() < end);
  console.log(`${rounds} rounds of 2,000 inputs and 20 logins, from seed ${seed}: nothing found`);
}

await runProgram("fuzz", main);
