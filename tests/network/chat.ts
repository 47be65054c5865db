import { DatabaseSync } from "node:sqlite";
import { makeAccounts, Program, rememberServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { Ledger, type Planned, type Stored } from "./ledger.ts";
import { Network, PORT } from "./network.ts";

/** How long what is under way may take, in milliseconds: longer than an outage and a client's return. */
const PATIENCE_MS = 90_000;

/** Options of {@linkcode Chat.start}. */
export interface ChatOptions {
  clients: number;
  /** Where the clients look for the server. @default at its own address */
  at?: { hostname: string; port: number };
}

/** A server and its clients, each a process, in the namespaces of a network. */
export class Chat implements AsyncDisposable {
  readonly #folder: TempFolder;
  readonly #server: Program;
  readonly #members: readonly Member[];
  readonly #programs: AsyncDisposable;
  /** Rejects when a program ends that should not. */
  readonly #failure: Promise<never>;
  readonly ledger: Ledger;

  private constructor(
    folder: TempFolder,
    server: Program,
    { members, ledger, programs }: {
      members: readonly Member[];
      ledger: Ledger;
      programs: AsyncDisposable;
    },
  ) {
    this.#folder = folder;
    this.#server = server;
    this.#members = members;
    this.#programs = programs;
    this.#failure = Promise.race(members.map((member) => member.failure));
    this.#failure.catch(() => {});
    this.ledger = ledger;
  }

  /** Starts them all; every client is logged in. */
  static async start(
    network: Network,
    { clients, at = network.server }: ChatOptions,
  ): Promise<Chat> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await TempFolder.create());
    await makeAccounts(folder.path, Array.from({ length: clients }, (_, index) => nameOf(index)));
    const server = stack.use(Program.start(
      "server",
      [`${PORT}`, "--data", folder.path],
      { launcher: network.launcher("server") },
    ));
    await server.match(/Server ready to receive connections\n/);
    await rememberServer(folder.path, folder.file("config"), at);

    const ledger = new Ledger(clients);
    const members = Array.from({ length: clients }, (_, index) => {
      const member = new Member(
        [at.hostname, `${at.port}`, nameOf(index), "--config", folder.file("config")],
        {
          launcher: network.launcher("clients"),
          onShown: (text) => ledger.shown(index, text, Date.now()),
        },
      );
      return stack.use(member);
    });
    await Promise.all(members.map((member) => member.logIn("geheim")));
    return new Chat(folder, server, { members, ledger, programs: stack.move() });
  }

  /** The client's process. */
  client(index: number): Program {
    return this.#members[index]!.program;
  }

  get server(): Program {
    return this.#server;
  }

  /** Has a client send a message; waits until it says that it has. */
  async send(planned: Planned): Promise<void> {
    const { text, to, sender } = planned;
    this.ledger.typed(planned, Date.now());
    const command = to === undefined ? "PM" : `DM ${nameOf(to)}`;
    const sent = this.#members[sender]!.send(`${command} ${text}`);
    const inTime = await this.#withPatience(sent);
    if (inTime) return;
    const { stderr } = this.client(sender);
    throw new Error(`${nameOf(sender)} never said that ${text} was sent: ${stderr}`);
  }

  /** Waits until every message has come, but not for ever: what has not come then is lost. */
  async settle(): Promise<void> {
    await this.#withPatience(this.ledger.complete());
  }

  /** Ends all programs; whatever they still have to show they show before. */
  async end(): Promise<ReadonlyMap<string, Stored>> {
    await Promise.all(this.#members.map((member) => member.leave()));
    this.#server.kill("SIGINT");
    await this.#server.exitCode();
    using database = new DatabaseSync(this.#folder.file("messages.db"), { readOnly: true });
    const rows = database.prepare("SELECT id, sent AS at, text FROM messages").all();
    return new Map(rows.map(({ id, at, text }) => [`${text}`, { id: Number(id), at: Number(at) }]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#programs[Symbol.asyncDispose]();
  }

  /** Whether something was done in time. */
  async #withPatience(done: Promise<void>): Promise<boolean> {
    const limit = Promise.withResolvers<false>();
    const timer = setTimeout(() => limit.resolve(false), PATIENCE_MS);
    try {
      return await Promise.race([done.then(() => true), limit.promise, this.#failure]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function nameOf(client: number): string {
  return `user${client}`;
}

/** One client program, and what its user reads. */
class Member implements AsyncDisposable {
  readonly program: Program;
  /** Rejects when the program ends before it is asked to. */
  readonly failure: Promise<never>;
  readonly #onShown: (text: string) => void;
  /** The beginning of a line whose end has not come. */
  #line = "";
  #sent = Promise.withResolvers<void>();
  #left = false;

  constructor(
    args: readonly string[],
    { launcher, onShown }: { launcher: readonly string[]; onShown: (text: string) => void },
  ) {
    this.#onShown = onShown;
    const onOutput = (text: string) => this.#read(text);
    this.program = Program.start("client", args, { launcher, onOutput });
    const failed = Promise.withResolvers<never>();
    this.failure = failed.promise;
    this.program.exitCode().then((code) => {
      const problem = `${args[2]} ended with exit code ${code}: ${this.program.stderr}`;
      if (!this.#left) failed.reject(new Error(problem));
    });
  }

  async logIn(password: string): Promise<void> {
    await this.program.type(`${password}\n`);
    await this.program.match(/Please enter a command:/);
  }

  /** Types a command that sends a message; waits until it is said that it was sent. */
  async send(command: string): Promise<void> {
    this.#sent = Promise.withResolvers();
    await this.program.type(`${command}\n`);
    await this.#sent.promise;
  }

  /** Has the program leave. It says so where the server does not answer in time: TCP may be that slow. */
  async leave(): Promise<void> {
    this.#left = true;
    await this.program.type("EX\n");
    await this.program.exitCode();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left = true;
    await this.program[Symbol.asyncDispose]();
  }

  #read(text: string): void {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop()!;
    for (const line of lines) {
      if (line === "Message sent") this.#sent.resolve();
      else if (line.startsWith("  message ")) this.#onShown(line.trimStart());
    }
  }
}
