import { assertEquals } from "@std/assert";
import { reconcileOperators } from "../../lib/server/reconcile.ts";
import type { FakeClient, FakeServer } from "./fake_server.ts";

let nextId = 100;

/** Asks a server for something, and gives what it answers, whatever comes in between. */
export async function ask(
  server: FakeServer,
  client: FakeClient,
  request: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const id = ++nextId;
  client.send({ ...request, id });
  for (;;) {
    const record = await server.nextOf(client);
    if (record["type"] === undefined) throw new Error("the session has ended");
    if (record["id"] === id) return record;
  }
}

/** The same; gives the type, or the code of the error. */
export async function outcome(
  server: FakeServer,
  client: FakeClient,
  request: Record<string, unknown>,
): Promise<unknown> {
  const { code, type } = await ask(server, client, request);
  return code ?? type;
}

/** Who runs the server has made these operators, and nobody else. */
export async function appoint(server: FakeServer, ...names: string[]): Promise<void> {
  await reconcileOperators(new Set(names), server.services);
}

/** Users of these names, of whom the first is an operator, and has read so. */
export async function crowd(server: FakeServer, ...names: string[]): Promise<FakeClient[]> {
  const clients: FakeClient[] = [];
  for (const name of names) clients.push(await server.join(name));
  await appoint(server, names[0]!.toLowerCase());
  assertEquals((await clients[0]!.next())["message"], "you are an operator");
  return clients;
}

/** The next record of a type for a client. */
export async function next(
  server: FakeServer,
  client: FakeClient,
  type: string,
): Promise<Record<string, unknown>> {
  for (;;) {
    const record = await server.nextOf(client);
    if (record["type"] === type) return record;
  }
}

/** What a client is told outside of answers, or at its end. */
export async function told(server: FakeServer, client: FakeClient): Promise<unknown[]> {
  const { type, code, message } = await server.nextOf(client);
  return [code ?? type, message];
}

export function operate(what: string, user?: string, more: Record<string, unknown> = {}) {
  return { type: "operate", what, user, ...more };
}
