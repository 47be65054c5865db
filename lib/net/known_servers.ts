import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { dirname, join } from "node:path";
import { ExitCode, ExitError } from "../exit.ts";
import type { Certificate } from "./certificate.ts";
import { type Endpoint, formatEndpoint } from "./connection.ts";

/**
 * The servers that a client has met, each with the certificate it trusts: `known_servers` in its
 * configuration folder. One server a line: address and port, a space, the certificate (DER, base64).
 * The last line for a server wins.
 */
export class KnownServers {
  readonly path: string;
  readonly #lines: string[];

  private constructor(path: string, lines: string[]) {
    this.path = path;
    this.#lines = lines;
  }

  /** Reads the file; there need be none. @throws where it is there and can't be read */
  static async load(folder: string): Promise<KnownServers> {
    const path = join(folder, "known_servers");
    try {
      const lines = (await Deno.readTextFile(path)).split(/\r?\n/);
      return new KnownServers(path, lines.filter((line) => line !== ""));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new KnownServers(path, []);
      throw error;
    }
  }

  /**
   * The certificate that is trusted for a server, or undefined.
   *
   * @throws {ExitError} `identity`, where there is a line about the server that can't be read: then
   *   nobody knows any more whom to trust
   */
  find(server: Endpoint): Certificate | undefined {
    const prefix = `${keyOf(server)} `;
    const line = this.#lines.findLast((line) => line.startsWith(prefix));
    if (line === undefined) return undefined;
    const certificate = new Uint8Array(Buffer.from(line.slice(prefix.length), "base64"));
    if (isCertificate(certificate)) return certificate;
    throw new ExitError(
      ExitCode.identity,
      `the line about ${
        keyOf(server)
      } in ${this.path} is damaged, so nobody knows whether this is ` +
        "the server met before. Ask its operator for the fingerprint, and give it with --fingerprint",
    );
  }

  /** Trusts a certificate for a server from now on, and no other. */
  async remember(server: Endpoint, certificate: Certificate): Promise<void> {
    const line = `${keyOf(server)} ${Buffer.from(certificate).toString("base64")}`;
    await Deno.mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    // Appended, since another client may be writing too. An empty line does no harm.
    await Deno.writeTextFile(this.path, `\n${line}\n`, { append: true, mode: 0o600 });
    this.#lines.push(line);
  }
}

function isCertificate(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).raw.length === der.length;
  } catch {
    return false;
  }
}

/** Host names know no upper and lower case. */
function keyOf({ hostname, port }: Endpoint): string {
  return formatEndpoint({ hostname: hostname.toLowerCase(), port });
}

/**
 * Where the platform keeps a program's configuration.
 *
 * @returns undefined where the environment does not say
 */
export function defaultConfigFolder(
  os: typeof Deno.build.os,
  env: (name: string) => string | undefined,
): string | undefined {
  const under = (folder: string | undefined, ...rest: string[]) =>
    folder ? join(folder, ...rest, "chatclient") : undefined;
  if (os === "windows") return under(env("APPDATA"));
  if (os === "darwin") return under(env("HOME"), "Library", "Application Support");
  return under(env("XDG_CONFIG_HOME")) ?? under(env("HOME"), ".config");
}
