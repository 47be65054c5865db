import type { MulticastDns, Packet } from "multicast-dns";
import type { Clock } from "../clock.ts";
import { reasonOf } from "../reasons.ts";
import { type Announcement, answerTo, recordsOf } from "./announcement.ts";
import { Networks } from "./networks.ts";

/** How long between two looks at the machine's networks, in milliseconds. */
const REFRESH_MS = 15_000;
/** How long between two answers on one network: everybody hears the same one. */
const PAUSE_MS = 250;
/** How long the goodbye may take, in milliseconds. */
const GOODBYE_MS = 200;

/** Options of {@linkcode Announcer}. */
export interface AnnouncerOptions {
  clock: Clock;
  /** Only on the network of this address. @default all */
  hostname?: string | undefined;
  log: (line: string) => void;
}

/**
 * Tells the local network, to whoever asks by multicast DNS, that a server is here. Answers go to the
 * multicast group only, so nobody can aim them at somebody else.
 */
export class Announcer implements AsyncDisposable {
  readonly #announcement: Announcement;
  readonly #options: AnnouncerOptions;
  readonly #sockets = new Map<MulticastDns, string>();
  readonly #networks: Networks;
  #refreshing: Disposable | undefined;
  #complained = false;

  constructor(announcement: Announcement, options: AnnouncerOptions) {
    this.#announcement = announcement;
    this.#options = options;
    this.#networks = new Networks({
      hostname: options.hostname,
      onSocket: (socket, address) => this.#serve(socket, address),
      onError: (error) => this.#complain(error),
    });
    this.#refreshLater();
  }

  #serve(socket: MulticastDns, address: string): void {
    let last = -Infinity;
    this.#sockets.set(socket, address);
    socket.on("query", ({ questions }: Packet) => {
      const now = this.#options.clock.now();
      const answer = answerTo(questions, this.#announcement, address);
      if (answer === undefined || now - last < PAUSE_MS) return;
      last = now;
      socket.respond(answer);
    });
  }

  #refreshLater(): void {
    this.#refreshing = this.#options.clock.after(REFRESH_MS, () => {
      this.#networks.refresh();
      this.#refreshLater();
    });
  }

  #complain(error: Error): void {
    if (this.#complained) return;
    this.#complained = true;
    this.#options.log(`not to be found on the local network: ${reasonOf(error)}`);
  }

  /** Says that the server is going. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#refreshing?.[Symbol.dispose]();
    const goodbyes = [...this.#sockets].map(([socket, address]) => {
      const said = Promise.withResolvers<void>();
      const { answers } = recordsOf(this.#announcement, { address, ttl: 0 });
      socket.respond({ answers }, said.resolve);
      return said.promise;
    });
    const late = Promise.withResolvers<void>();
    using _limit = this.#options.clock.after(GOODBYE_MS, late.resolve);
    await Promise.race([Promise.all(goodbyes), late.promise]);
    await this.#networks[Symbol.asyncDispose]();
  }
}
