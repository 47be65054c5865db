/** Nothing that comes once the client is connected needs a file, so nothing can have one. */
export function giveUpFiles(): void {
  for (const name of ["read", "write"] as const) Deno.permissions.revokeSync({ name });
}
