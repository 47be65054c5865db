import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline";
import { type Readable, Writable } from "node:stream";
import type { LineSource } from "./console.ts";

/** What {@linkcode TerminalLines} needs of the terminal. */
export interface TerminalOptions {
  /** The terminal's keys. */
  input: Readable;
  /** Writes to the terminal. */
  write: (text: string) => void;
  /** The terminal's width, in columns. */
  columns: () => number;
  /** The user pressed Ctrl-C. */
  onInterrupt: () => void;
}

/** Lines from a terminal, with editing and history. What is typed in secret is not shown. */
export class TerminalLines implements LineSource {
  readonly #screen: Screen;
  readonly #readline;
  readonly #lines: string[] = [];
  #reader: ((line: string | undefined) => void) | undefined;
  #ended = false;

  constructor({ input, write, columns, onInterrupt }: TerminalOptions) {
    this.#screen = new Screen(write, columns);
    this.#readline = createInterface({ input, output: this.#screen, terminal: true, prompt: "" });
    this.#readline.on("line", (line: string) => this.#take(line));
    this.#readline.on("close", () => this.#finish());
    this.#readline.on("SIGINT", () => {
      this.#dropTyped();
      onInterrupt();
    });
  }

  async read({ secret }: { secret: boolean }): Promise<string | undefined> {
    const waiting = this.#lines.shift();
    if (waiting !== undefined || this.#ended) return waiting;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#reader = resolve;
    this.#screen.muted = secret;
    try {
      return await promise;
    } finally {
      this.#screen.muted = false;
    }
  }

  interrupt(write: () => void): void {
    if (this.#screen.muted || this.#ended) return write();
    const { rows } = this.#readline.getCursorPos();
    moveCursor(this.#screen, 0, -rows);
    cursorTo(this.#screen, 0);
    clearScreenDown(this.#screen);
    write();
    this.#readline.prompt(true);
  }

  [Symbol.dispose](): void {
    // What was half typed stays to be seen, on a line of its own.
    if (this.#readline.line !== "" && !this.#ended) this.#screen.write("\n");
    this.#readline.close();
  }

  /** As if the user had deleted it: to the end of the line, then back to its beginning. */
  #dropTyped(): void {
    for (const name of ["e", "u"]) this.#readline.write("", { ctrl: true, name });
  }

  #take(line: string): void {
    if (this.#screen.muted) this.#forgetLast();
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) reader(line);
    else this.#lines.push(line);
  }

  /** Takes a secret out of the history again, from where a key would bring it back. */
  #forgetLast(): void {
    (this.#readline as unknown as { history: string[] }).history.shift();
  }

  #finish(): void {
    this.#ended = true;
    this.#reader?.(undefined);
  }
}

/** The terminal as the line editor sees it; shows nothing while it is muted. */
class Screen extends Writable {
  muted = false;
  readonly isTTY = true;
  readonly #write: (text: string) => void;
  readonly #columns: () => number;

  constructor(write: (text: string) => void, columns: () => number) {
    super({ decodeStrings: false });
    this.#write = write;
    this.#columns = columns;
  }

  /** The line editor wraps what is typed at this column. */
  get columns(): number {
    return this.#columns();
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    if (!this.muted) this.#write(text);
    done();
  }
}
