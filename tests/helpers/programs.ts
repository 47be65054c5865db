import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { formatPhc, hashPassword } from "../../lib/accounts/phc.ts";
import type { Endpoint } from "../../lib/net/connection.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import { KnownServers } from "../../lib/net/known_servers.ts";
import { executableName, HOST, parseTarget } from "../../scripts/release/targets.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * The command that runs a program: from the source, or the executable in the folder that
 * `CHAT_PROGRAMS` names. `CHAT_TARGET` says for which system it was made, where that is another one,
 * and `CHAT_RUNNER` what runs such executables.
 */
export function command(program: "server" | "client"): [string, ...string[]] {
  const folder = Deno.env.get("CHAT_PROGRAMS");
  if (folder !== undefined) {
    const target = parseTarget(Deno.env.get("CHAT_TARGET") ?? HOST);
    const executable = resolve(root, folder, executableName(`chat${program}`, target));
    const runner = Deno.env.get("CHAT_RUNNER");
    return runner === undefined ? [executable] : [runner, executable];
  }
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${root}deno.json`));
  const [, ...all] = tasks[program].command.split(" ");
  // With this one a server of a cluster starts too; without any, a start would ask the registry for versions. The
  // path is absolute, as a program may be started anywhere.
  const lock = `--lock=${root}deno.lock`;
  const args = all.map((arg: string) => arg.startsWith("--lock=") ? lock : arg);
  const script = args.pop();
  return [Deno.execPath(), ...args, `${root}${script}`];
}

/** Options of {@linkcode Program.start}. */
export interface ProgramOptions {
  /** @default the checkout */
  cwd?: string;
  /** Variables beside the environment's own. */
  env?: Record<string, string>;
  /** What the program is started by, such as `ip netns exec NAME`. @default nothing */
  launcher?: readonly string[];
  /** Is called with each piece of standard output, as soon as it comes. */
  onOutput?: (text: string) => void;
}

/** One of the two programs, running, with pipes for its input and outputs. */
export class Program implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #out: Collector;
  readonly #err: Collector;

  private constructor(process: Deno.ChildProcess, onOutput?: (text: string) => void) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#out = new Collector(process.stdout, onOutput);
    this.#err = new Collector(process.stderr);
  }

  /** Starts a program in a folder. */
  static start(
    program: "server" | "client",
    args: readonly string[],
    { cwd = root, env = {}, launcher = [], onOutput }: ProgramOptions = {},
  ): Program {
    const [executable, ...rest] = [...launcher, ...command(program), ...args];
    const process = new Deno.Command(executable!, {
      args: rest,
      cwd,
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Program(process, onOutput);
  }

  /** Runs a program to its end, with nothing to read. */
  static async run(
    program: "server" | "client",
    args: readonly string[],
    options: ProgramOptions & { input?: string } = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    await using running = Program.start(program, args, options);
    if (options.input !== undefined) await running.type(options.input);
    await running.endInput();
    const code = await running.exitCode();
    return { code, stdout: running.stdout, stderr: running.stderr };
  }

  get pid(): number {
    return this.#process.pid;
  }

  get stdout(): string {
    return this.#out.text;
  }

  get stderr(): string {
    return this.#err.text;
  }

  /** Writes to the program's standard input. */
  async type(text: string): Promise<void> {
    await this.typeBytes(new TextEncoder().encode(text));
  }

  async typeBytes(bytes: Uint8Array): Promise<void> {
    await this.#input.write(bytes);
  }

  async endInput(): Promise<void> {
    await this.#input.close().catch(() => {});
  }

  /**
   * Waits until standard output, from where the last wait ended, is just `text`.
   *
   * @throws where it becomes something else, or the output ends before
   */
  async expect(text: string): Promise<void> {
    await this.#out.expect(text);
  }

  /** The same for a line that matches; @returns its named groups */
  async expectMatch(pattern: RegExp): Promise<Record<string, string>> {
    return await this.#out.expectMatch(pattern);
  }

  /** The same for standard error. */
  async expectError(text: string): Promise<void> {
    await this.#err.expect(text);
  }

  /** The same for a line that matches. */
  async expectErrorMatch(pattern: RegExp): Promise<void> {
    await this.#err.expectMatch(pattern);
  }

  /** Waits for the end, and that nothing more was written than was expected. */
  async expectEnd(): Promise<void> {
    await Promise.all([this.#out.expectEnd(), this.#err.expectEnd()]);
  }

  /** Waits until standard error matches. */
  async matchError(pattern: RegExp): Promise<RegExpMatchArray> {
    return await this.#err.match(pattern);
  }

  /** Waits until a text stands so many times on standard output, or on standard error. */
  async count(text: string, times: number, stream: "out" | "err" = "out"): Promise<void> {
    await (stream === "out" ? this.#out : this.#err).count(text, times);
  }

  /** Waits until standard output matches. */
  async match(pattern: RegExp): Promise<RegExpMatchArray> {
    return await this.#out.match(pattern);
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits for the program's end, and for all it wrote. */
  async exitCode(): Promise<number> {
    const { code } = await this.#process.status;
    await Promise.all([this.#out.ended, this.#err.ended]);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.endInput();
    await this.exitCode();
  }
}

/** How long a test waits for what a program should write before it fails, in milliseconds. */
const PATIENCE_MS = 60_000;

/** What a stream has given so far. */
class Collector {
  text = "";
  readonly ended: Promise<void>;
  #taken = 0;
  #over = false;
  #more = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>, onText: (text: string) => void = () => {}) {
    this.ended = this.#collect(stream, onText);
  }

  async expect(text: string): Promise<void> {
    await this.#until(text, () => {
      const rest = this.text.slice(this.#taken);
      if (rest.startsWith(text)) return true;
      return text.startsWith(rest) ? undefined : false;
    });
    this.#taken += text.length;
  }

  async expectMatch(pattern: RegExp): Promise<Record<string, string>> {
    const line = await this.#until(
      `${pattern}`,
      () => /^.*\n/.exec(this.text.slice(this.#taken))?.[0],
    );
    const match = new RegExp(`^(?:${pattern.source})\n$`).exec(line);
    if (match === null) throw new Error(`Expected ${pattern}, but there came\n${line}`);
    this.#taken += line.length;
    return { ...match.groups };
  }

  async expectEnd(): Promise<void> {
    await this.ended;
    const rest = this.text.slice(this.#taken);
    if (rest !== "") throw new Error(`Expected the end, but there came\n${rest}`);
  }

  async match(pattern: RegExp): Promise<RegExpMatchArray> {
    return await this.#until(
      `${pattern}`,
      () => pattern.exec(this.text) ?? undefined,
    ) as RegExpMatchArray;
  }

  async count(text: string, times: number): Promise<void> {
    await this.#until(
      `${times} times ${text}`,
      () => this.text.split(text).length > times || undefined,
    );
  }

  /** Waits until `check` gives something; false means that it never will. */
  async #until<T>(expected: string, check: () => T | false | undefined): Promise<T> {
    const tooLate = Promise.withResolvers<void>();
    const timer = setTimeout(tooLate.resolve, PATIENCE_MS);
    let late = false;
    tooLate.promise.then(() => late = true);
    try {
      for (;;) {
        const result = check();
        if (result !== undefined && result !== false) return result;
        if (result === false || this.#over || late) {
          throw new Error(`Expected\n${expected}\nbut there came\n${this.text.slice(this.#taken)}`);
        }
        await Promise.race([this.#more.promise, tooLate.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #collect(
    stream: ReadableStream<Uint8Array>,
    onText: (text: string) => void,
  ): Promise<void> {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      onText(chunk);
      this.text += chunk;
      this.#wake();
    }
    this.#over = true;
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers<void>();
  }
}

/** The messages that a client has shown on its standard output, as "kind from text"; announcements as "Announcement". */
export function shownMessages(stdout: string): string[] {
  const form =
    /^\*\*\* New Message \*\*\*\nMessage type: (\w+) (?:Message \(..\)|of an operator)\nFrom: (\S+)\n(?:Sent: .*\n)?\n {2}(.*)\n$/gm;
  return [...stdout.matchAll(form)].map(([, kind, from, text]) => `${kind} ${from} ${text}`);
}

/** Makes accounts whose password is "geheim", with hashes that cost nothing. */
export async function makeAccounts(folder: string, usernames: readonly string[]): Promise<void> {
  const hash = formatPhc(await hashPassword("geheim", { ln: 1, r: 8, p: 1 }));
  const lines = usernames.map((username) => `${username}:${hash}\n`).join("");
  await Deno.writeTextFile(`${folder}/credentials.txt`, lines);
}

/** A server program on a free port of the loopback interface. */
export interface StartedServer {
  server: Program;
  port: string;
  /** The arguments of a client that has met the server before. */
  clientArgs: (username: string) => string[];
}

/** Starts a server whose data are in a folder, on any port. */
export function startServer(folder: string, ...flags: readonly string[]): Promise<StartedServer> {
  return startServerAt("0", folder, ...flags);
}

/** The same on a certain port. */
export async function startServerAt(
  chosen: string,
  folder: string,
  ...flags: readonly string[]
): Promise<StartedServer> {
  const args = [chosen, "--host", "127.0.0.1", "--data", folder, ...flags];
  const server = Program.start("server", args);
  const [, port = ""] = await server.match(/on port (\d+)\nServer ready to receive connections\n/);
  if (flags.includes("--plain")) {
    const clientArgs = (username: string) => ["127.0.0.1", port, username, "--plain"];
    return { server, port, clientArgs };
  }
  const config = `${folder}/config`;
  await rememberServer(folder, config, { hostname: "127.0.0.1", port: Number(port) });
  const clientArgs = (username: string) => ["127.0.0.1", port, username, "--config", config];
  return { server, port, clientArgs };
}

/** Runs a command of the server's, such as `users role joe operator`, on a data folder. */
export async function administerServer(folder: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await Program.run("server", [...args, "--data", folder]);
  if (code !== 0) throw new Error(`chatserver ${args.join(" ")} ended with ${code}: ${stderr}`);
}

/** Has clients with the folder `config` know the server of a data folder, under an address. */
export async function rememberServer(
  folder: string,
  config: string,
  address: Endpoint,
): Promise<void> {
  const { certificate } = await loadIdentity(folder);
  const knownServers = await KnownServers.load(config);
  await knownServers.remember(address, certificate);
  // Nobody is told what is new to whom it is new.
  await Deno.writeTextFile(`${config}/settings.toml`, "#\n", { append: true });
}
