import { findProgram, type Programs } from "./servers.ts";

/** What the figures were taken on. */
export async function describeMachine(folder: string): Promise<Record<string, string | number>> {
  // Deno itself reads nothing in /proc without every permission.
  const model = await firstLine("grep", ["--max-count=1", "^model name", "/proc/cpuinfo"]);
  return {
    processor: model.split(": ")[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    kernel: Deno.osRelease().split("-")[0]!,
    "file system": await firstLine("stat", ["--file-system", "--format", "%T", folder]),
  };
}

/** The versions of the servers and of what they run on. */
export async function describeVersions(
  { chatserver, ngircd, inspircd }: Programs,
): Promise<Record<string, string>> {
  const [command, ...args] = chatserver;
  return {
    chatserver: await firstLine(command!, [...args, "--version"]),
    ...ngircd === undefined ? {} : { ngircd: await firstLine(ngircd, ["--version"]) },
    ...inspircd === undefined ? {} : { inspircd: await firstLine(inspircd, ["--version"]) },
  };
}

async function firstLine(command: string, args: readonly string[]): Promise<string> {
  if (!command.includes("/") && await findProgram(command) === undefined) return "?";
  const { stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  const decoder = new TextDecoder();
  return (decoder.decode(stdout) + decoder.decode(stderr)).split("\n")[0]!.trim();
}
