/**
 * The client beside irssi, each on a terminal and with its own server on the loopback interface: the time
 * from the start to the prompt in the chat, and the memory at the prompt and after messages. Needs the
 * executables in `dist/`, irssi, ngircd and util-linux' `script`.
 *
 *     deno task bench:client [--rounds N] [--messages N]
 *
 * @module
 */
import { parseCommandLine } from "../../lib/command_line.ts";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { runProgram } from "../../lib/program.ts";
import { command, rememberServer } from "../../tests/helpers/programs.ts";
import { TempFolder } from "../../tests/helpers/temp_folder.ts";
import { join } from "node:path";
import { ROOT } from "../release/bundle.ts";
import { executableName, HOST } from "../release/targets.ts";
import { findExecutable, findProgram, findPrograms, RunningTarget } from "./servers.ts";
import { median } from "./results.ts";

const CHATCLIENT = join(ROOT, "dist", executableName("chatclient", HOST));
/** What messages say; the number comes behind it. */
const TEXT = "a message of a usual length, such as people write";

/** ngircd takes few lines a second from each, so there are many that send a few. */
const IRC_SENDERS = 100;
const IRC_MESSAGES = 5;

/** One of the two clients, and how its server is talked to. */
interface Contender {
  name: string;
  command: string[];
  /** Is on the screen as soon as the user is logged in and can type. */
  prompt: string;
  /** What has to be typed to get everybody's messages, and what shows that it is done. */
  join?: { line: string; done: string };
  /** Sends messages to everybody. */
  send: (count: number) => Promise<void>;
}

