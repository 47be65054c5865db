import { type CommandLine, parsePort } from "../../command_line.ts";
import { systemClock } from "../../clock.ts";
import { ExitCode, ExitError } from "../../exit.ts";
import { parseFingerprint } from "../../net/certificate.ts";
import type { Endpoint } from "../../net/connection.ts";
import { parseEndpoints } from "../../net/endpoints.ts";
import { defaultConfigFolder, KnownServers } from "../../net/known_servers.ts";
import { writeText } from "../../program.ts";
import { parseUsername } from "../../protocol/names.ts";
import { reasonOf } from "../../reasons.ts";
import { openSocket } from "../connect.ts";
import { readPassword } from "../password.ts";
import { systemUsername } from "../system_username.ts";
import type { Trust } from "../trust.ts";

/** What a client needs of this machine. */
export const SURROUNDINGS = { clock: systemClock, random: Math.random, openSocket };

/** Tells the user something, on standard error. */
export function say(line: string): void {
  writeText(Deno.stderr, `${line}\n`);
}

/**
 * The servers that a command line names.
 *
 * @returns undefined where it names none
 * @throws {ExitError} `usage`
 */
export function serversOf({ arguments: { host, port } }: CommandLine): Endpoint[] | undefined {
  if (host === undefined) return undefined;
  if (port === undefined) {
    const problem = `the port is missing: it stands after the host, as in chatclient ${host} 1300`;
    throw new ExitError(ExitCode.usage, problem);
  }
  return parseEndpoints(host, parsePort(port, 1));
}

/**
 * Who joins, where somebody is named.
 *
 * @throws {ExitError} `refused`, where it is no username
 */
export function usernameOf({ arguments: { username } }: CommandLine): string | undefined {
  return username === undefined ? undefined : checkUsername(username);
}

/** @throws {ExitError} `refused`, where it is no username */
export function checkUsername(username: string): string {
  try {
    return parseUsername(username);
  } catch (cause) {
    const problem = `${JSON.stringify(username)} is refused: ${(cause as Error).message}`;
    throw new ExitError(ExitCode.refused, problem, { cause });
  }
}

/** The user's name on this system; undefined where a chat would not take it. */
export function ownUsername(): string | undefined {
  return systemUsername((name) => Deno.env.get(name));
}

/** @throws {ExitError} `usage`, where the user has no name here that a chat takes */
export function defaultUsername(): string {
  const name = ownUsername();
  if (name === undefined) throw new ExitError(ExitCode.usage, "the username is missing");
  say(`joining as ${name}, which is your name on this system`);
  return name;
}

/** The password; undefined where it has to be asked for. */
export function passwordOf({ options }: CommandLine): Promise<string | undefined> {
  return readPassword({ file: options["password-file"], fd: options["password-fd"] });
}

/**
 * The password, where nobody can be asked for it.
 *
 * @throws {ExitError} `usage`, where there is none
 */
export async function requiredPasswordOf(commandLine: CommandLine, who: string): Promise<string> {
  const password = await passwordOf(commandLine);
  if (password !== undefined) return password;
  throw new ExitError(
    ExitCode.usage,
    `${who} asks nobody for the password: give --password-file or --password-fd`,
  );
}

/** Where the client keeps its files; undefined where the platform has no such place. */
export function configFolderOf({ options: { config } }: CommandLine): string | undefined {
  return config ?? defaultConfigFolder(Deno.build.os, (name) => Deno.env.get(name));
}

/** What is known of servers, and what the user demands; undefined for no encryption, which it says. */
export async function trustOf(commandLine: CommandLine): Promise<Trust | undefined> {
  const { flags, options: { fingerprint } } = commandLine;
  const demanded = fingerprint === undefined ? undefined : parseFingerprint(fingerprint);
  if (fingerprint !== undefined && demanded === undefined) {
    throw new ExitError(
      ExitCode.usage,
      `${JSON.stringify(fingerprint)} is no fingerprint: that is SHA256: and 43 letters, digits, ` +
        '"+" or "/", or 64 hexadecimal digits',
    );
  }
  if (flags.has("plain")) return undefined;
  const folder = configFolderOf(commandLine);
  try {
    const knownServers = folder === undefined ? undefined : await KnownServers.load(folder);
    return { knownServers, fingerprint: demanded, say, now: Date.now };
  } catch (cause) {
    const problem = `the servers met before can't be read: ${reasonOf(cause)}`;
    throw new ExitError(ExitCode.refused, problem, { cause });
  }
}

/** What joins a chat without encryption is told. */
export function warnOfPlain(trust: Trust | undefined): void {
  if (trust === undefined) say("--plain: anybody on the network can read along");
}

/** Says at the end, as the exit code does, that not everything went well. */
export function reportFailures(failed: number): void {
  if (failed === 0) return;
  const what = failed === 1 ? "one command has" : `${failed} commands have`;
  throw new ExitError(ExitCode.refused, `${what} failed`);
}
