// Attacks on names and passwords. Each ends in a figure.
import { assert, assertEquals } from "@std/assert";
import { formatMessage } from "../../lib/client/format.ts";
import { UNWRAPPED } from "../../lib/console/page.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { parseUsername } from "../../lib/protocol/names.ts";
import { parseText } from "../../lib/protocol/text.ts";
import { visibleLine } from "../../lib/protocol/visible.ts";
import { FakeServer } from "../helpers/fake_server.ts";

function refuses(check: () => unknown): boolean {
  try {
    check();
    return false;
  } catch (error) {
    assert(error instanceof ProtocolError);
    return true;
  }
}

Deno.test("attack: wrong passwords at full speed, from one address", async () => {
  await using server = await FakeServer.start();
  await server.join("joe");
  let guesses = 0;
  let over = false;
  /** One guesser: as soon as one connection has used its attempts, the next. */
  async function guess(): Promise<void> {
    while (!over) {
      const client = await server.greet();
      await client.ask({ type: "identify", id: 1, username: "joe" });
      for (let attempt = 0; attempt < 3 && !over; attempt++) {
        client.send({ type: "authenticate", id: 2, password: `guess ${guesses}` });
        let answer = await client.next();
        while (answer["type"] === "ping") answer = await client.next();
        if (answer["code"] === "wrong-password") guesses++;
      }
    }
  }
  const guessers = Array.from({ length: 20 }, () => guess().catch(() => {}));
  // Hashing takes real time, of which this clock knows nothing.
  server.services.accounts.verify = () => Promise.resolve(false);
  for (let second = 0; second < 300; second++) {
    server.clock.advance(1_000);
    // Everybody who can go on does, before the clock moves on.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  over = true;
  const inFiveMinutes = guesses;
  assert(inFiveMinutes > 10 && inFiveMinutes < 10 + 300 / 5 + 20, `${inFiveMinutes}`);
  server.stopAll();
  await Promise.all(guessers);
  console.log(`    20 guessers at once, ${inFiveMinutes} guesses in five minutes`);
});

Deno.test("attack: guesses from 200 addresses, while the owner logs in", async () => {
  await using server = await FakeServer.start();
  const owner = await server.join("joe");
  // Hashing takes real time, of which this clock knows nothing.
  server.services.accounts.verify = (_, password) => Promise.resolve(password === "joe");
  for (let guesser = 0; guesser < 200; guesser++) {
    const client = await server.greet(`192.0.2.${guesser}`);
    await client.ask({ type: "identify", id: 1, username: "joe" });
    client.send({ type: "authenticate", id: 2, password: "guess" });
  }
  /** How long the owner waits for an answer, in seconds. */
  async function logIn(address: string, record: Record<string, unknown>): Promise<number> {
    const client = await server.greet(address);
    if (record["type"] === "authenticate") {
      await client.ask({ type: "identify", id: 1, username: "joe" });
    }
    client.send(record);
    let type: unknown;
    client.next().then(async (answer) => {
      while (answer["type"] === "ping") answer = await client.next();
      type = answer["type"];
    });
    const start = server.clock.now();
    for (let steps = 0; type === undefined && steps < 1_000; steps++) {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (type === undefined) server.clock.advance(1_000);
    }
    assertEquals(type, "welcome");
    return (server.clock.now() - start) / 1_000;
  }
  const { username, token } = owner.welcome;
  const password = { type: "authenticate", id: 3, password: "joe" };
  const figures = {
    "from where it was before": await logIn("127.0.0.1", password),
    "by token": await logIn("198.51.100.1", { type: "resume", id: 9, username, token, last: 0 }),
    "from where the token brought it": await logIn("198.51.100.1", password),
  };
  for (const [how, waited] of Object.entries(figures)) {
    console.log(`    the owner, ${how}, waits ${waited} s`);
    assertEquals(waited, 0);
  }
});

Deno.test("attack: names that look like another", () => {
  // Latin letters and what looks like them in other scripts, widths and styles.
  const twins: Record<string, string> = {
    a: "аɑ𝐚ａ",
    c: "сϲⅽ",
    e: "еҽ℮ｅ",
    i: "іıꙇｉ",
    j: "јʝｊ",
    o: "оοօｏ০",
    p: "рρ",
    s: "ѕｓ",
    x: "хⅹ",
    y: "уγ",
  };
  let tried = 0;
  let refused = 0;
  const taken: string[] = [];
  for (const name of ["joe", "alice", "paypal", "Professor", "lexy"]) {
    for (const [letter, lookAlikes] of Object.entries(twins)) {
      for (const other of lookAlikes) {
        const squatted = name.replace(letter, other);
        if (squatted === name) continue;
        tried++;
        if (refuses(() => parseUsername(squatted))) refused++;
        else taken.push(squatted);
      }
    }
  }
  // Within Latin there are a few: they are letters of living languages, and said to be out of scope.
  const withinLatin = taken.every((name) => /^[\p{Script=Latin}]+$/u.test(name));
  assert(withinLatin, taken.join(" "));
  assert(refused / tried > 0.75);
  console.log(
    `    ${refused} of ${tried} refused; the others are Latin letters: ${taken.join(" ")}`,
  );
});

Deno.test("attack: terminal escapes, titles and bidi overrides in names and messages", () => {
  const attacks = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1bP+q544e\x1b\\",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\r***",
    "\b\b\b",
    "\x00",
    "\x7f",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u200f",
    "\u2028",
    "\ufeff",
    "\u{e0041}",
  ];
  let refused = 0;
  for (const attack of attacks) {
    assert(refuses(() => parseUsername(`joe${attack}`)));
    if (refuses(() => parseText(`hello ${attack}`))) refused++;
    const message = {
      id: 1,
      from: `joe${attack}`,
      to: undefined,
      sent: Date.UTC(2026, 0, 31, 9, 30),
      text: `hello ${attack}`,
    } as const;
    const shown = formatMessage(message, UNWRAPPED);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/.test(shown));
    assertEquals(/\p{Cc}/u.test(visibleLine(attack)), false);
  }
  console.log(
    `    ${attacks.length} of ${attacks.length} refused in names, ${refused} in messages; ` +
      "none reaches a terminal",
  );
});
