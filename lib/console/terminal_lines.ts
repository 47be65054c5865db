import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { emitKeypressEvents } from "node:readline";
import { type Readable } from "node:stream";
import { type Clock } from "../clock.ts";
import type { Assistant, LineSource, ReadOptions } from "./console.ts";
import { hanging } from "./layout.ts";
import { type Key, LineEditor } from "./line_editor.ts";
import type { Page } from "./page.ts";
import { Painter } from "./painter.ts";
import {
  beginsPaste,
  continuesPaste,
  MARK_PASTES,
  PasteDecoder,
  pastedText,
  UNMARK_PASTES,
} from "./paste.ts";
import { pictureOf } from "./picture.ts";
import { TypedText } from "./typed_text.ts";

/** Asks a terminal to tell when it gets and loses the focus, and to stop doing so. */
const TELL_FOCUS = "\x1b[?1004h";
const HIDE_FOCUS = "\x1b[?1004l";
const FOCUS = "\x1b[I";
const BLUR = "\x1b[O";

const GARBLED =
  'Some of what you typed is not valid UTF-8, so "\ufffd" stands for it: choose UTF-8 in the ' +
  "terminal's settings.";

/** A paste without marks is over when nothing has come for so long, in milliseconds. */
const PASTE_PAUSE_MS = 50;

/** So long after a Ctrl-Z the next one suspends, in milliseconds. */
const SUSPENDABLE_MS = 10_000;
/** What brings a suspended program back, in a shell. */
const FOR_SHELL = /^\s*(?:fg|%\d*)\s*$/;

/** What {@linkcode TerminalLines} needs of the terminal. */
export interface TerminalOptions {
  /** The terminal's keys. */
  input: Readable;
  /** Has keys come one by one, as they are; or gives the terminal back as it was. */
  setRawMode: (raw: boolean) => void;
  /** Whether the terminal suspends a program at Ctrl-Z, if it is as it was. @default false */
  jobControl?: boolean;
  /** Writes to the terminal. */
  write: (text: string) => void;
  /** What the line is laid out for, at present. */
  page: () => Page;
  /** Whether the terminal knows no escape sequences. @default false */
  dumb?: boolean;
  clock: Clock;
  /** The user wants to leave: Ctrl-C, twice where a line is asked for. */
  onInterrupt: () => void;
}

/**
 * Lines from a terminal, with editing and history. What is typed in secret is not shown. What is pasted
 * is one line, with the newlines in it, and waits for Enter.
 */
export class TerminalLines implements LineSource {
  readonly #options: TerminalOptions;
  readonly #painter: Painter;
  readonly #editor = new LineEditor();
  readonly #pastes = new PasteDecoder();
  readonly #typed = new TypedText();
  /** Whether the line has bytes that are no UTF-8, and whether that was said. */
  #garbled: "no" | "yes" | "said" = "no";
  readonly #keys = new EventEmitter();
  readonly #lines: string[] = [];
  readonly #onData = (chunk: Uint8Array) => this.#receive(chunk);
  readonly #onEnd = () => this.#finish();
  assistant: Assistant | undefined;
  #reader: ((line: string | undefined) => void) | undefined;
  #prompt = "";
  #muted = false;
  #ended = false;
  #columns: number;
  /** A paste without marks, so far. */
  #unmarked = "";
  #unmarkedEnd: Disposable | undefined;
  /** The lines of a text that began with three quotation marks, so far. */
  #quoted: string[] | undefined;
  /** Whether the last key was Ctrl-C. */
  #interrupted = false;
  /** When the terminal is ours again, which is as it was since a Ctrl-Z: the next one suspends. */
  #suspendable: Disposable | undefined;
  /** Whether there was a Ctrl-Z since the last line. */
  #suspendTried = false;
  #watchesFocus = false;
  #focused = false;

