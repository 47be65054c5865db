import type { Finding, Problem, Situation } from "./finding.ts";

type Diagnosis = Required<Pick<Finding, "where" | "cures">> & Pick<Finding, "means">;

/** At which machine a problem is, and what will likely help. */
export function diagnose(problem: Problem, situation: Situation): Diagnosis {
  return DIAGNOSES[problem](situation);
}

const STILL_WORKS = "the chat works all the same: messages come by TCP";

const DIAGNOSES: Record<Problem, (situation: Situation) => Diagnosis> = {
  name: () => ({
    where: "this machine, or the name server that it asks",
    cures: [
      "check the spelling",
      "give the address that the server printed when it started, such as 10.0.0.114",
      "names that end in .local need multicast DNS, which many networks block",
    ],
  }),
  route: (situation) => ({
    where: "this machine, or its network",
    cures: [
      "check that this machine has joined the network that the server is in",
      ...localNetwork(situation),
      "check the address: it could be one of another network, or an old one of the server's",
    ],
  }),
  "no-answer": (situation) => ({
    where: "the server's machine, or the network between",
    cures: [
      "check that the server's machine is on, and that this is its address",
      `let the port through the firewall of the server's machine:${
        openPort(situation, ["tcp", "udp"])
      }`,
      ...guestNetwork(situation),
      ...localNetwork(situation),
    ],
  }),
  port: ({ server }) => ({
    where: "the server's machine",
    cures: [
      "check the port: the server prints it when it starts",
      `start the server there: chatserver ${server.port}`,
      "check that the server listens on this address: --host may have given it another one",
    ],
  }),
  "no-chat-server": ({ server }) => ({
    where: "the server's machine",
    cures: [
      `check the port: another program answers at ${server.port}`,
      "a login page of a guest network may answer in the server's place: open a web page, and log in",
    ],
  }),
  encryption: () => ({
    where: "here, in how the client is started",
    cures: ["give --plain where the server was started with it, and leave it out where not"],
  }),
  identity: () => ({
    where: "the server's machine, or somebody between who answers in its place",
    means: "the client refuses this server",
    cures: [
      "ask whoever runs the server, by another way, for the fingerprint that it printed when it started",
      "if it is the one shown here: chatclient ... --fingerprint takes the new one for good",
      "if it is not: somebody else answers; send nothing",
    ],
  }),
  version: () => ({
    where: "here and at the server",
    cures: ["take client and server from the same release"],
  }),
  "udp-here": () => ({
    where: "this machine",
    means: STILL_WORKS,
    cures: [
      "check what keeps programs here from opening UDP sockets: a sandbox, or a security program",
    ],
  }),
  "udp-to-server": (situation) => ({
    where: "the firewall of the server's machine, or the network between",
    means: STILL_WORKS,
    cures: [
      `let UDP through the firewall of the server's machine:${openPort(situation, ["udp"])}`,
      "networks of schools and companies often block UDP: ask who runs it",
      "behind a router, forward the port for UDP too",
    ],
  }),
  "udp-from-server": (situation) => ({
    where: "the firewall of this machine, or the network between",
    means: STILL_WORKS,
    cures: [
      `let the server's answers through the firewall here:${admitAnswers(situation)}`,
      "look whether a security program or a VPN on this machine filters UDP",
      "ask who runs the network whether UDP is let out but not in",
    ],
  }),
  "packet-size": () => ({
    where: "the network between: a tunnel, a VPN or a router with a small MTU that drops fragments",
    means: "the chat works all the same: it goes over to small packets, or to TCP",
    cures: [
      "try without the VPN, or set a smaller MTU in it",
      'have the router let fragments and ICMP "fragmentation needed" through',
    ],
  }),
  loss: () => ({
    where: "the network between, often the WLAN",
    means: "the chat works all the same: what is lost is sent again, and comes later",
    cures: [
      "take a cable, or go nearer to the access point",
      "look whether somebody fills the network with a large transfer",
    ],
  }),
  clock: ({ os }) => ({
    where: "this machine or the server's: compare both with a clock that is right",
    means: "the chat works all the same: only the times that it shows are wrong",
    cures: [`set the clock here: ${setClock(os)}`, "or at the server"],
  }),
  terminal: ({ os }) => ({
    where: "this machine's terminal",
    means: "what is not ASCII will look wrong",
    cures: [
      os === "windows"
        ? 'type "chcp 65001", or take the program Windows Terminal'
        : "choose UTF-8 in the terminal's settings, and a UTF-8 locale, such as LANG=C.UTF-8",
    ],
  }),
};

/** How a port is opened on the systems that the server may have: a line each. */
function openPort(
  { server: { port } }: Situation,
  protocols: readonly ("tcp" | "udp")[],
): string {
  const ufw = protocols.map((protocol) => `sudo ufw allow ${port}/${protocol}`).join("; ");
  const firewalld = protocols.map((protocol) => `--add-port=${port}/${protocol}`).join(" ");
  const windows = protocols.map((protocol) =>
    "New-NetFirewallRule -DisplayName chatserver -Direction Inbound " +
    `-Protocol ${protocol.toUpperCase()} -LocalPort ${port} -Action Allow`
  ).join("; ");
  return [
    "",
    `Linux: ${ufw}`,
    `Linux with firewalld: sudo firewall-cmd ${firewalld}`,
    `Windows, as administrator: ${windows}`,
    "macOS: System Settings, Network, Firewall, Options: let chatserver take connections",
  ].join("\n");
}

/** How answers from the server's port are let in on this system: a line each. */
function admitAnswers({ server: { port }, address, os }: Situation): string {
  switch (os) {
    case "windows":
      return "\nas administrator: New-NetFirewallRule -DisplayName chatclient -Direction Inbound " +
        `-Protocol UDP -RemoteAddress ${address} -RemotePort ${port} -Action Allow`;
    case "darwin":
      return "\nSystem Settings, Network, Firewall, Options: let chatclient take connections";
    default: {
      const family = address.includes(":") ? "ipv6" : "ipv4";
      return `\nsudo ufw allow proto udp from ${address} port ${port}\n` +
        `with firewalld: sudo firewall-cmd --add-rich-rule='rule family=${family} source ` +
        `address=${address} source-port port=${port} protocol=udp accept'`;
    }
  }
}

/** macOS keeps programs out of the local network until its user allows them in. */
function localNetwork({ os, address }: Situation): string[] {
  if (os !== "darwin" || !isPrivate(address)) return [];
  return [
    "let the terminal into the local network: System Settings, Privacy & Security, Local Network",
  ];
}

function guestNetwork({ address }: Situation): string[] {
  if (!isPrivate(address)) return [];
  return [
    "guest WLANs often keep their users apart: take another WLAN or a cable for both machines",
  ];
}

/** Whether an address is one of a local network (RFC 1918, RFC 3927, RFC 4193, RFC 4291). */
export function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i
    .test(address);
}

function setClock(os: typeof Deno.build.os): string {
  switch (os) {
    case "windows":
      return "w32tm /resync";
    case "darwin":
      return "System Settings, General, Date & Time: set automatically";
    default:
      return "sudo timedatectl set-ntp true";
  }
}
