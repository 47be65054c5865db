import { assertEquals } from "@std/assert";
import type { FakeClient, FakeServer } from "./fake_server.ts";

/** The next `count` messages, each with its text and whether it is late. */
export async function received(
  server: FakeServer,
  client: FakeClient,
  count: number,
): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { type, message } = await server.nextOf(client);
    assertEquals(type, "deliver");
    const { text, late } = message as { text: string; late?: boolean };
    texts.push(late ? `${text} (late)` : text);
  }
  return texts;
}

/** Every message until the end of the session, with its text and whether it is late; then the code. */
export async function receivedToTheEnd(server: FakeServer, client: FakeClient): Promise<string[]> {
  const received: string[] = [];
  for (;;) {
    const { type, message, code } = await server.nextOf(client);
    if (type === "farewell") return [...received, `${code}`];
    const { text, late } = message as { text: string; late?: boolean };
    received.push(late ? `${text} (late)` : text);
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
    const { type, message, code } = await server.nextOf(client);
    if (type === "farewell") return [...received, `${code}`];
    received.push((message as { text: string }).text);
    client.send({ type: "ack", delivered: received.length });
  }
}
