import { assertEquals, assertRejects } from "@std/assert";
import { ChatClient } from "../../lib/client/client.ts";
import { readText, send } from "../../lib/client/send.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";
import { oneServer } from "../helpers/one_server.ts";

const KEY = "ab".repeat(32);
const DATA = { session: "11".repeat(8), protection: "plain", clientKey: KEY, serverKey: KEY };

async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

Deno.test("readText() takes an argument or the input, whose last newlines are none of the text", async () => {
  const bytes = new TextEncoder().encode("zwölf\r\nBoxer\r\n\n");
  assertEquals(await readText("hello", chunks()), "hello");
  for (let at = 0; at <= bytes.length; at++) {
    const input = chunks(bytes.subarray(0, at), bytes.subarray(at));
    assertEquals(await readText("-", input), "zwölf\nBoxer");
  }
});

Deno.test("readText() refuses what is no text, exit code 2", async () => {
  for (
    const [bytes, problem] of [
      [Uint8Array.of(0xe4, 0x0a), "not valid UTF-8"],
      [Uint8Array.of(0x61, 0xc3), "not valid UTF-8"],
      [Uint8Array.of(0x61, 0x07), "control character"],
      [new Uint8Array(100_000).fill(0x61), "at most 16384 bytes"],
      [new Uint8Array(), "the message is empty"],
    ] as const
  ) {
    const error = await assertRejects(() => readText("-", chunks(bytes)), ExitError, problem);
    assertEquals(error.exitCode, ExitCode.usage);
  }
});

/** How a send ends where the server answers as far as `steps`, and then nothing more for a minute. */
async function sendUntil(steps: number): Promise<ExitError> {
  const clock = new FakeClock();
  const connection = new FakeConnection();
  const answers: Record<string, unknown>[] = [
    { type: "hello", protocol: PROTOCOL_VERSION, software: "test" },
    { type: "identified", id: 1, username: "joe", exists: true, attempts: 3 },
    { type: "welcome", id: 2, username: "joe", data: DATA, latest: 0 },
  ];
  const open = () =>
    ChatClient.open({
      clock,
      random: () => 1,
      servers: oneServer(() => Promise.resolve(connection)),
      openSocket: () => undefined,
      onLost: () => {},
      onBack: () => {},
    });
  const sending = assertRejects(
    () =>
      send(open, { to: undefined, text: "hello" }, {
        username: "joe",
        password: "geheim",
        clock,
        limitMs: 5_000,
        signal: new AbortController().signal,
        say: () => {},
      }),
    ExitError,
  );
  for (const answer of answers.slice(0, steps)) {
    connection.receive(JSON.stringify(answer));
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.endTurn();
    }
  }
  clock.advance(5_000);
  return await sending;
}

Deno.test("send() says whether nothing was stored, or nobody knows, when no answer comes", async () => {
  for (const steps of [0, 1, 2]) {
    const { exitCode, message } = await sendUntil(steps);
    assertEquals([exitCode, message], [ExitCode.unreachable, "there was no answer within 5 s"]);
  }
  const { exitCode, message } = await sendUntil(3);
  assertEquals(exitCode, ExitCode.unknown);
  assertEquals(
    message,
    "nobody knows whether the message was stored: there was no answer within 5 s",
  );
});