  constructor(options: TerminalOptions) {
    const { input, write, dumb = false, page, setRawMode } = options;
    this.#options = options;
    this.#painter = new Painter(write, dumb);
    this.#columns = page().columns;
    setRawMode(true);
    this.#setModes(true);
    // Where an escape sequence ends, and what each is called, depends on the terminal.
    emitKeypressEvents(this.#keys as unknown as Readable);
    this.#keys.on("keypress", (_: string | null, key: Key) => this.#press(key));
    input.on("data", this.#onData);
    input.on("end", this.#onEnd);
    input.resume();
  }

  /** Whether the terminal said that it has the focus. */
  get focused(): boolean {
    return this.#focused;
  }

  /** From now on {@linkcode focused} is known, if the terminal tells. */
  watchFocus(): void {
    if (this.#watchesFocus || this.#options.dumb) return;
    this.#watchesFocus = true;
    this.#options.write(TELL_FOCUS);
  }

  async read({ secret, prompt = "" }: ReadOptions): Promise<string | undefined> {
    const waiting = this.#lines.shift();
    if (waiting !== undefined || this.#ended) return waiting;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#reader = resolve;
    this.#prompt = prompt;
    if (secret) this.#takeBack();
    // What was typed in secret stays so until the next line is asked for: it could be a password.
    this.#muted = secret;
    this.#paint();
    return await promise;
  }

  dropPrompt(): void {
    this.#prompt = "";
    this.#paint();
  }

  interrupt(write: () => void): void {
    if (this.#muted || this.#ended) return write();
    this.#followWidth();
    this.#painter.clear();
    write();
    this.#paint();
  }

  /** The terminal has another size. */
  resized(): void {
    this.#paint();
  }

  /** The program was suspended, and goes on. */
  resumed(): void {
    if (this.#ended) return;
    this.#takeBack({ always: true });
    this.#painter.restart();
    this.#paint();
  }

  [Symbol.dispose](): void {
    this.#finish();
    this.#unmarkedEnd?.[Symbol.dispose]();
    this.#suspendable?.[Symbol.dispose]();
    const { input, setRawMode } = this.#options;
    input.off("data", this.#onData);
    input.off("end", this.#onEnd);
    input.pause();
    this.#setModes(false);
    setRawMode(false);
  }

  #setModes(on: boolean): void {
    if (this.#options.dumb) return;
    const focus = !this.#watchesFocus ? "" : on ? TELL_FOCUS : HIDE_FOCUS;
    this.#options.write((on ? MARK_PASTES : UNMARK_PASTES) + focus);
  }

  #receive(chunk: Uint8Array): void {
    const { text, valid } = this.#typed.decode(chunk);
    if (!valid && this.#garbled === "no") this.#garbled = "yes";
    if (!this.#muted) this.#sayGarbled();
    if (this.#suspendable !== undefined) return this.#resumeWith(text);
    for (const piece of this.#pastes.decode(text)) {
      if ("paste" in piece) this.#paste(piece.paste);
      else this.#type(piece.keys);
    }
    this.#paint();
  }

  #sayGarbled(): void {
    if (this.#garbled !== "yes") return;
    this.#garbled = "said";
    this.#say(GARBLED);
  }

  #type(keys: string): void {
    const pasted = this.#unmarked === "" ? !this.#muted && beginsPaste(keys) : continuesPaste(keys);
    if (!pasted) {
      this.#endUnmarked();
      this.#keys.emit("data", Buffer.from(keys));
      return;
    }
    this.#unmarked += keys;
    this.#unmarkedEnd?.[Symbol.dispose]();
    this.#unmarkedEnd = this.#options.clock.after(PASTE_PAUSE_MS, () => {
      this.#endUnmarked();
      this.#paint();
    });
  }

  #endUnmarked(): void {
    if (this.#unmarked === "") return;
    const text = pastedText(this.#unmarked);
    this.#unmarked = "";
    this.#unmarkedEnd?.[Symbol.dispose]();
    this.#paste(text);
  }

  #paste(text: string): void {
    // A secret has no second line, and is not shown by its size either.
    if (this.#muted) return this.#editor.insert(text.split("\n")[0]!);
    if (!this.#editor.paste(text)) return;
    const lines = text.split("\n").length;
    const size = lines > 1 ? `${lines} lines` : `${text.length} characters`;
    this.#say(`A paste of ${size}: Enter sends it as one message, Ctrl-C drops it.`);
  }

  #press(key: Key): void {
    if (this.#ended) return;
    if (key.sequence === FOCUS || key.sequence === BLUR) {
      this.#focused = key.sequence === FOCUS;
      return;
    }
    const deed = this.#editor.press(key);
    if (deed !== "interrupt") this.#interrupted = false;
    switch (deed) {
      case "submit":
        return this.#submit();
      case "end":
        return this.#finish();
      case "complete":
        return this.#complete();
      case "clear":
        return this.#clearScreen();
      case "interrupt":
        return this.#interrupt();
      case "suspend":
        return this.#suspend();
    }
  }

  #submit(): void {
    this.#sayGarbled();
    this.#garbled = "no";
    if (this.#muted) return this.#give(this.#editor.take({ remember: false }));
    this.#paint();
    this.#painter.leave();
    const remember = this.assistant?.remembers(this.#editor.text) ?? true;
    const line = this.#editor.take({ remember });
    const triedToSuspend = this.#suspendTried;
    this.#suspendTried = false;
    if (triedToSuspend && FOR_SHELL.test(line)) return this.#sayForShell(line);
    const whole = this.#unquoted(line);
    if (whole !== undefined) this.#give(whole);
  }

  /** A text between three quotation marks may have several lines. @returns undefined until it is whole */
  #unquoted(line: string): string | undefined {
    const MARK = '"""';
    if (this.#quoted === undefined) {
      const at = line.indexOf(MARK);
      if (at < 0 || line.indexOf(MARK, at + 3) >= 0) return line;
      this.#quoted = [line.slice(0, at) + line.slice(at + 3)];
      return undefined;
    }
    const ends = line.trimEnd().endsWith(MARK);
    this.#quoted.push(ends ? line.trimEnd().slice(0, -3) : line);
    if (!ends) return undefined;
    const text = this.#quoted.join("\n").replace(/\n$/, "").replace(/^(\S*\s*)\n/, "$1");
    this.#quoted = undefined;
    return text;
  }

  #give(line: string): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) {
      this.#prompt = "";
      return reader(line);
    }
    // What nobody saw being typed, and nobody asked for, might be a password: it must not be taken for
    // something else.
    if (this.#muted) return;
    this.#lines.push(line);
    this.assistant?.typedAhead();
  }

  #complete(): void {
    if (this.#muted) return;
    const before = this.#editor.text.slice(0, this.#editor.cursor);
    const completion = this.assistant?.complete(before);
    if (completion === undefined || this.#editor.complete(completion)) return;
    if (completion.candidates.length > 1) this.#say(completion.candidates.join("  "));
  }

  #clearScreen(): void {
    if (this.#muted || this.#options.dumb) return;
    this.#painter.forget();
    this.#options.write("\x1b[H\x1b[2J");
  }

  #interrupt(): void {
    const isEmpty = this.#editor.text === "" && this.#quoted === undefined;
    this.#editor.drop();
    this.#quoted = undefined;
    if (this.#muted || this.#interrupted || this.#reader === undefined) {
      this.#paint();
      return this.#options.onInterrupt();
    }
    this.#interrupted = true;
    if (isEmpty) this.#say("Ctrl-C once more leaves.");
  }

  /**
   * The program may not signal processes, itself included, so the terminal has to: it does so at the next
   * Ctrl-Z. The program learns of that afterwards, so the terminal is as it was from now on: not every
   * shell mends what a program leaves behind.
   */
  #suspend(): void {
    if (this.#muted) return;
    const { clock, jobControl = false, setRawMode } = this.#options;
    this.#suspendTried = true;
    if (!jobControl) return this.#say("Ctrl-Z does nothing here.");
    this.#say("Ctrl-Z once more suspends, Enter goes on.");
    this.#setModes(false);
    setRawMode(false);
    this.#suspendable = clock.after(SUSPENDABLE_MS, () => this.interrupt(() => this.#takeBack()));
  }

  /** The terminal is ours again. */
  #takeBack({ always = false } = {}): void {
    if (this.#suspendable === undefined && !always) return;
    this.#suspendable?.[Symbol.dispose]();
    this.#suspendable = undefined;
    this.#options.setRawMode(true);
    this.#setModes(true);
  }

  /** What was typed while the terminal was as it was is a line; the terminal has shown it. */
  #resumeWith(typed: string): void {
    this.#takeBack();
    this.#painter.restart();
    const line = typed.replace(/\n$/, "");
    if (FOR_SHELL.test(line)) this.#sayForShell(line);
    else this.#type(line);
    this.#paint();
  }

  #sayForShell(line: string): void {
    this.#say(`"${line.trim()}" is for your shell, so it was not sent.`);
  }

  /** A line of the program's about what was typed. */
  #say(text: string): void {
    const lines = hanging(text, this.#options.page()).replaceAll("\n", "\r\n");
    this.interrupt(() => this.#options.write(`${lines}\r\n`));
  }

  #paint(): void {
    if (this.#muted || this.#ended) return;
    this.#followWidth();
    const { text, cursor, query } = this.#editor;
    const prompt = query !== undefined
      ? `(search: ${query}) `
      : this.#quoted !== undefined
      ? '""" '
      : this.#prompt;
    const standsFor = (character: string) => this.#editor.standsFor(character);
    this.#painter.paint(pictureOf({ prompt, text, cursor, standsFor }, this.#options.page()));
  }

  #followWidth(): void {
    const page = this.#options.page();
    if (page.columns === this.#columns) return;
    this.#columns = page.columns;
    this.#painter.reflow(page);
    this.#painter.clear();
  }

  #finish(): void {
    if (this.#ended) return;
    // What was half typed stays to be seen, on a line of its own.
    if (!this.#muted && this.#editor.text !== "") this.#painter.leave();
    else this.#painter.clear();
    this.#ended = true;
    this.#reader?.(undefined);
  }
}
