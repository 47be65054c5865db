import { abortable } from "@std/async/abortable";
import type { Completion } from "./line_editor.ts";
import { hanging } from "./layout.ts";
import type { Page } from "./page.ts";

/** How a line is read. */
export interface ReadOptions {
  /** Whether it must not be seen. */
  secret: boolean;
  /** What stands before it where it is typed; a pipe has no such place. @default nothing */
  prompt?: string;
}

/** Helps who types. */
export interface Assistant {
  /** What may be meant by what stands before the cursor. */
  complete: (before: string) => Completion;
  /** Whether a line is to be kept in the history. */
  remembers: (line: string) => boolean;
  /** A line came that nobody has asked for yet. */
  typedAhead: () => void;
}

/** Where the user's lines come from. */
export interface LineSource extends Disposable {
  /** The next line, without its line ending; undefined at the end of the input. */
  read(options: ReadOptions): Promise<string | undefined>;
  /** Helps from now on, where there is a keyboard. */
  assistant?: Assistant | undefined;
  /** Whether the keyboard is here at present; undefined where nobody tells. */
  readonly focused?: boolean | undefined;
  /** Has {@linkcode focused} known. */
  watchFocus?(): void;
  /** From now on there is no prompt. */
  dropPrompt?(): void;
  /** Lets `write` write to the screen, and keeps what the user is typing. */
  interrupt(write: () => void): void;
}

/** Where the program's lines go. */
export interface Output {
  /** Standard output: the dialogue and nothing else. */
  dialogue: (text: string) => void;
  /** Standard error: what is wrong. */
  complaint: (text: string) => void;
  /** Rings the terminal's bell, or the like: what shows nowhere. @default there is no terminal */
  signal?: (sequence: string) => void;
  /** What the dialogue is laid out for, and what a complaint is, at present. */
  dialoguePage: () => Page;
  complaintPage: () => Page;
}

/** The dialogue's screen: asks questions, and prints what comes while they are open. */
export class Console {
  readonly #source: LineSource;
  readonly #output: Output;
  #question: string | undefined;

  constructor(source: LineSource, output: Output) {
    this.#source = source;
    this.#output = output;
  }

  /**
   * Prints a question and waits for the line that answers it. After a secret, which nobody could see
   * being typed, there is an empty line.
   *
   * @returns undefined at the end of the input
   * @throws the signal's reason, as soon as it is aborted
   */
  async ask(
    question: string,
    { signal, secret = false }: { signal: AbortSignal; secret?: boolean },
  ): Promise<string | undefined> {
    signal.throwIfAborted();
    this.#question = question;
    // Something may be typed already.
    this.#source.interrupt(() => this.#output.dialogue(`${question}\n`));
    try {
      const answer = await abortable(this.#source.read({ secret }), signal);
      if (secret) this.#output.dialogue("\n");
      return answer;
    } finally {
      this.#question = undefined;
    }
  }

  /** The same with the question in front of what is typed, if there is a keyboard. */
  async askInline(
    prompt: string,
    { signal }: { signal: AbortSignal },
  ): Promise<string | undefined> {
    signal.throwIfAborted();
    return await abortable(this.#source.read({ secret: false, prompt }), signal);
  }

  /** Asks for the user's attention, unless the terminal has it. */
  alert(sequence: string): void {
    if (this.#source.focused !== true) this.#output.signal?.(sequence);
  }

  /** Whether the terminal has the user's attention is known from now on, if it tells. */
  watchFocus(): void {
    this.#source.watchFocus?.();
  }

  /** Helps who types, from now on. */
  assist(assistant: Assistant): void {
    this.#source.assistant = assistant;
  }

  /** What is printed is laid out for this, at present. */
  get page(): Page {
    return this.#output.dialoguePage();
  }

  /** From now on an open question is not printed again: nobody waits for its answer. */
  dropQuestion(): void {
    this.#question = undefined;
    this.#source.dropPrompt?.();
  }

  /** Prints text and a line ending; an open question is printed again after it. */
  print(text: string): void {
    this.#source.interrupt(() => {
      this.#output.dialogue(`${text}\n`);
      if (this.#question !== undefined) this.#output.dialogue(`${this.#question}\n`);
    });
  }

  /** Says on standard error what is wrong. */
  complain(problem: string): void {
    const text = hanging(problem, this.#output.complaintPage());
    this.#source.interrupt(() => this.#output.complaint(`${text}\n`));
  }
}
