/** Whether this machine has a command. */
export async function hasCommand(name: string): Promise<boolean> {
  if (Deno.build.os === "windows") return false;
  const { success } = await new Deno.Command("sh", {
    args: ["-c", 'command -v "$1"', "sh", name],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** What a command writes, on both outputs, whether it fails or not. */
export async function output(
  [command, ...args]: readonly [string, ...string[]],
  { input = "", env = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const process = new Deno.Command(command, {
    args,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  // It need not read its input to the end.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { stdout, stderr } = await process.output();
  return [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
}
