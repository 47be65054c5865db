import { makeAccounts, type StartedServer, startServer } from "./programs.ts";
import { TempFolder } from "./temp_folder.ts";

/** A server with the accounts joe and ann, and a file with their password. */
export async function withServer(
  test: (parts: StartedServer & { folder: TempFolder; password: string[] }) => Promise<void>,
): Promise<void> {
  await using folder = await TempFolder.create();
  await makeAccounts(folder.path, ["joe", "ann"]);
  await Deno.writeTextFile(folder.file("pw"), "geheim\n", { mode: 0o600 });
  const started = await startServer(folder.path);
  await using _server = started.server;
  await test({ ...started, folder, password: ["--password-file", folder.file("pw")] });
}

/** Records as `--json` takes them, one a line. */
export function lines(...records: Record<string, unknown>[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}
