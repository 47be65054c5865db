/** A server, and how it is spoken to. */
export interface Target {
  server: "chatserver" | "ngircd" | "inspircd";
  tls: boolean;
  /** Only of our own. */
  udp?: boolean;
}

/** Ours as they are by default, with and without encryption. */
export const OURS: readonly Target[] = [
  { server: "chatserver", tls: true, udp: true },
  { server: "chatserver", tls: false, udp: true },
];
/** Ours with clients that never bind a data channel. */
export const WITHOUT_UDP: readonly Target[] = [
  { server: "chatserver", tls: true, udp: false },
  { server: "chatserver", tls: false, udp: false },
];
/** The IRC servers that ours is compared with. */
export const PEERS: readonly Target[] = [
  { server: "ngircd", tls: true },
  { server: "inspircd", tls: true },
  { server: "ngircd", tls: false },
  { server: "inspircd", tls: false },
];

/** What a target is called in tables. */
export function labelOf({ server, tls, udp }: Target): string {
  return `${server}, ${tls ? "TLS" : "plain"}${udp === false ? ", no UDP" : ""}`;
}
