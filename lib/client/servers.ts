import { Buffer } from "node:buffer";
import type { Clock } from "../clock.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { decodeCertificate } from "../net/certificate.ts";
import { type Connection, type Endpoint, formatEndpoint } from "../net/connection.ts";
import { type KnownServers, type Vouched, VOUCHED_MS } from "../net/known_servers.ts";
import { readCertificate } from "../net/tls_client.ts";
import { MAX_NAMED_SERVERS } from "../protocol/limits.ts";
import type { NamedServer } from "../protocol/records.ts";
import { connect } from "./connect.ts";
import { decideTrust, dialTrusted, stranger, type Trust, type Trusted } from "./trust.ts";

/** Where there are several servers, one may take so long to answer, in milliseconds. */
const PATIENCE_MS = 4_000;

/** What an address is made of: it is shown, and stands in a line of a file. */
const ADDRESS = /^[\w.:%-]+$/;

/** A server that a client may join. */
export interface Server {
  readonly endpoint: Endpoint;
  /**
   * Opens a control connection to it.
   *
   * @throws {ExitError} `unreachable`, where nobody answers; `identity`, where it is not who it should be
   */
  dial(): Promise<Connection>;
}

/** The servers of a chat, as a client asks for them. */
export interface ServerChoice {
  /** Those to try now, each once, in this order. */
  round(): readonly Server[];
  /** From now on the client talks to this one. */
  joined(server: Server): void;
  /**
   * The server that was joined names the others of its cluster.
   *
   * @param options whether it said so in its `welcome`
   * @returns fulfilled when it is remembered, where it is
   */
  learn(named: readonly NamedServer[], options: { welcome: boolean }): Promise<void>;
}

interface Candidate extends Server {
  /** What the connection that was opened last is trusted for; undefined where it is plain. */
  trusted: Trusted | undefined;
}

/**
 * The servers that a user has given, and those that these name. First contacts, and what takes files, are
 * done when the first server has been joined.
 */
export class Servers implements ServerChoice {
  readonly #given: readonly Endpoint[];
  readonly #trust: Trust | undefined;
  readonly #clock: Clock;
  /** What the servers that were given and joined are trusted for, by address. */
  readonly #met = new Map<string, Trusted>();
  #current: Candidate | undefined;
  /** How long a server of this round may take to answer, in milliseconds; undefined for as long as one alone. */
  #limitMs: number | undefined;
  /** What the servers have named; without certificates where there is no encryption. */
  #named: Partial<Vouched>[] = [];
  /** Until when servers count that were only named, in milliseconds since 1970. */
  #vouchedUntil = 0;
  /** Of whom the user was warned. */
  readonly #warned = new Set<string>();

  /** @param trust undefined for no encryption */
  constructor(
    given: readonly Endpoint[],
    { trust, clock }: { trust: Trust | undefined; clock: Clock },
  ) {
    this.#given = given;
    this.#trust = trust;
    this.#clock = clock;
  }

  /** What is known of servers; undefined where nothing can be. */
  get knownServers(): KnownServers | undefined {
    return this.#trust?.knownServers;
  }

  round(): readonly Server[] {
    const servers = this.#current === undefined
      ? this.#firstRound()
      : this.#laterRound(this.#current);
    this.#limitMs = servers.length > 1 ? PATIENCE_MS : undefined;
    return servers;
  }

  joined(server: Server): void {
    this.#current = server as Candidate;
    const { trusted, endpoint } = this.#current;
    if (trusted?.met) this.#met.set(formatEndpoint(endpoint), trusted);
    this.#warned.clear();
  }

