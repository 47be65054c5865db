import type { KnownServers } from "../net/known_servers.ts";

/** Nothing that comes once the client is connected needs a file but that of the known servers, so nothing can have one. */
export async function giveUpFiles(knownServers: KnownServers | undefined): Promise<void> {
  // Where it can't be written, what servers say of others is forgotten at the end.
  await knownServers?.keepOpen().catch(() => {});
  for (const name of ["read", "write"] as const) Deno.permissions.revokeSync({ name });
}
