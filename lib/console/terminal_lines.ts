import {
  clearScreenDown,
  createInterface,
  cursorTo,
  type Interface,
  moveCursor,
} from "node:readline";
import { type Readable, Writable } from "node:stream";
import type { LineSource } from "./console.ts";
import { MARK_PASTES, NEWLINE_SIGN, PasteFilter, UNMARK_PASTES } from "./paste.ts";

/** What {@linkcode TerminalLines} needs of the terminal. */
export interface TerminalOptions {
  /** The terminal's keys. */
  input: Readable & { setRawMode?: (raw: boolean) => unknown };
  /** Writes to the terminal. */
  write: (text: string) => void;
  /** The terminal's width, in columns. */
  columns: () => number;
  /** The user pressed Ctrl-C. */
  onInterrupt: () => void;
}

/**
 * Lines from a terminal, with editing and history. What is typed in secret is not shown. What is pasted
 * is one line, with the newlines in it.
 */
export class TerminalLines implements LineSource {
  readonly #write: (text: string) => void;
  readonly #screen: Screen;
  readonly #readline;
  readonly #lines: string[] = [];
  #reader: ((line: string | undefined) => void) | undefined;
  #ended = false;

  constructor({ input, write, columns, onInterrupt }: TerminalOptions) {
    this.#write = write;
    this.#screen = new Screen(write, columns);
    const keys = new PasteFilter((raw) => input.setRawMode?.(raw));
    input.pipe(keys);
    write(MARK_PASTES);
    this.#readline = createInterface({
      input: keys,
      output: this.#screen,
      terminal: true,
      prompt: "",
    });
    this.#readline.on("line", (line: string) => this.#take(line));
    this.#readline.on("close", () => this.#finish());
    this.#readline.getCursorPos = cursorMeasure(this.#readline, columns);
    // By default the line editor would suspend the program, which takes more permissions than it has,
    // and leave the terminal showing what is typed.
    this.#readline.on("SIGTSTP", () => {});
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
    this.#mute(secret);
    return await promise;
  }

  /**
   * Stays as it is until the next line is asked for, so that a password that somebody types too early,
   * or again, does not show either.
   */
  #mute(muted: boolean): void {
    const shows = this.#screen.muted && !muted;
    this.#screen.muted = muted;
    if (shows) this.#readline.prompt(true);
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
    this.#write(UNMARK_PASTES);
  }

  /** As if the user had deleted it: to the end of the line, then back to its beginning. */
  #dropTyped(): void {
    for (const name of ["e", "u"]) this.#readline.write("", { ctrl: true, name });
  }

  #take(typed: string): void {
    if (this.#screen.muted) this.#forget(typed);
    const line = typed.replaceAll(NEWLINE_SIGN, "\n");
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) reader(line);
    // What nobody saw being typed, and nobody asked for, might be a password: it must not be taken for
    // something else.
    else if (!this.#screen.muted) this.#lines.push(line);
  }

  /** Takes a secret out of the history again, from where a key would bring it back. */
  #forget(line: string): void {
    const { history } = this.#readline as unknown as { history: string[] };
    if (history[0] === line) history.shift();
  }

  #finish(): void {
    this.#ended = true;
    this.#reader?.(undefined);
  }
}

const ASCII = /^[\x20-\x7e␤]*$/;

/**
 * The line editor measures the whole line at each key, which takes seconds when a long one is pasted.
 * Where a character is a column there is nothing to measure.
 */
function cursorMeasure(
  readline: Interface,
  columns: () => number,
): () => { rows: number; cols: number } {
  const measure = readline.getCursorPos.bind(readline);
  return () => {
    if (!ASCII.test(readline.line)) return measure();
    const width = columns() || Infinity;
    return { rows: Math.floor(readline.cursor / width), cols: readline.cursor % width };
  };
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