  async learn(named: readonly NamedServer[], { welcome }: { welcome: boolean }): Promise<void> {
    const encrypted = this.#trust !== undefined;
    this.#named = named.slice(0, MAX_NAMED_SERVERS).flatMap(
      ({ address, port, certificate: encoded }) => {
        if (!ADDRESS.test(address) || port > 65_535) return [];
        const server = { hostname: address, port };
        if (!encrypted) return encoded === undefined ? [{ server }] : [];
        const certificate = decodeCertificate(encoded ?? "");
        return certificate === undefined ? [] : [{ server, certificate }];
      },
    );
    const trusted = this.#current?.trusted;
    if (!trusted?.met) return;
    const now = this.#clock.date().getTime();
    this.#vouchedUntil = now + VOUCHED_MS;
    if (!welcome) return;
    // Where it can't be written there is a chat still.
    await this.knownServers?.rememberVouched(trusted.certificate, this.#vouched, now).catch(
      () => {},
    );
  }

  /** What was given, and what is remembered as named by that. */
  #firstRound(): Server[] {
    const given = this.#given.map((server) => this.#candidate(server, () => this.#meet(server)));
    // A fingerprint that is demanded is that of the first server.
    const known = this.#trust?.fingerprint === undefined ? this.knownServers : undefined;
    const remembered = this.#given.flatMap((server) => {
      const voucher = known?.find(server);
      const now = this.#clock.date().getTime();
      const vouched = voucher === undefined ? [] : known!.vouchedBy(voucher, now);
      return vouched.map((named) => ({ ...named, by: server }));
    });
    return once([
      ...given,
      ...remembered.map(({ server, certificate, by }) =>
        this.#candidate(server, () => {
          const [there, other] = [by, server].map(formatEndpoint);
          this.#trust!.say(`${there} is not there: trying ${other}, which it has named`);
          return this.#known(server) ?? { certificate, met: false };
        })
      ),
    ]);
  }

  /** What was named, what was given, and the one that was lost. */
  #laterRound(current: Candidate): Server[] {
    const candidates = once([
      ...(this.#trust === undefined ? this.#named : this.#vouched).map(({ server }) => server!),
      ...this.#given,
    ].map((server) => this.#candidate(server, () => this.#recognise(server))));
    const same = (server: Server) => keyOf(server) === keyOf(current);
    const { endpoint, trusted } = current;
    const lost = this.#candidate(endpoint, () => trusted!);
    return [...candidates.filter((server) => !same(server)), lost];
  }

  #candidate(endpoint: Endpoint, decide: () => Trusted | Promise<Trusted>): Candidate {
    const trust = this.#trust;
    const dialTls = async () => {
      candidate.trusted = await decide();
      return await dialTrusted(endpoint, candidate.trusted, {
        trust: trust!,
        limitMs: this.#limitMs,
      });
    };
    const candidate: Candidate = {
      endpoint,
      trusted: undefined,
      dial: async () => {
        try {
          return await connect(endpoint, trust && dialTls, { limitMs: this.#limitMs });
        } catch (error) {
          if (this.#current !== undefined) this.#warn(endpoint, error);
          throw error;
        }
      },
    };
    return candidate;
  }

  /** Of a server that is not who it should be the user is told once, and the others are tried. */
  #warn(server: Endpoint, error: unknown): void {
    const identity = error instanceof ExitError && error.exitCode === ExitCode.identity;
    const key = formatEndpoint(server);
    if (!identity || this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#trust!.say(error.message);
  }

  async #meet(server: Endpoint): Promise<Trusted> {
    return { certificate: await decideTrust(server, this.#trust!, this.#limitMs), met: true };
  }

  /** Whom to trust where there is no first contact any more. */
  async #recognise(server: Endpoint): Promise<Trusted> {
    const known = this.#known(server);
    if (known !== undefined) return known;
    const key = formatEndpoint(server);
    const named = this.#vouched.find(({ server }) => formatEndpoint(server) === key);
    if (named !== undefined) return { certificate: named.certificate, met: false };
    // The user knows it by another address than the servers do.
    const shown = await readCertificate(server, { limitMs: this.#limitMs });
    const same = this.#vouched.some(({ certificate }) => Buffer.compare(certificate, shown) === 0);
    if (same) return { certificate: shown, met: false };
    throw stranger(server);
  }

  /** What the client has met itself. */
  #known(server: Endpoint): Trusted | undefined {
    const met = this.#met.get(formatEndpoint(server));
    if (met !== undefined) return met;
    const certificate = this.knownServers?.find(server);
    return certificate && { certificate, met: true };
  }

  /** What was named with a certificate, while that counts. */
  get #vouched(): Vouched[] {
    if (this.#clock.date().getTime() > this.#vouchedUntil) return [];
    return this.#named.flatMap(({ server, certificate }) =>
      certificate === undefined ? [] : [{ server: server!, certificate }]
    );
  }
}

function keyOf({ endpoint: { hostname, port } }: Server): string {
  return formatEndpoint({ hostname: hostname.toLowerCase(), port });
}

/** Each address once, the first time. */
function once<S extends Server>(servers: readonly S[]): S[] {
  const keys = servers.map(keyOf);
  return servers.filter((_, index) => keys.indexOf(keys[index]!) === index);
}
