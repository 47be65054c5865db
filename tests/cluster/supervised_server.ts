import { ExitCode } from "../../lib/exit.ts";
import type { Program } from "../helpers/programs.ts";
import { pause } from "./crowd.ts";

/** How long its unit waits before it starts the server again, in milliseconds: `RestartSec` in `chatserver-cluster.conf`. */
const RESTART_MS = 2_000;

/**
 * A chat server's process, kept running as its unit for systemd does: one that ended since it could not go on as it was,
 * as when NATS gave it other events than the others, is started again. Any other end that nobody asked for is an error.
 */
export class SupervisedServer implements AsyncDisposable {
  readonly #launch: (port: number) => Program;
  #program: Program | undefined;
  #port = 0;
  #log = "";
  #wanted = false;
  #ready = Promise.withResolvers<void>();
  #running: Promise<void> = Promise.resolve();
  #problem: Error | undefined;

  private constructor(launch: (port: number) => Program) {
    this.#launch = launch;
  }

  /** Starts a program that `launch` gives for each start, on any port, and from then on on that one. */
  static async start(launch: (port: number) => Program): Promise<SupervisedServer> {
    const server = new SupervisedServer(launch);
    await server.restart();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** What it has written to standard error since it was first started. */
  get log(): string {
    return this.#log + (this.#program?.stderr ?? "");
  }

  /** Waits until it takes clients. @throws where it has ended for good */
  async ready(): Promise<void> {
    await this.#ready.promise;
    if (this.#problem !== undefined) throw this.#problem;
  }

  /** `kill -9`, and it stays ended. */
  async kill(): Promise<void> {
    this.#wanted = false;
    this.#program?.kill("SIGKILL");
    await this.#running;
  }

  /** Starts it again after {@linkcode kill}. */
  async restart(): Promise<void> {
    this.#wanted = true;
    this.#running = this.#run();
    await this.ready();
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      this.#log += this.#program?.stderr ?? "";
      const program = this.#program = this.#launch(this.#port);
      const wasReady = await this.#noteReady(program);
      const code = await program.exitCode();
      if (wasReady) this.#ready = Promise.withResolvers();
      if (!this.#wanted) return;
      const { stderr } = program;
      console.log(`    a chat server ended with ${code}: ${stderr.trimEnd().split("\n").at(-1)}`);
      if (code !== ExitCode.refused) {
        this.#problem = new Error(`a chat server ended with ${code}, and had written\n${stderr}`);
        return this.#ready.resolve();
      }
      await pause(RESTART_MS);
    }
  }

  /** @returns whether it took clients before it ended */
  async #noteReady(program: Program): Promise<boolean> {
    try {
      const [, port] = await program.match(/on port (\d+)\nServer ready to receive connections\n/);
      this.#port = Number(port);
      this.#ready.resolve();
      return true;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wanted = false;
    await this.#program?.[Symbol.asyncDispose]();
    await this.#running;
    if (this.#problem !== undefined) throw this.#problem;
  }
}
