import { assertEquals } from "@std/assert";
import type { Certificate } from "../../lib/net/certificate.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import type { ByteStream } from "../../lib/net/stream.ts";
import { dialTls } from "../../lib/net/tls_client.ts";
import { Program, shownMessages, type StartedServer } from "./programs.ts";
import { openUdp, RunningClient } from "./running_server.ts";

const PASSWORD = "geheim";

/** A server program that people meet at, or one of several that are one chat. */
export interface Place extends StartedServer {
  /** Its data folder. */
  folder: string;
}

/** Somebody who is at the chat, by whatever program. */
interface Attendant {
  readonly name: string;
  /** Sends to everybody, and waits until it is stored. */
  say(text: string): Promise<void>;
  /** Waits until so many messages were shown. */
  received(count: number): Promise<void>;
  /** What was shown, as "from text". */
  shown(): string[];
  /** What the server said besides, the times left out; and whether the connection was lost. */
  told(): string[];
  /** Leaves when all that came is shown. */
  leave(): Promise<void>;
}

/** Somebody with the client program. */
export class ProgramUser implements Attendant, AsyncDisposable {
  readonly name: string;
  readonly program: Program;
  #said = 0;

  private constructor(name: string, program: Program) {
    this.name = name;
    this.program = program;
  }

  /** Logs in; the account is made where there is none. */
  static async join(place: Place, name: string): Promise<ProgramUser> {
    const user = ProgramUser.start(place, name);
    await user.program.match(/logout of account\n/);
    return user;
  }

  /** Tries to. */
  static start({ clientArgs }: Place, name: string): ProgramUser {
    const user = new ProgramUser(name, Program.start("client", clientArgs(name)));
    // Who is refused at once reads nothing.
    user.program.type(`${PASSWORD}\n`).catch(() => {});
    return user;
  }

  async type(line: string): Promise<void> {
    await this.program.type(`${line}\n`);
  }

  async say(text: string): Promise<void> {
    await this.type(`PM ${text}`);
    await this.program.count("Message sent\n", ++this.#said);
  }

  async received(count: number): Promise<void> {
    await this.program.count("*** New Message ***\n", count);
  }

  shown(): string[] {
    return shownMessages(this.program.stdout).map((shown) => shown.replace(/^\S+ /, ""));
  }

  told(): string[] {
    return this.program.stderr.split("\n").flatMap((line) =>
      line.startsWith("The server says: ") ? [withoutTimes(line.slice(17))] : []
    );
  }

  async leave(): Promise<void> {
    await this.type("EX");
    await this.program.exitCode();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}

/** Somebody with the client's library, in this process. */
class LibraryUser implements Attendant, AsyncDisposable {
  readonly name: string;
  readonly #client: RunningClient;
  readonly #cut: () => void;

  private constructor(client: RunningClient, cut: () => void) {
    this.name = client.username;
    this.#client = client;
    this.#cut = cut;
  }

  static async join({ port }: Place, name: string, certificate: Certificate): Promise<LibraryUser> {
    let stream: ByteStream | undefined;
    const server = { hostname: "127.0.0.1", port: Number(port) };
    const dial = async () => stream = await dialTls(server, certificate);
    const client = await RunningClient.join(dial, name, openUdp);
    return new LibraryUser(client, () => stream!.close());
  }

  async say(text: string): Promise<void> {
    await this.#client.chat.publish(text);
  }

  async received(count: number): Promise<void> {
    await this.#client.received(count);
  }

  shown(): string[] {
    return this.#client.messages.map(({ from, text }) => `${from} ${text}`);
  }

  told(): string[] {
    return [...this.#client.notices, ...this.#client.told.map(withoutTimes)];
  }

  /** Loses the connection, and comes back. */
  async comeBack(): Promise<void> {
    const { chat } = this.#client;
    this.#cut();
    await Promise.race([this.#client.back(1), chat.closed]);
    chat.signal.throwIfAborted();
    this.#client.notices.splice(0);
  }

  /** The ids of the messages that were shown. */
  ids(): Map<string, number> {
    return new Map(this.#client.messages.map(({ id, from, text }) => [`${from} ${text}`, id]));
  }

  async leave(): Promise<void> {
    await this.#client.chat.logout();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.chat.abort();
    await this.#client.chat.closed;
  }
}

/** Who is to get every message that is said, each once, and nothing else. */
export class Classroom implements AsyncDisposable {
  readonly programs: readonly ProgramUser[];
  readonly others: readonly LibraryUser[];
  /** What was said, as "from text". */
  readonly #said: string[] = [];
  #turn = 0;

  private constructor(programs: readonly ProgramUser[], others: readonly LibraryUser[]) {
    this.programs = programs;
    this.others = others;
  }

  /** All come at once, spread over the places, and make their accounts. */
  static async gather(
    places: readonly Place[],
    { programs, others }: { programs: readonly string[]; others: readonly string[] },
  ): Promise<Classroom> {
    const at = (i: number) => places[i % places.length]!;
    const certificates = new Map<Place, Certificate>();
    for (const place of places) {
      certificates.set(place, (await loadIdentity(place.folder)).certificate);
    }
    const [withPrograms, withLibrary] = await Promise.all([
      Promise.all(programs.map((name, i) => ProgramUser.join(at(i), name))),
      Promise.all(
        others.map((name, i) => LibraryUser.join(at(i), name, certificates.get(at(i))!)),
      ),
    ]);
    return new Classroom(withPrograms, withLibrary);
  }

  get all(): readonly Attendant[] {
    return [...this.programs, ...this.others];
  }

  /** Somebody has said something; waits until everybody else was shown it. */
  async heard(from: string, text: string): Promise<void> {
    this.#said.push(`${from} ${text}`);
    await Promise.all(this.all.map((one) => one.received(this.#expectedBy(one.name).length)));
  }

  /** Some say something, at the same time; who speaks goes round. */
  async talk(): Promise<void> {
    const speakers = Array.from({ length: 5 }, () => this.all[this.#turn++ % this.all.length]!);
    const text = `in turn ${this.#turn}`;
    this.#said.push(...speakers.map(({ name }) => `${name} ${text}`));
    await Promise.all(speakers.map((one) => one.say(text)));
    await Promise.all(this.all.map((one) => one.received(this.#expectedBy(one.name).length)));
  }

  /** Everybody leaves; says whether all of it came, in one order, and what disturbed anybody. */
  async end(told: { [name: string]: string[]; all: string[] }): Promise<void> {
    await Promise.all(this.all.map((one) => one.leave()));
    const ids = new Map(this.others.flatMap((one) => [...one.ids()]));
    const inOrder = this.#said.toSorted((a, b) => ids.get(a)! - ids.get(b)!);
    for (const one of this.all) {
      const expected = inOrder.filter((said) => !said.startsWith(`${one.name} `));
      assertEquals(one.shown(), expected, one.name);
      assertEquals(one.told(), told[one.name] ?? told.all, one.name);
    }
    console.log(
      `    ${inOrder.length} messages, each once to each of ${this.all.length} in one order`,
    );
  }

  #expectedBy(name: string): string[] {
    return this.#said.filter((said) => !said.startsWith(`${name} `));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of [...this.programs, ...this.others]) await one[Symbol.asyncDispose]();
  }
}

/** Lines of the server without the times in them, which differ from run to run. */
export function withoutTimes(line: string): string {
  return line.replaceAll(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC)?/g, "TIME");
}