/** A client on a terminal of its own. */
class OnTerminal implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #folder: TempFolder;
  /** Only the end of it: what was looked for stands there. */
  #text = "";

  private constructor(process: Deno.ChildProcess, folder: TempFolder) {
    this.#process = process;
    this.#folder = folder;
    this.#input = process.stdin.getWriter();
    this.#output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async start(command: readonly string[]): Promise<OnTerminal> {
    const folder = await TempFolder.create();
    const quoted = command.map((word) => `'${word}'`).join(" ");
    const shell = `stty cols 80 rows 24; echo $$ >'${folder.file("pid")}'; exec ${quoted}`;
    const process = new Deno.Command("script", {
      args: ["-qec", shell, "/dev/null"],
      env: { TERM: "xterm-256color", LANG: "C.UTF-8", HOME: folder.path },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    return new OnTerminal(process, folder);
  }

  /** Waits until the terminal was sent a text. */
  async until(text: string): Promise<void> {
    while (!this.#text.includes(text)) {
      const { value, done } = await this.#output.read();
      if (done) {
        throw new ExitError(ExitCode.unforeseen, `it ended before "${text}": ${this.#text}`);
      }
      this.#text = this.#text.slice(-4_096) + value;
    }
  }

  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Resident memory, in bytes. */
  async memory(): Promise<number> {
    const pid = (await Deno.readTextFile(this.#folder.file("pid"))).trim();
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(await Deno.readTextFile(`/proc/${pid}/status`))!;
    return Number(kilobytes) * 1_024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pid = Number(await Deno.readTextFile(this.#folder.file("pid")));
    Deno.kill(pid, "SIGKILL");
    await this.#output.cancel();
    await this.#process.status;
    await this.#input.close().catch(() => {});
    await this.#folder[Symbol.asyncDispose]();
  }
}

async function chatclient(port: number, folder: TempFolder): Promise<Contender> {
  const config = folder.file("config");
  await rememberServer(folder.path, config, { hostname: "127.0.0.1", port });
  await Deno.writeTextFile(folder.file("pw"), "geheim\n", { mode: 0o600 });
  const args = ["--config", config, "--password-file", folder.file("pw")];
  const command = (user: string) => [CHATCLIENT, "127.0.0.1", `${port}`, user, ...args];
  return {
    name: "chatclient",
    command: [...command("u00001"), "--compact"],
    prompt: "everybody> ",
    send: async (count) => {
      const [program, ...rest] = command("u00002");
      const sender = new Deno.Command(program!, {
        args: [...rest, "--json"],
        stdin: "piped",
        stdout: "null",
      }).spawn();
      const texts = Array.from({ length: count }, (_, at) => `${TEXT} ${at + 1}.`);
      const lines = texts.map((text) => `${JSON.stringify({ type: "public", text })}\n`);
      const writer = sender.stdin.getWriter();
      await writer.write(new TextEncoder().encode(lines.join("")));
      await writer.close();
      await sender.status;
    },
  };
}

async function irssi(
  program: string,
  { port, folder }: { port: number; folder: TempFolder },
): Promise<Contender> {
  await Deno.mkdir(folder.file("irssi"));
  await Deno.writeTextFile(
    folder.file("irssi/config"),
    `servers = ({ address = "127.0.0.1"; chatnet = "bench"; port = "${port}"; use_tls = "yes";
      tls_verify = "no"; autoconnect = "yes"; });
chatnets = { bench = { type = "IRC"; }; };
settings = { core = { real_name = "a"; user_name = "a"; nick = "a"; };
  "fe-common/core" = { autolog = "no"; }; };
`,
  );
  return {
    name: "irssi",
    command: [program, "--home", folder.file("irssi")],
    prompt: "End of MOTD",
    join: { line: "/join #bench\r", done: "Total of" },
    send: async (count) => {
      const certificate = await Deno.readTextFile(folder.file("certificate.pem"));
      for (let first = 1; first < count;) {
        const senders = range(1, IRC_SENDERS).map((sender) => {
          const last = Math.min(first + IRC_MESSAGES, count) - 1;
          const numbers = range(first, last);
          first = last + 1;
          return sendByIrc(`b${sender}`, { numbers, port, certificate });
        });
        await Promise.all(senders);
      }
      await sendByIrc("last", { numbers: [count], port, certificate });
    },
  };
}

/** Sends the messages with these numbers by a connection of its own, and waits until they were taken. */
async function sendByIrc(
  nick: string,
  { numbers, port, certificate }: { numbers: number[]; port: number; certificate: string },
): Promise<void> {
  const conn = await Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    unsafelyDisableHostnameVerification: true,
    caCerts: [certificate],
  });
  const lines = numbers.map((number) => `PRIVMSG #bench :${TEXT} ${number}.\r\n`).join("");
  const all = `NICK ${nick}\r\nUSER b b b b\r\n${lines}QUIT\r\n`;
  const writing = (async () => {
    const writer = conn.writable.getWriter();
    await writer.write(new TextEncoder().encode(all));
  })();
  try {
    for await (const _ of conn.readable);
  } catch {
    // The server closes without a word, as many do.
  }
  await writing;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, at) => first + at);
}

async function measure(
  contenders: readonly Contender[],
  { rounds, messages }: { rounds: number; messages: number },
): Promise<void> {
  const times = contenders.map((): number[] => []);
  // The first round only fills caches. Each takes its turn, so that a busy machine slows both.
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { command, prompt }] of contenders.entries()) {
      const start = performance.now();
      await using client = await OnTerminal.start(command);
      await client.until(prompt);
      if (round > 0) times[index]!.push(performance.now() - start);
    }
  }
  for (const [index, { name, command, prompt, join, send }] of contenders.entries()) {
    console.error(`${name} ...`);
    await using client = await OnTerminal.start(command);
    await client.until(prompt);
    if (join !== undefined) {
      await client.type(join.line);
      await client.until(join.done);
    }
    const before = await client.memory();
    const sending = send(messages);
    await client.until(` ${messages}.`);
    await sending;
    const after = await client.memory();
    const all = times[index]!;
    const figures = [
      `${median(all).toFixed(0)} ms (${Math.min(...all).toFixed(0)} to ${
        Math.max(...all).toFixed(0)
      })`,
      ...[before, after].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`),
    ];
    console.log(name.padEnd(12) + figures.map((figure) => figure.padStart(24)).join(""));
  }
}

async function main(): Promise<void> {
  const commandLine = parseCommandLine(Deno.args, {
    program: "client",
    help: "usage: deno task bench:client [--rounds N] [--messages N]",
    arguments: [],
    options: ["rounds", "messages"],
  });
  if (commandLine === undefined) return;
  const { rounds = "11", messages = "10000" } = commandLine.options;
  const programs = await findPrograms(await findExecutable() ?? command("server"));
  const program = await findProgram("irssi");
  if (program === undefined || programs.ngircd === undefined) {
    throw new ExitError(
      ExitCode.refused,
      "this needs irssi and ngircd: apt-get install irssi ngircd",
    );
  }
  await using chat = await TempFolder.create();
  await using irc = await TempFolder.create();
  const start = (server: "chatserver" | "ngircd", folder: string) =>
    RunningTarget.start({ server, tls: true, udp: true }, { programs, folder });
  await using chatserver = await start("chatserver", chat.path);
  await using ngircd = await start("ngircd", irc.path);
  const contenders = [
    await chatclient(chatserver.port, chat),
    await irssi(program, { port: ngircd.port, folder: irc }),
  ];
  const heads = ["start to prompt", "memory at the prompt", `after ${messages} messages`];
  console.log(`median of ${rounds}`.padEnd(12) + heads.map((head) => head.padStart(24)).join(""));
  await measure(contenders, { rounds: Number(rounds), messages: Number(messages) });
}

await runProgram("client", main);
