import { assertEquals } from "@std/assert";
import { systemClock } from "../../lib/clock.ts";
import { ChatClient } from "../../lib/client/client.ts";
import { openSocket } from "../../lib/client/connect.ts";
import { Servers } from "../../lib/client/servers.ts";
import { RequestError } from "../../lib/client/session.ts";
import type { Endpoint } from "../../lib/net/connection.ts";
import type { Message } from "../../lib/protocol/records.ts";
import { quantile } from "../network/ledger.ts";

/** So many messages somebody sends at a time. */
export const AT_ONCE = 3;
/** How long who sends waits from their answers to the next ones, in milliseconds. */
const PAUSE_MS = 1_200;
/** One message of so many goes to all, the others to one. */
const PUBLIC_EVERY = 4;

/** A message that somebody sent. */
interface Sent {
  from: number;
  /** How many its sender had sent before. */
  number: number;
  to: number | undefined;
  /** Its id, when its sender saw "Message sent". */
  id: number | undefined;
}

/** Somebody at the chat. */
interface Person {
  name: string;
  chat: ChatClient;
  shown: { message: Message; at: number }[];
  /** What the server said. */
  notices: string[];
  answered: number;
  /** The address of the server that it is at, or was at last. */
  host: string;
  /** When the connection was lost, if it is. */
  lostAt: number | undefined;
}

/** What became of everything that was sent. */
export interface Outcome {
  /** Messages whose sender saw "Message sent", and how many addressees they had together. */
  sent: number;
  deliveries: number;
  lost: number;
  twice: number;
  /** Shown after one with a higher id, or that its sender sent later, or to somebody whom it was not for. */
  misplaced: number;
}

/** Clients in this process, each with a user who sends and reads. */
export class Crowd implements AsyncDisposable {
  readonly people: Person[] = [];
  readonly #sent = new Map<string, Sent>();
  /** From each message's sending to its answer, in milliseconds, since the figures were asked for last. */
  #waits: number[] = [];
  /** How long connections were lost, in milliseconds, the same. */
  #gaps: number[] = [];
  /** How many messages were refused, the same. */
  #refused = 0;
  #over = false;
  #running: Promise<void>[] = [];
  readonly #servers: readonly Endpoint[];

  private constructor(servers: readonly Endpoint[]) {
    this.#servers = servers;
  }

  /** Logs in accounts with the password "geheim", one server after another. */
  static async join(names: readonly string[], servers: readonly Endpoint[]): Promise<Crowd> {
    const crowd = new Crowd(servers);
    for (const [i, name] of names.entries()) crowd.people.push(await crowd.#logIn(name, i));
    return crowd;
  }

  async #logIn(name: string, i: number): Promise<Person> {
    // It learns of the others from the first.
    const first = this.#servers[i % this.#servers.length]!;
    const servers = new Servers([first], { trust: undefined, clock: systemClock });
    const person = {
      ...{ name, shown: [], notices: [], answered: 0, lostAt: undefined, host: first.hostname },
    } as unknown as Person;
    person.chat = await ChatClient.open({
      clock: systemClock,
      random: () => 0,
      servers,
      openSocket,
      onMessage: (message) => person.shown.push({ message, at: performance.now() }),
      onLost: () => person.lostAt ??= performance.now(),
      onBack: ({ server }) => {
        person.host = server!.hostname;
        this.#gaps.push(performance.now() - person.lostAt!);
        person.lostAt = undefined;
      },
      onNotice: (message) => person.notices.push(message),
    });
    await person.chat.identify(name);
    await person.chat.authenticate("geheim");
    return person;
  }

  /** Has everybody send, until {@linkcode stop}. */
  start(): void {
    this.#running = this.people.map((_, i) => this.#send(i));
  }

