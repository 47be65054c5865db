import { assert, assertEquals } from "@std/assert";
import type { Answer, Packet } from "multicast-dns";
import {
  type Announcement,
  answerTo,
  parseAnnounced,
  recordsOf,
  SERVICE,
} from "../../lib/discovery/announcement.ts";

const FINGERPRINT = "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0";
const LAB: Announcement = { name: "lab.example", port: 1300, fingerprint: FINGERPRINT };
const address = "10.0.0.114";

const packetOf = (announcement: Announcement, ttl = 120): Packet => ({
  questions: [],
  ...recordsOf(announcement, { address, ttl }),
});

Deno.test("parseAnnounced() reads what recordsOf() makes", () => {
  assertEquals(parseAnnounced(packetOf(LAB)), [{ ...LAB, address }]);
  const plain = { ...LAB, fingerprint: undefined };
  assertEquals(parseAnnounced(packetOf(plain)), [{ ...plain, address }]);
  // As it travels, the text is bytes.
  const bytes = packetOf(LAB);
  for (const record of bytes.additionals) {
    if (record.type !== "TXT") continue;
    record.data = record.data.map((text) => new TextEncoder().encode(String(text)));
  }
  assertEquals(parseAnnounced(bytes), [{ ...LAB, address }]);
});

Deno.test("two machines of one name have records of different names", () => {
  const other = { ...LAB, fingerprint: FINGERPRINT.replace("ungW", "WWWW") };
  const both: Packet = {
    questions: [],
    answers: [...packetOf(LAB).answers, ...packetOf(other).answers],
    additionals: [...packetOf(LAB).additionals, ...packetOf(other).additionals],
  };
  assertEquals(parseAnnounced(both).map(({ fingerprint }) => fingerprint), [
    FINGERPRINT,
    other.fingerprint,
  ]);
});

Deno.test("parseAnnounced() leaves out what is not as it should be", () => {
  const without = (type: Answer["type"]): Packet => {
    const packet = packetOf(LAB);
    return { ...packet, additionals: packet.additionals.filter((record) => record.type !== type) };
  };
  const wrong: Packet[] = [
    packetOf(LAB, 0),
    without("SRV"),
    without("TXT"),
    without("A"),
    packetOf({ ...LAB, port: 0 }),
    packetOf({ ...LAB, port: 65_536 }),
    packetOf({ ...LAB, name: "" }),
    packetOf({ ...LAB, fingerprint: "SHA256:short" }),
    { questions: [], answers: [], additionals: [] },
  ];
  for (const packet of wrong) assertEquals(parseAnnounced(packet), []);
  const long = parseAnnounced(packetOf({ ...LAB, name: "x".repeat(1_000) }));
  assertEquals(long[0]!.name.length, 64);
});

Deno.test("answerTo() answers who asks for this service, whatever the letter case", () => {
  const ask = (name: string) => answerTo([{ name, type: "PTR" }], LAB, address);
  const all = ask(SERVICE.toUpperCase())!;
  assertEquals(parseAnnounced({ questions: [], ...all }), [{ ...LAB, address }]);
  assertEquals(ask("_services._dns-sd._udp.local")!.answers.length, 1);
  const instance = String(all.answers[0]!.data);
  assertEquals(ask(instance)!.answers.map(({ type }) => type), ["SRV", "TXT"]);
  // A label has 63 bytes at most, and no dot.
  assert(instance.indexOf(`.${SERVICE}`) <= 63 && !instance.split(`.${SERVICE}`)[0]!.includes("."));
  for (const other of ["_ipp._tcp.local", "", "local"]) assertEquals(ask(other), undefined);
});
