import { VERSION } from "../../lib/version.ts";

/** The two programs that are released. */
export const PROGRAMS = ["chatserver", "chatclient"] as const;
export type ProgramName = typeof PROGRAMS[number];

/** The name of a target, as compilers have it: processor, vendor, system. */
export type Target = keyof typeof SYSTEMS;

/** What each target is called in the names of files. */
const SYSTEMS = {
  "x86_64-unknown-linux-gnu": "linux-x86_64",
  "aarch64-unknown-linux-gnu": "linux-aarch64",
  "x86_64-apple-darwin": "macos-x86_64",
  "aarch64-apple-darwin": "macos-aarch64",
  "x86_64-pc-windows-msvc": "windows-x86_64",
  "aarch64-pc-windows-msvc": "windows-aarch64",
} as const;

export const TARGETS = Object.keys(SYSTEMS) as readonly Target[];

/** The target of the system that this runs on. */
export const HOST = Deno.build.target as Target;

/** @throws {RangeError} with the names that would be right */
export function parseTarget(text: string): Target {
  const target = TARGETS.find((name) => name === text);
  if (target !== undefined) return target;
  throw new RangeError(
    `${JSON.stringify(text)} is no target; there are ${TARGETS.join(", ")}`,
  );
}

export function isWindows(target: Target): boolean {
  return target.includes("windows");
}

/** The file name of a program's executable. */
export function executableName(program: ProgramName, target: Target): string {
  return `${program}-${VERSION}-${SYSTEMS[target]}${isWindows(target) ? ".exe" : ""}`;
}

/** The file name under which a user calls a program. */
export function plainName(program: ProgramName, target: Target): string {
  return `${program}${isWindows(target) ? ".exe" : ""}`;
}

/** The archive of a target, without what follows the dot: the name of the folder in it, too. */
export function archiveStem(target: Target): string {
  return `chat-${VERSION}-${SYSTEMS[target]}`;
}

/** The file name of a target's archive: what its users can open without installing anything. */
export function archiveName(target: Target): string {
  return `${archiveStem(target)}.${isWindows(target) ? "zip" : "tar.gz"}`;
}
