// Every dialogue, between the two real programs, through pipes.
import { assertEquals } from "@std/assert";
import { administerServer, Program, startServer } from "../helpers/programs.ts";
import { TempFolder } from "../helpers/temp_folder.ts";
import { play, type Screen, transcripts } from "./transcript.ts";

/** A client whose input and outputs are pipes. */
class PipedScreen implements Screen {
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }
  type(line: string): Promise<void> {
    return this.#program.type(`${line}\n`);
  }
  expect(line: string): Promise<void> {
    return this.#program.expect(`${line}\n`);
  }
  expectMatch(pattern: RegExp): Promise<Record<string, string>> {
    return this.#program.expectMatch(pattern);
  }
  expectError(line: string): Promise<void> {
    return this.#program.expectError(`${line}\n`);
  }
  expectErrorMatch(pattern: RegExp): Promise<void> {
    return this.#program.expectErrorMatch(pattern);
  }
  endInput(): Promise<void> {
    return this.#program.endInput();
  }
  async expectExit(code: number): Promise<void> {
    assertEquals(await this.#program.exitCode(), code);
    await this.#program.expectEnd();
  }
  settle(): Promise<void> {
    // Each expectation was waited for on its own.
    return Promise.resolve();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

for await (const { name, text, serverFlags } of transcripts()) {
  Deno.test(`transcript ${name}, through pipes`, async () => {
    await using folder = await TempFolder.create();
    const { server, clientArgs } = await startServer(folder.path, ...serverFlags);
    await using _server = server;
    const start = (username: string) =>
      Promise.resolve(
        new PipedScreen(Program.start("client", clientArgs(username))),
      );
    const administer = (args: readonly string[]) => administerServer(folder.path, args);
    await play(text, { start, terminal: false, administer });
  });
}
