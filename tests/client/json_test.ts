import { assertEquals, assertRejects } from "@std/assert";
import { ChatClient } from "../../lib/client/client.ts";
import { JsonFace } from "../../lib/client/json.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";
import { oneServer } from "../helpers/one_server.ts";

/** A face, and a client that is not logged in, so that its token can't bring it back. */
async function open() {
  const clock = new FakeClock();
  const connection = new FakeConnection();
  const said: Record<string, unknown>[] = [];
  const face = new JsonFace((line) => said.push(JSON.parse(line)));
  const hello = { type: "hello", protocol: PROTOCOL_VERSION, software: "test" };
  connection.receive(JSON.stringify(hello));
  const client = await ChatClient.open({
    clock,
    random: () => 1,
    servers: oneServer(() => Promise.resolve(connection)),
    openSocket: () => undefined,
    ...face.events,
  });
  return { connection, said, face, client };
}

/** An input that stays open after these lines. */
async function* input(...commands: Record<string, unknown>[]): AsyncGenerator<Uint8Array> {
  for (const command of commands) yield new TextEncoder().encode(`${JSON.stringify(command)}\n`);
  await new Promise(() => {});
}

Deno.test("JsonFace.takeCommands() answers no-answer where the session ends first, then throws why", async () => {
  const { connection, said, face, client } = await open();
  const commands = [
    { id: "a", type: "public", text: "hello" },
    { id: "b", type: "users" },
  ];
  const taking = assertRejects(() => face.takeCommands(client, input(...commands)), ExitError);
  await new Promise((resolve) => setImmediate(resolve));
  connection.disconnect();
  assertEquals((await taking).exitCode, ExitCode.unreachable);
  face.ended(ExitCode.unreachable, "the end");
  assertEquals(said.map(({ type, id, code }) => [type, id, code]), [
    ["error", "a", "no-answer"],
    ["error", "b", "no-answer"],
    ["ended", undefined, undefined],
  ]);
  assertEquals(face.failed, 2);
});

Deno.test("JsonFace.takeCommands() answers in the order of the commands, also where answers come together", async () => {
  const { connection, said, face, client } = await open();
  const commands = [
    { id: "a", type: "say", room: "lab", text: "hello" },
    { id: "b", type: "history", room: "lab" },
    { id: "c", type: "users" },
  ];
  const taking = assertRejects(() => face.takeCommands(client, input(...commands)), ExitError);
  await new Promise((resolve) => setImmediate(resolve));
  const answers = [
    { type: "sent", id: 1, message: 7 },
    { type: "history", id: 2, messages: [] },
    { type: "users", id: 3, users: [] },
  ];
  connection.receive(...answers.map((answer) => JSON.stringify(answer)));
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals(said.map(({ type, id }) => [type, id]), [
    ["sent", "a"],
    ["history", "b"],
    ["users", "c"],
  ]);
  connection.disconnect();
  await taking;
});

Deno.test("JsonFace.takeCommands() reads no further where 256 commands have no answer", async () => {
  const { connection, face, client } = await open();
  let given = 0;
  async function* endless() {
    for (;; given++) yield new TextEncoder().encode('{"type":"users"}\n');
  }
  const taking = assertRejects(() => face.takeCommands(client, endless()), ExitError);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assertEquals(given, 255);
  connection.disconnect();
  await taking;
});