  async #send(from: number): Promise<void> {
    await pause(PAUSE_MS * from / this.people.length);
    for (let i = 0; !this.#over; i += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, j) => this.#say(from, i + j)));
      await pause(PAUSE_MS);
    }
  }

  async #say(from: number, number: number): Promise<void> {
    const person = this.people[from]!;
    const text = `${person.name} ${number}`;
    const step = 1 + (from + number) % (this.people.length - 1);
    const to = number % PUBLIC_EVERY === 0 ? undefined : (from + step) % this.people.length;
    const sent: Sent = { from, number, to, id: undefined };
    this.#sent.set(text, sent);
    const started = performance.now();
    try {
      sent.id = to === undefined
        ? await person.chat.publish(text)
        : (await person.chat.direct(this.people[to]!.name, text)).message;
      this.#waits.push(performance.now() - started);
      person.answered++;
    } catch (error) {
      // A minute was too short for NATS. It may be stored or not, but was not confirmed.
      if (!(error instanceof RequestError) || error.code !== "not-stored") throw error;
      this.#refused++;
    }
  }

  /** Waits until everybody was answered so many times more. */
  async answered(times: number): Promise<void> {
    const before = this.people.map(({ answered }) => answered);
    while (this.people.some(({ answered }, i) => answered < before[i]! + times)) await pause(20);
  }

  /** How many messages were answered. */
  get confirmed(): number {
    return this.people.reduce((sum, { answered }) => sum + answered, 0);
  }

  /** How long senders waited for answers, and lost connections for new ones, since this was asked last. */
  figures(): string {
    const waits = this.#waits.sort((a, b) => a - b);
    const gaps = this.#gaps.sort((a, b) => a - b);
    this.#waits = [];
    this.#gaps = [];
    const ms = (value: number | undefined) => `${Math.round(value ?? NaN)} ms`;
    const lost = gaps.length === 0
      ? ""
      : `; ${gaps.length} connections lost, back after ${ms(quantile(gaps, 0.5))}, all after ${
        ms(gaps.at(-1))
      }`;
    const refused = this.#refused === 0 ? "" : `; ${this.#refused} refused`;
    this.#refused = 0;
    return `${waits.length} answers, half within ${ms(quantile(waits, 0.5))}, the last after ${
      ms(waits.at(-1))
    }${lost}${refused}`;
  }

  /** Nobody sends any more; waits until everything has come that was sent. */
  async stop(): Promise<Outcome> {
    this.#over = true;
    await Promise.all(this.#running);
    // What all have seen is after all that any of them has to see.
    const end = "the end";
    this.#sent.set(end, {
      from: 0,
      number: Infinity,
      to: undefined,
      id: await this.people[0]!.chat.publish(end),
    });
    const has = ({ shown }: Person) => shown.some(({ message }) => message.text === end);
    while (!this.people.slice(1).every(has)) await pause(20);
    return this.#outcome();
  }

  #outcome(): Outcome {
    const outcome = { sent: 0, deliveries: 0, lost: 0, twice: 0, misplaced: 0 };
    const times = this.people.map(({ shown }) => {
      const times = new Map<string, number>();
      for (const { message: { text } } of shown) times.set(text, (times.get(text) ?? 0) + 1);
      return times;
    });
    for (const [text, { from, to, id }] of this.#sent) {
      if (id === undefined) continue;
      outcome.sent++;
      const addressees = to === undefined
        ? this.people.keys().filter((i) => i !== from)
        : [to].values();
      for (const i of addressees) {
        outcome.deliveries++;
        if (!times[i]!.has(text)) outcome.lost++;
      }
    }
    outcome.misplaced = this.#overtaken;
    for (const [i, { shown }] of this.people.entries()) {
      outcome.twice += shown.length - times[i]!.size;
      let last = 0;
      for (const { message: { id, text } } of shown) {
        const { from, to } = this.#sent.get(text)!;
        if (id < last || from === i || to !== undefined && to !== i) outcome.misplaced++;
        last = Math.max(last, id);
      }
    }
    return outcome;
  }

  /** How many messages were stored before one that their sender had sent earlier. */
  get #overtaken(): number {
    const newest = new Map<number, number>();
    const stored = [...this.#sent.values()].filter(({ id }) => id !== undefined);
    return stored.toSorted((a, b) => a.id! - b.id!).filter(({ from, number }) => {
      const isLate = number < (newest.get(from) ?? -1);
      newest.set(from, Math.max(number, newest.get(from) ?? -1));
      return isLate;
    }).length;
  }

  /** Somebody's history as each server gives it. */
  async histories(count: number): Promise<string[][]> {
    return await Promise.all(this.#servers.map(async (_, i) => {
      const { chat } = await this.#logIn(this.people[0]!.name, i);
      try {
        const { messages } = await chat.history(count);
        await chat.logout();
        return messages.map(({ id, from, to, sent, text }) =>
          `${id} ${from} ${to} ${sent} ${text}`
        );
      } finally {
        chat.abort();
      }
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    // Begun before they fail, or that would end the process before it says what is wrong.
    const stopped = Promise.allSettled(this.#running);
    for (const { chat } of this.people) chat.abort();
    await Promise.all(this.people.map(({ chat }) => chat.closed));
    await stopped;
  }
}

/** Checks that everything arrived once and in order, and says how much that was. */
export function assertExact({ sent, deliveries, ...faults }: Outcome): void {
  console.log(`    ${sent} messages to ${deliveries} addressees: ${JSON.stringify(faults)}`);
  assertEquals(faults, { lost: 0, twice: 0, misplaced: 0 });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
