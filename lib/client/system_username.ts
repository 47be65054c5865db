import { ProtocolError } from "../protocol/errors.ts";
import { parseUsername } from "../protocol/names.ts";

/** Where systems keep it: Linux and macOS, older Unix systems, Windows. */
export const USERNAME_VARIABLES = ["USER", "LOGNAME", "USERNAME"] as const;

/** The user's name on this system; undefined where a chat would not take it. */
export function systemUsername(env: (name: string) => string | undefined): string | undefined {
  for (const variable of USERNAME_VARIABLES) {
    const name = env(variable);
    if (!name) continue;
    try {
      return parseUsername(name);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
  return undefined;
}
