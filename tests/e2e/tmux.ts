import type { Screen } from "../transcripts/transcript.ts";

/** How long a screen may take to become what a test expects, in milliseconds. */
const PATIENCE_MS = 30_000;

/** A terminal of a test's own. */
export class Tmux implements AsyncDisposable {
  readonly #socket: string;
  #panes = 0;

  /** @param folder where the terminal's files go */
  constructor(folder: string) {
    this.#socket = `${folder}/tmux`;
  }

  /** Runs tmux. */
  async run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-S", this.#socket, "-f", "/dev/null", ...args],
      env: { TERM: "xterm-256color", LANG: "C.UTF-8" },
    }).output();
    if (code !== 0) throw new Error(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }

  /** Opens a terminal in which a command runs; its exit code is shown when it ends. */
  async open(
    command: readonly string[],
    { columns = 100, rows = 50 }: { columns?: number; rows?: number } = {},
  ): Promise<TmuxScreen> {
    const name = `pane${this.#panes++}`;
    const fifo = `${this.#socket}.${name}`;
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    // The program starts when somebody listens to what it writes.
    const quoted = command.map((word) => `'${word}'`).join(" ");
    const shell = `read go; clear; ${quoted}; echo "exit code $?"; exec cat`;
    await this.run(
      ...["new-session", "-d", "-s", name, "-x", `${columns}`, "-y", `${rows}`],
      ...["sh", "-c", shell],
    );
    await this.run("pipe-pane", "-t", name, `cat >'${fifo}'`);
    const output = await Deno.open(fifo);
    await this.run("send-keys", "-t", name, "Enter");
    return new TmuxScreen(this, name, output);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("kill-server").catch(() => {});
  }
}

/** What one terminal shows, compared with all that it should show so far. */
export class TmuxScreen implements Screen {
  readonly #tmux: Tmux;
  readonly #name: string;
  readonly #output: Deno.FsFile;
  #expected = "";

  constructor(tmux: Tmux, name: string, output: Deno.FsFile) {
    this.#tmux = tmux;
    this.#name = name;
    this.#output = output;
  }

  /** Everything that is shown or has scrolled away; `styled` with its colours, as escape sequences. */
  async text({ styled = false } = {}): Promise<string> {
    const capture = ["capture-pane", "-p", "-S", "-", "-t", this.#name];
    const text = await this.#tmux.run(...capture, ...(styled ? ["-e"] : []));
    return text.replaceAll(/ +$/gm, "").trimEnd();
  }

  /** Presses keys, by their tmux names. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux.run("send-keys", "-t", this.#name, ...keys);
  }

  /** Pastes what is in tmux's buffer, marked as a paste if the program asked for that. */
  async paste(): Promise<void> {
    await this.#tmux.run("paste-buffer", "-p", "-t", this.#name);
  }

  /** Types text without a line ending. */
  async typeText(text: string): Promise<void> {
    await this.#tmux.run("send-keys", "-t", this.#name, "-l", text);
  }

  async type(line: string, { secret }: { secret: boolean }): Promise<void> {
    if (line !== "") await this.typeText(line);
    await this.press("Enter");
    if (!secret) this.#expected += `${line}\n`;
  }

  expect(line: string): Promise<void> {
    this.#expected += `${line}\n`;
    return Promise.resolve();
  }

  /** The line has to be there when the screen has settled; what it is then is what is expected. */
  async expectMatch(pattern: RegExp): Promise<Record<string, string>> {
    return await this.#settleBefore(pattern);
  }

  expectError(line: string): Promise<void> {
    return this.expect(line);
  }

  async expectErrorMatch(pattern: RegExp): Promise<void> {
    await this.expectMatch(pattern);
  }

  async endInput(): Promise<void> {
    await this.press("C-d");
  }

  async expectExit(code: number): Promise<void> {
    await this.expect(`exit code ${code}`);
    await this.settle();
  }

  /** Waits until the terminal shows what is expected so far, and nothing else. */
  async settle(): Promise<void> {
    const expected = this.#expected.replaceAll(/ +$/gm, "").trimEnd();
    await this.until((text) => text === expected, expected);
  }

  /** Waits until the next line matches, and expects it as it is. */
  async #settleBefore(pattern: RegExp): Promise<Record<string, string>> {
    const whole = new RegExp(`^(?:${pattern.source})$`);
    const next = (text: string) => text.slice(this.#expected.length).split("\n")[0] ?? "";
    await this.until((text) => whole.test(next(text)), `${this.#expected}${pattern}`);
    const line = next(await this.text());
    this.#expected += `${line}\n`;
    return { ...whole.exec(line)?.groups };
  }

  /** Waits until what the terminal shows is accepted. */
  async until(accept: (text: string) => boolean, expected: string): Promise<void> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    const chunk = new Uint8Array(65_536);
    for (;;) {
      const text = await this.text();
      if (accept(text)) return;
      // Whatever the terminal draws comes through the pipe, after it was drawn.
      const more = await withSignal(this.#output.read(chunk), late);
      if (more === null) throw new Error(`Expected\n${expected}\nbut there is\n${text}`);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#output.close();
    return Promise.resolve();
  }
}

/** The promise's value, or null once the signal is aborted. */
async function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const aborted = Promise.withResolvers<null>();
  const abort = () => aborted.resolve(null);
  if (signal.aborted) return null;
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
