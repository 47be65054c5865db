import { assertEquals } from "@std/assert";
import type { Message } from "../../lib/protocol/records.ts";
import type { FakeClient, FakeServer } from "./fake_server.ts";

/** A message as it is compared: its text, and whether it is late. */
function written({ text, late }: Message): string {
  return late ? `${text} (late)` : text;
}

/** The next `count` messages, each with its text and whether it is late. */
export async function received(
  server: FakeServer,
  client: FakeClient,
  count: number,
): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { type, messages } = await server.nextOf(client);
    assertEquals(type, "deliver");
    texts.push(...(messages as Message[]).map(written));
  }
  assertEquals(texts.length, count);
  return texts;
}

/** Every message until the end of the session, with its text and whether it is late; then the code. */
export async function receivedToTheEnd(server: FakeServer, client: FakeClient): Promise<string[]> {
  const received: string[] = [];
  for (;;) {
    const { type, messages, code } = await server.nextOf(client);
    if (type === "farewell") return [...received, `${code}`];
    received.push(...(messages as Message[]).map(written));
  }
}

/** Nothing has come but the answer to this. */
export async function assertNothing(server: FakeServer, client: FakeClient): Promise<void> {
  client.send({ type: "ping" });
  assertEquals(await server.nextOf(client), { type: "pong" });
}

export function disconnect(...clients: FakeClient[]): Promise<void> {
  for (const { connection } of clients) connection.disconnect();
  // The server sees the end a few turns later.
  return new Promise((resolve) => setImmediate(resolve));
}

/** What comes to the end, acknowledged as it comes. */
export async function receivedWhile(server: FakeServer, client: FakeClient): Promise<string[]> {
  const received: string[] = [];
  for (;;) {
    const { type, messages, code } = await server.nextOf(client);
    if (type === "farewell") return [...received, `${code}`];
    received.push(...(messages as Message[]).map(({ text }) => text));
    client.send({ type: "ack", delivered: received.length });
  }
}
