import { join } from "node:path";
import { ExitCode, ExitError } from "../../lib/exit.ts";
import { loadIdentity } from "../../lib/net/identity.ts";
import { makeAccounts } from "../../tests/helpers/programs.ts";
import { bundle, currentCommit, ROOT } from "../release/bundle.ts";
import { flagsOf } from "../release/executable.ts";
import { executableName, HOST } from "../release/targets.ts";
import { inspircdConfig, ngircdConfig } from "./irc_configs.ts";
import type { Target } from "./target.ts";

/** The load generator's users are called so. */
const USERS = Array.from({ length: 5_000 }, (_, index) => `u${String(index).padStart(5, "0")}`);
/** One account does here what a thousand do elsewhere. */
const RATES = ["--commands-per-second", "100000", "--command-burst", "100000"];
/** How long a server may take to start, in milliseconds. */
const START_LIMIT_MS = 30_000;
/** How many logins the load generator may have under way: ngircd's queue of connections has ten places. */
const AT_ONCE = { chatserver: 32, ngircd: 8, inspircd: 1_000 };

/** The server programs that there are, with how each is started. */
export interface Programs {
  chatserver: readonly string[];
  ngircd: string | undefined;
  inspircd: string | undefined;
}

/** Looks for the others. @param chatserver how ours is run: by {@linkcode findExecutable}, for example */
export async function findPrograms(chatserver: readonly string[]): Promise<Programs> {
  return {
    chatserver,
    ngircd: await findProgram("ngircd"),
    inspircd: await findProgram("inspircd"),
  };
}

/** How our executable in `dist/` is run; undefined where there is none. */
export async function findExecutable(): Promise<readonly string[] | undefined> {
  const executable = join(ROOT, "dist", executableName("chatserver", HOST));
  return await exists(executable) ? [executable] : undefined;
}

/** Makes the bundle that our executables contain. @returns how this Deno runs it, with the executable's flags */
export async function bundleServer(folder: string): Promise<readonly string[]> {
  const file = join(folder, "chatserver.js");
  await bundle("server.ts", file, { commit: await currentCommit() });
  const config = `--config=${join(ROOT, "deno.json")}`;
  return [Deno.execPath(), "run", config, ...await flagsOf("server"), file];
}

/** The path of a program; undefined where it is not installed. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  for (const folder of folders) {
    if (await exists(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

/** A server that runs, on a port of the loopback interface, with a folder of its own. */
export class RunningTarget implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #target: Target;
  readonly port: number;

  private constructor(process: Deno.ChildProcess, target: Target, port: number) {
    this.#process = process;
    this.#target = target;
    this.port = port;
  }

  /**
   * @param folder an empty one
   * @throws {ExitError} `unforeseen`, where it does not start
   */
  static async start(
    target: Target,
    { programs, folder }: { programs: Programs; folder: string },
  ): Promise<RunningTarget> {
    const port = freePort();
    const args = await prepare(target, { programs, folder, port });
    // Into a file: a pipe would have to be read by somebody while it is measured.
    const process = new Deno.Command("/bin/sh", {
      args: ["-c", 'log=$1; shift; exec "$@" > "$log" 2>&1', "sh", `${folder}/log`, ...args],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).spawn();
    const running = new RunningTarget(process, target, port);
    try {
      await running.#answers();
    } catch (cause) {
      await running[Symbol.asyncDispose]();
      const log = await Deno.readTextFile(`${folder}/log`).catch(() => "");
      throw new ExitError(
        ExitCode.unforeseen,
        `${target.server} does not start: ${log.trim().split("\n").at(-1)}`,
        { cause },
      );
    }
    return running;
  }

  /** What the load generator has to know of it. */
  get loadArgs(): string[] {
    const { server, tls, udp } = this.#target;
    return [
      ...["--port", `${this.port}`, "--pid", `${this.#process.pid}`],
      ...["--at-once", `${AT_ONCE[server]}`],
      ...tls ? ["--tls"] : [],
      // Of what does not fit into its buffer ngircd leaves a part with its TLS library, and hears of it no more.
      ...tls && server === "ngircd" ? ["--record", "512"] : [],
      ...udp ? ["--udp"] : [],
      ...server === "chatserver" ? [] : ["--irc"],
    ];
  }

  async #answers(): Promise<void> {
    let ended = false;
    this.#process.status.then(() => ended = true);
    for (const limit = Date.now() + START_LIMIT_MS;;) {
      try {
        return (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
      } catch (error) {
        if (ended || Date.now() > limit) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** Ends it, with all it does at its end. */
  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#process.status;
  }
}

/** Puts into the folder what a server needs. @returns its command line */
async function prepare(
  { server, tls }: Target,
  { programs, folder, port }: { programs: Programs; folder: string; port: number },
): Promise<string[]> {
  if (server === "chatserver") {
    await makeAccounts(folder, USERS);
    const place = [`${port}`, "--host", "127.0.0.1", "--data", folder];
    return [...programs.chatserver, ...place, ...tls ? [] : ["--plain"], ...RATES];
  }
  // The same kind of key for all.
  const { key, certificatePem } = await loadIdentity(folder);
  await Deno.writeTextFile(`${folder}/key.pem`, key);
  await Deno.writeTextFile(`${folder}/certificate.pem`, certificatePem);
  const path = `${folder}/${server}.conf`;
  const config = server === "ngircd" ? ngircdConfig : inspircdConfig;
  await Deno.writeTextFile(path, config({ folder, port, tls }));
  return server === "ngircd"
    ? [programs.ngircd!, "--nodaemon", "--config", path]
    : [programs.inspircd!, "--runasroot", "--nofork", "--config", path];
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
