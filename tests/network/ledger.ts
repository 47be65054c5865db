/** One message that a client is to send. */
export interface Planned {
  text: string;
  sender: number;
  /** The one addressee; undefined for everybody else. */
  to: number | undefined;
}

/** A message as the server has stored it. */
export interface Stored {
  /** Its place in the order of all messages. */
  id: number;
  at: number;
}

/** What became of the messages. Times are in milliseconds. */
export interface Figures {
  expected: number;
  lost: number;
  twice: number;
  /** Shown after one that the server took later, or to somebody whom it was not for. */
  misplaced: number;
  /** From the line that the sender typed to the line that the receiver read, ascending. */
  fromSender: number[];
  /** From the time at which the server took the message, ascending. */
  fromServer: number[];
}

/** Who was to be shown which message, and who was shown which when. */
export class Ledger {
  readonly #clients: number;
  readonly #messages = new Map<string, { planned: Planned; typedAt: number }>();
  /** For each client, in the order in which they came. */
  readonly #shown: { text: string; at: number }[][];
  /** Receiver and text of what is expected and has not come. */
  readonly #missing = new Set<string>();
  #complete = Promise.withResolvers<void>();

  constructor(clients: number) {
    this.#clients = clients;
    this.#shown = Array.from({ length: clients }, () => []);
  }

  /** A client's user has typed a message. */
  typed(planned: Planned, at: number): void {
    this.#messages.set(planned.text, { planned, typedAt: at });
    for (const receiver of this.#receivers(planned)) {
      this.#missing.add(`${receiver} ${planned.text}`);
    }
  }

  /** A client has shown a message. */
  shown(receiver: number, text: string, at: number): void {
    this.#shown[receiver]!.push({ text, at });
    this.#missing.delete(`${receiver} ${text}`);
    if (this.#missing.size > 0) return;
    this.#complete.resolve();
    this.#complete = Promise.withResolvers();
  }

  /** Waits until everything typed has come. */
  async complete(): Promise<void> {
    if (this.#missing.size > 0) await this.#complete.promise;
  }

  /**
   * What became of the messages that `counts` is true of, by default all.
   *
   * @param stored by text
   */
  figures(
    stored: ReadonlyMap<string, Stored>,
    counts: (receiver: number, typedAt: number) => boolean = () => true,
  ): Figures {
    const figures = { expected: 0, lost: 0, twice: 0, misplaced: 0 };
    const fromSender: number[] = [];
    const fromServer: number[] = [];
    for (const [receiver, all] of this.#shown.entries()) {
      const wanted = new Set<string>();
      for (const [text, { planned, typedAt }] of this.#messages) {
        const isFor = this.#receivers(planned).includes(receiver);
        if (isFor && counts(receiver, typedAt)) wanted.add(text);
      }
      figures.expected += wanted.size;
      const seen = new Set<string>();
      let last = 0;
      for (const { text, at } of all) {
        const message = this.#messages.get(text);
        if (message === undefined || !this.#receivers(message.planned).includes(receiver)) {
          figures.misplaced++;
          continue;
        }
        const { id, at: storedAt } = stored.get(text)!;
        if (id < last) figures.misplaced++;
        last = Math.max(last, id);
        if (!wanted.has(text)) continue;
        if (seen.has(text)) {
          figures.twice++;
          continue;
        }
        seen.add(text);
        fromSender.push(at - message.typedAt);
        fromServer.push(at - storedAt);
      }
      figures.lost += wanted.size - seen.size;
    }
    const ascending = (a: number, b: number) => a - b;
    fromSender.sort(ascending);
    fromServer.sort(ascending);
    return { ...figures, fromSender, fromServer };
  }

  #receivers({ sender, to }: Planned): number[] {
    if (to !== undefined) return [to];
    return Array.from({ length: this.#clients }, (_, client) => client)
      .filter((client) => client !== sender);
  }
}

/** The value that a share of all values, which ascend, does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  return values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? NaN;
}
