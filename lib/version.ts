import config from "../deno.json" with { type: "json" };

/** The version of both programs, from `deno.json`. */
export const VERSION: string = config.version;

/** The variable in front of a bundled program that names its commit; see `scripts/release/bundle.ts`. */
export const COMMIT_VARIABLE = "CHAT_COMMIT";

/** What `--version` says, in one line. */
export function describeVersion(program: string): string {
  const commit = (globalThis as Record<string, unknown>)[COMMIT_VARIABLE];
  const origin = commit === undefined ? "source" : `commit ${commit}`;
  return `${program} ${VERSION} (${origin}, Deno ${Deno.version.deno})`;
}
