import { Buffer } from "node:buffer";
import { dirname, join } from "node:path";
import { ExitCode, ExitError } from "../exit.ts";
import {
  type Certificate,
  decodeCertificate,
  encodeCertificate,
  fingerprintOf,
} from "./certificate.ts";
import { type Endpoint, formatEndpoint } from "./connection.ts";
import { parseEndpoint } from "./endpoints.ts";

/** A server that another one has named as one of its cluster. */
export interface Vouched {
  server: Endpoint;
  certificate: Certificate;
}

/** What a server said about others is remembered for so long, in milliseconds. */
export const VOUCHED_MS = 30 * 86_400_000;

const VOUCHED = "@servers";

/**
 * The servers that a client has met, each with the certificate it trusts: `known_servers` in its
 * configuration folder. One server a line: address and port, a space, the certificate (DER, base64).
 * The last line for a server wins.
 *
 * A line `@servers` has what a server that was met said of its cluster: its fingerprint, until when that counts
 * (UTC), and address and certificate of each other server. The last line of a fingerprint wins.
 */
export class KnownServers {
  readonly path: string;
  readonly #lines: string[];
  #file: Deno.FsFile | undefined;

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
    const certificate = decodeCertificate(line.slice(prefix.length));
    if (certificate !== undefined) return certificate;
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
    await this.#append(`${keyOf(server)} ${encodeCertificate(certificate)}`);
  }

  /**
   * What a server said of its cluster, when the client was there last.
   *
   * @param voucher the server's certificate
   * @param now the time of day, in milliseconds since 1970
   */
  vouchedBy(voucher: Certificate, now: number): Vouched[] {
    const [until, ...rest] = this.#vouched.get(fingerprintOf(voucher)) ?? [];
    if (until === undefined || !(Date.parse(until) > now)) return [];
    const pairs = rest.flatMap((address, index) =>
      index % 2 === 0 ? [[address, rest[index + 1]]] : []
    );
    return pairs.flatMap(([address = "", encoded = ""]) => {
      const [server, certificate] = [endpointOf(address), decodeCertificate(encoded)];
      return server === undefined || certificate === undefined ? [] : [{ server, certificate }];
    });
  }

  /** The server met before that says that a certificate is of its cluster; undefined where none does. */
  voucherOf(certificate: Certificate, now: number): Endpoint | undefined {
    for (const [server, voucher] of this.#met) {
      const named = this.vouchedBy(voucher, now);
      if (named.some((other) => Buffer.compare(other.certificate, certificate) === 0)) {
        return server;
      }
    }
    return undefined;
  }

  /** From now on this is what a server says of its cluster, and nothing else. */
  async rememberVouched(
    voucher: Certificate,
    named: readonly Vouched[],
    now: number,
  ): Promise<void> {
    const fingerprint = fingerprintOf(voucher);
    const [until = "", ...before] = this.#vouched.get(fingerprint) ?? [];
    const rest = named.map(({ server, certificate }) =>
      `${formatEndpoint(server)} ${encodeCertificate(certificate)}`
    ).sort();
    // Half of the time is left: that is soon enough, and the file need not grow at every login.
    const same = rest.join(" ") === before.join(" ");
    if (same && (rest.length === 0 || Date.parse(until) > now + VOUCHED_MS / 2)) return;
    const end = new Date(now + VOUCHED_MS).toISOString();
    await this.#append([VOUCHED, fingerprint, end, ...rest].join(" "));
  }

  /** Opens the file, for a client that can open none later. */
  async keepOpen(): Promise<void> {
    this.#file ??= await Deno.open(this.path, { append: true, create: true, mode: 0o600 });
  }

  /** The servers that were met, each with the certificate that is trusted there. */
  get #met(): Map<Endpoint, Certificate> {
    const met = new Map<string, Certificate | undefined>();
    for (const line of this.#lines) {
      const [server = "", encoded = ""] = line.split(" ");
      if (!server.startsWith("@")) met.set(server, decodeCertificate(encoded));
    }
    const known = [...met].flatMap(([server, certificate]) => {
      const endpoint = certificate && endpointOf(server);
      return endpoint === undefined ? [] : [[endpoint, certificate!] as const];
    });
    return new Map(known);
  }

  /** The parts of each line about a cluster, by the fingerprint of who said it. */
  get #vouched(): Map<string, string[]> {
    const said = this.#lines.map((line) => line.split(" ")).filter(([first]) => first === VOUCHED);
    return new Map(said.map(([, fingerprint = "", ...rest]) => [fingerprint, rest]));
  }

  /** Appended, since another client may be writing too. An empty line does no harm. */
  async #append(line: string): Promise<void> {
    const text = `\n${line}\n`;
    if (this.#file === undefined) {
      await Deno.mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      await Deno.writeTextFile(this.path, text, { append: true, mode: 0o600 });
    } else {
      await this.#file.write(new TextEncoder().encode(text));
    }
    this.#lines.push(line);
  }
}

/** Undefined where a line of the file is damaged. */
function endpointOf(text: string): Endpoint | undefined {
  try {
    return parseEndpoint(text, 0);
  } catch {
    return undefined;
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
