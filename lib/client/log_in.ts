import { ExitCode, ExitError } from "../exit.ts";
import type { Overview, ServerRecords } from "../protocol/records.ts";
import type { ChatClient } from "./client.ts";
import { RequestError } from "./session.ts";

/** Who has logged in. */
export interface LoggedIn {
  /** The name as the server writes it. */
  username: string;
  /** Whether the account was made just now. */
  created: boolean;
  /** Where the client asks for one. */
  overview: Overview | undefined;
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
    const registered = exists ? undefined : await register(client, password);
    const { overview } = registered ?? await client.authenticate(password);
    return { username, created: registered !== undefined, overview };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new ExitError(ExitCode.refused, error.message, { cause: error });
  }
}

/** Makes the account. @returns undefined where somebody else has just made it */
async function register(
  client: ChatClient,
  password: string,
): Promise<ServerRecords["welcome"] | undefined> {
  try {
    return await client.register(password);
  } catch (error) {
    if (error instanceof RequestError && error.code === "name-taken") return undefined;
    throw error;
  }
}
