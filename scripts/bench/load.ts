import { fileURLToPath } from "node:url";
import { ExitCode, ExitError } from "../../lib/exit.ts";

const SOURCES = fileURLToPath(new URL("load/", import.meta.url));
/** Beside the time that is measured, a run may take so long, in seconds: logins, warm-up, the last messages. */
const MARGIN_SECONDS = 150;

/** What one run of the load generator found, by name. */
export type LoadResult = Record<string, number> & { problem?: string };

/** How long a run takes, in seconds. */
export interface LoadTimes {
  seconds: number;
  warmUp: number;
  settle: number;
}

/** The load generator, which is written in C so that it is not what is measured. */
export class LoadGenerator {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Builds it.
   *
   * @param folder where the program goes
   * @throws {ExitError} `unforeseen`, with what is missing
   */
  static async build(folder: string): Promise<LoadGenerator> {
    const path = `${folder}/load`;
    const sources = [...Deno.readDirSync(SOURCES)].map(({ name }) => name)
      .filter((name) => name.endsWith(".c")).map((name) => SOURCES + name);
    const flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", path];
    const { code, stderr } = await compile([...flags, ...sources, "-lssl", "-lcrypto"]);
    if (code !== 0) {
      const [line = ""] = new TextDecoder().decode(stderr).split("\n").filter((line) =>
        line.includes("error")
      );
      throw missing(`the load generator can't be compiled: ${line}`);
    }
    return new LoadGenerator(path);
  }

  /** Runs one workload. @throws {Error} saying what went wrong */
  async run(args: readonly string[], { seconds, warmUp, settle }: LoadTimes): Promise<LoadResult> {
    const times = { seconds, "warm-up": warmUp, settle };
    const command = new Deno.Command(this.#path, {
      args: [...args, ...Object.entries(times).flatMap(([name, n]) => [`--${name}`, `${n}`])],
      signal: AbortSignal.timeout((4 * seconds + settle + MARGIN_SECONDS) * 1_000),
      stdin: "null",
    });
    const { success, signal, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    if (signal === "SIGTERM") throw new Error("it took too long");
    if (!success) throw new Error(decoder.decode(stderr).trim() || `it ended with ${signal}`);
    return JSON.parse(decoder.decode(stdout));
  }
}

async function compile(args: string[]): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command("cc", { args }).output();
  } catch (cause) {
    throw missing("there is no C compiler (cc)", cause);
  }
}

function missing(what: string, cause?: unknown): ExitError {
  const remedy = "on Debian: apt install gcc libc6-dev libssl-dev";
  return new ExitError(ExitCode.unforeseen, `${what} (${remedy})`, { cause });
}
