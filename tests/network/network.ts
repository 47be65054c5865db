/** The port of the server, and of a relay. */
export const PORT = 4000;
const SERVER = "10.0.1.2";
const ROUTER = { server: "10.0.1.1", clients: "10.0.2.1" };
const CLIENTS = ["10.0.2.2", "10.0.2.3"] as const;

/** No packet of bind, challenge, response or bound is as long, and every one with a message is. */
const SHORTEST_DATA_BYTES = 100;

const UDP = ["-p", "udp"];
const DROP = ["-j", "DROP"];

let created = 0;

/**
 * A network of three namespaces in a row: the server's, a router's, the clients'. What goes wrong goes
 * wrong in the router, so that neither side is told.
 *
 * The rules stand in the table `raw`, before anything could put fragments together again; they see
 * what the router forwards and what a relay in it takes in, in both directions.
 */
export class Network implements AsyncDisposable {
  readonly #name = `chat-${Deno.pid}-${++created}`;

  private constructor() {}

  /** @param options whether UDP gets through at all; otherwise never, whatever is healed */
  static async create({ udp }: { udp: boolean }): Promise<Network> {
    await sweep();
    const network = new Network();
    try {
      await network.#build();
      if (!udp) await network.#iptables("-t", "mangle", "-A", "PREROUTING", ...UDP, ...DROP);
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where clients find the server when nothing stands in between. */
  readonly server = { hostname: SERVER, port: PORT };
  /** Where they find it behind a relay in the router. */
  readonly relay = { hostname: ROUTER.clients, port: PORT };

  /** What starts a program in one of the namespaces. */
  launcher(place: "server" | "router" | "clients"): string[] {
    return ["ip", "netns", "exec", this.#namespace(place)];
  }

  /** Loses each packet with a probability, whatever it is and wherever it goes. */
  async lose(probability: number): Promise<void> {
    const random = ["-m", "statistic", "--mode", "random", "--probability", `${probability}`];
    await this.#drop(...random);
  }

  /** Loses each UDP packet with a probability, and nothing else. */
  async loseUdp(probability: number): Promise<void> {
    const random = ["-m", "statistic", "--mode", "random", "--probability", `${probability}`];
    await this.#drop(...UDP, ...random);
  }

  async loseEverything(): Promise<void> {
    await this.#drop();
  }

  async blockUdp(): Promise<void> {
    await this.#drop(...UDP);
  }

  /** Loses what is sent by UDP to one side; the other way stays open. */
  async blockUdpTo(side: "server" | "clients"): Promise<void> {
    const from = side === "server" ? "clients" : "server";
    await this.#drop("-i", `to-${from}`, ...UDP);
  }

  /** Loses every fragment but the first of a packet, and so what was fragmented. */
  async dropFragments(): Promise<void> {
    await this.#drop("-f");
  }

  /** Loses nothing any more. */
  async heal(): Promise<void> {
    await this.#iptables("-t", "raw", "-F", "PREROUTING");
  }

  /** Sets how long a packet may be between router and clients. */
  async setMtu(bytes: number): Promise<void> {
    for (const place of ["router", "clients"] as const) {
      await this.#ip(place, "link", "set", "to-clients", "mtu", `${bytes}`);
    }
  }

  /** Takes the clients' address away and gives them another one. */
  async moveClients(): Promise<void> {
    const [before, after] = CLIENTS;
    await this.#ip("clients", "address", "del", `${before}/24`, "dev", "to-clients");
    await this.#ip("clients", "address", "add", `${after}/24`, "dev", "to-clients");
    await this.#ip("clients", "route", "add", "default", "via", ROUTER.clients);
  }

  /** How many UDP packets with messages, or pieces of such, have left the router for the clients. */
  async dataPackets(): Promise<number> {
    const rules = await this.#iptables("-t", "mangle", "-nvxL", "POSTROUTING");
    return Number(/^ *(\d+) .* length /m.exec(rules)![1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of ["server", "router", "clients"] as const) {
      await run("ip", "netns", "del", this.#namespace(place)).catch(() => {});
    }
  }

  async #build(): Promise<void> {
    for (const place of ["server", "router", "clients"] as const) {
      await run("ip", "netns", "add", this.#namespace(place));
      await this.#ip(place, "link", "set", "lo", "up");
    }
    await this.#connect("server", SERVER);
    await this.#connect("clients", CLIENTS[0]);
    await run(...this.launcher("router"), "sysctl", "-qw", "net.ipv4.ip_forward=1");
    const length = ["-m", "length", "--length", `${SHORTEST_DATA_BYTES}:65535`];
    // Counts only.
    await this.#iptables(
      "-t",
      "mangle",
      "-A",
      "POSTROUTING",
      "-o",
      "to-clients",
      ...UDP,
      ...length,
    );
  }

  /** A cable between the router and a namespace, with what is needed to reach the other one. */
  async #connect(place: "server" | "clients", address: string): Promise<void> {
    const device = `to-${place}`;
    const other = ["peer", "name", device, "netns", this.#namespace(place)];
    await this.#ip("router", "link", "add", device, "type", "veth", ...other);
    const ends = [["router", ROUTER[place]], [place, address]] as const;
    for (const [end, endAddress] of ends) {
      await this.#ip(end, "address", "add", `${endAddress}/24`, "dev", device);
      // What crosses a cable is packets, not the large pieces that a kernel hands to itself: otherwise
      // one loss would hit dozens of TCP's segments at once, and so seldom.
      await this.#ip(end, "link", "set", device, "gso_max_segs", "1", "up");
    }
    await this.#ip(place, "route", "add", "default", "via", ROUTER[place]);
  }

  #namespace(place: "server" | "router" | "clients"): string {
    return `${this.#name}-${place}`;
  }

  async #drop(...match: string[]): Promise<void> {
    await this.#iptables("-t", "raw", "-A", "PREROUTING", ...match, ...DROP);
  }

  async #iptables(...args: string[]): Promise<string> {
    return await run(...this.launcher("router"), "iptables", "-w", ...args);
  }

  async #ip(place: "server" | "router" | "clients", ...args: string[]): Promise<void> {
    await run("ip", "-n", this.#namespace(place), ...args);
  }
}

/** Removes the namespaces of runs that were killed and so could not do it themselves. */
async function sweep(): Promise<void> {
  const names = await run("ip", "netns", "list");
  for (const [name, pid] of names.matchAll(/^chat-(\d+)-\d+-\w+/gm)) {
    const alive = await Deno.stat(`/proc/${pid}`).then(() => true, () => false);
    // Another run may sweep at the same time.
    if (!alive) await run("ip", "netns", "del", name).catch(() => {});
  }
}

/** @throws with what the program said, where it fails */
async function run(...[program, ...args]: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program!, { args }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`${program} ${args.join(" ")}: ${decoder.decode(stderr)}`);
}
