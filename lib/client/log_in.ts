import { ExitCode, ExitError } from "../exit.ts";
import type { ChatClient } from "./client.ts";
import { RequestError } from "./session.ts";

/** Who has logged in. */
export interface LoggedIn {
  /** The name as the server writes it. */
  username: string;
  /** Whether the account was made just now. */
  created: boolean;
}

/**
 * Logs a user in whose password is known, or makes the account; asks nobody anything.
 *
 * @throws {ExitError} `refused`, where the server refuses the name or the password
 */
export async function logInWith(
  client: ChatClient,
  { username: wanted, password }: { username: string; password: string },
): Promise<LoggedIn> {
  try {
    const { username, exists } = await client.identify(wanted);
    const created = !exists && await register(client, password);
    if (!created) await client.authenticate(password);
    return { username, created };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new ExitError(ExitCode.refused, error.message, { cause: error });
  }
}

/** Whether the account was made: false where somebody else has just made it. */
async function register(client: ChatClient, password: string): Promise<boolean> {
  try {
    await client.register(password);
    return true;
  } catch (error) {
    if (error instanceof RequestError && error.code === "name-taken") return false;
    throw error;
  }
}
