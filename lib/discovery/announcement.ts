import type { Answer, Packet, Question } from "multicast-dns";
import { parseFingerprint } from "../net/certificate.ts";

/** The service of the data channel, as DNS-SD (RFC 6763) names it. */
export const SERVICE = "_chat._udp.local";
/** What asks for all services. */
const ALL_SERVICES = "_services._dns-sd._udp.local";
/** How long an answer may be believed, in seconds. */
const TTL = 120;
/** No name of a host is longer. */
const MAX_NAME_LENGTH = 64;

/** What a server tells the local network about itself. */
export interface Announcement {
  /** What people call it: the name of its machine. */
  name: string;
  port: number;
  /** As `fingerprintOf()` writes it; undefined where the server is plain. */
  fingerprint: string | undefined;
}

/** A server that has announced itself. Nothing of it is proven. */
export interface Announced extends Announcement {
  /** Its IPv4 address. */
  address: string;
}

interface Names {
  instance: string;
  host: string;
}

/** Two machines of one name are told apart by their fingerprints. */
function namesOf({ name, port, fingerprint = "plain" }: Announcement): Names {
  const id = fingerprint.replace(/^SHA256:/, "").replaceAll(/[^A-Za-z0-9]/g, "").slice(0, 8);
  // A dot would end the label, which has 63 bytes at most.
  const label = name.replaceAll(/[^\w-]/g, "-").slice(0, 40);
  return {
    instance: `${label}-${port}-${id}.${SERVICE}`,
    host: `chat-${label}-${id}.local`,
  };
}

/**
 * The records that say where a server is (RFC 6763): the answer, and what goes along with it.
 *
 * @param address the server's on the network that they are for
 * @param ttl in seconds; 0 says that the server is going
 */
export function recordsOf(
  announcement: Announcement,
  { address, ttl = TTL }: { address: string; ttl?: number },
): { answers: Answer[]; additionals: Answer[] } {
  const { name, port, fingerprint } = announcement;
  const { instance, host } = namesOf(announcement);
  const text = [`name=${name}`, ...fingerprint === undefined ? [] : [`fingerprint=${fingerprint}`]];
  return {
    answers: [{ type: "PTR", name: SERVICE, ttl, data: instance }],
    additionals: [
      { type: "SRV", name: instance, ttl, data: { port, target: host } },
      { type: "TXT", name: instance, ttl, data: text },
      { type: "A", name: host, ttl, data: address },
    ],
  };
}

/** What a server answers to a question; undefined where it is not asked. */
export function answerTo(
  questions: readonly Question[],
  announcement: Announcement,
  address: string,
): Pick<Packet, "answers" | "additionals"> | undefined {
  const { answers, additionals } = recordsOf(announcement, { address });
  const names = questions.map(({ name }) => name.toLowerCase());
  if (names.includes(SERVICE)) return { answers, additionals };
  if (names.includes(ALL_SERVICES)) {
    const answer = { type: "PTR", name: ALL_SERVICES, ttl: TTL, data: SERVICE } as const;
    return { answers: [answer], additionals: [] };
  }
  const asked = additionals.filter(({ name }) => names.includes(name.toLowerCase()));
  return asked.length > 0 ? { answers: asked, additionals: [] } : undefined;
}

/**
 * The servers that a packet announces. It may come from anybody, so what is not as {@linkcode recordsOf}
 * makes it is left out.
 */
export function parseAnnounced({ answers, additionals }: Packet): Announced[] {
  const records = [...answers, ...additionals].filter(({ ttl }) => ttl > 0);
  const find = <T extends Answer["type"]>(type: T, name: string) =>
    records.find((record) => record.type === type && record.name === name) as
      | Extract<Answer, { type: T }>
      | undefined;
  const pointers = records.filter((record) => record.type === "PTR" && record.name === SERVICE);
  return pointers.flatMap(({ data }) => {
    const instance = String(data);
    const service = find("SRV", instance)?.data;
    const address = find("A", service?.target ?? "")?.data;
    const text = parseText(find("TXT", instance)?.data ?? []);
    const name = text.get("name");
    if (service === undefined || address === undefined || !name) return [];
    if (!(service.port >= 1 && service.port <= 65_535)) return [];
    const fingerprint = text.get("fingerprint");
    const parsed = fingerprint === undefined ? undefined : parseFingerprint(fingerprint);
    if (fingerprint !== undefined && parsed === undefined) return [];
    return [{
      name: name.slice(0, MAX_NAME_LENGTH),
      port: service.port,
      address,
      fingerprint: parsed,
    }];
  });
}

/** The `key=value` of a TXT record; the first counts. */
function parseText(data: readonly (string | Uint8Array)[]): Map<string, string> {
  const entries = [data].flat().map((entry) => {
    const text = typeof entry === "string" ? entry : new TextDecoder().decode(entry);
    const [, key = "", value = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    return [key, value] as const;
  });
  return new Map(entries.toReversed());
}
