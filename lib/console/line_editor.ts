/** A key as `node:readline` names it. */
export interface Key {
  sequence: string;
  name?: string | undefined;
  ctrl: boolean;
  meta: boolean;
}

/** What is to be done after a key, beside showing the line again. */
export type Deed = "submit" | "end" | "complete" | "clear" | "interrupt" | "suspend" | undefined;

/** What may be completed to: each stands for what is between `from` and the cursor. */
export interface Completion {
  from: number;
  candidates: readonly string[];
}

/** So many lines are remembered. */
const MAX_HISTORY = 500;
/** A paste with more lines or characters is shown by its size, in one piece. */
const LARGE = { lines: 5, characters: 2_000 };
/** The characters that stand for large pastes: of a private plane. */
const FIRST_STAND_IN = 0xf0000;
const STAND_IN = /[\u{f0000}-\u{f1fff}]/gu;
/** So much before the cursor is looked at for a grapheme's beginning, in UTF-16 code units. */
const WINDOW = 64;

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
const WORD = /[\p{L}\p{M}\p{N}_]/u;

/** The line that is being typed: text, cursor, history and search. It knows no terminal. */
export class LineEditor {
  #text = "";
  #cursor = 0;
  #history: string[] = [];
  /** The place in the history that is shown; its length for the line that is being typed. */
  #place = 0;
  #draft = "";
  #killed = "";
  readonly #pastes: string[] = [];
  #search: { query: string; before: string } | undefined;

  /** What is typed; a large paste is one character. */
  get text(): string {
    return this.#text;
  }

  /** In UTF-16 code units of the text. */
  get cursor(): number {
    return this.#cursor;
  }

  /** What is searched for in the history; undefined where nothing is. */
  get query(): string | undefined {
    return this.#search?.query;
  }

  /** What a character of the text is shown as, if it stands for a large paste. */
  standsFor(character: string): string | undefined {
    const paste = this.#pastes[character.codePointAt(0)! - FIRST_STAND_IN];
    if (paste === undefined) return undefined;
    const lines = paste.split("\n").length;
    return `[paste: ${lines} ${lines === 1 ? "line" : "lines"}, ${paste.length} characters]`;
  }

  /** The whole line, and an empty one to type. */
  take({ remember }: { remember: boolean }): string {
    const text = this.#text;
    if (remember && text.trim() !== "" && text !== this.#history.at(-1)) {
      this.#history = [...this.#history.slice(1 - MAX_HISTORY), text];
    }
    this.drop();
    return text.replaceAll(STAND_IN, (character) => this.#pasteOf(character) ?? character);
  }

  /** An empty line to type. */
  drop(): void {
    this.#text = this.#draft = "";
    this.#cursor = 0;
    this.#place = this.#history.length;
    this.#search = undefined;
  }

  insert(text: string): void {
    this.#replace(this.#cursor, this.#cursor, text);
  }

  /** @returns whether it is a large one, which is shown by its size */
  paste(text: string): boolean {
    const large = text.length > LARGE.characters || text.split("\n").length > LARGE.lines;
    if (!large) this.insert(text);
    else this.insert(String.fromCodePoint(FIRST_STAND_IN + this.#pastes.push(text) - 1));
    return large;
  }

  /** Puts in what all candidates have in common. @returns whether that is more than was there */
  complete({ from, candidates }: Completion): boolean {
    const [first, ...others] = candidates;
    if (first === undefined) return false;
    const common = others.reduce(commonBeginning, first);
    const typed = this.#text.slice(from, this.#cursor);
    const wanted = others.length === 0 ? `${common} ` : common;
    if (others.length > 0 && common.length <= typed.length) return false;
    this.#replace(from, this.#cursor, wanted);
    return true;
  }

  /** Does what a key is for. */
  press(key: Key): Deed {
    if (this.#search !== undefined && this.#pressInSearch(key)) return undefined;
    if (key.ctrl) return this.#pressControl(key.name);
    if (key.meta) return this.#pressMeta(key.name);
    switch (key.name) {
      case "return":
      case "enter":
        return "submit";
      case "tab":
        return "complete";
      case "backspace":
        return this.#delete(this.#before(), this.#cursor);
      case "delete":
        return this.#delete(this.#cursor, this.#after());
      case "left":
        return this.#go(this.#before());
      case "right":
        return this.#go(this.#after());
      case "home":
        return this.#go(0);
      case "end":
        return this.#go(this.#text.length);
      case "up":
        return this.#recall(this.#place - 1);
      case "down":
        return this.#recall(this.#place + 1);
    }
    // Everything else that is more than a character is a key without a meaning.
    // deno-lint-ignore no-control-regex
    if (!/^[\x00-\x1f\x7f]/.test(key.sequence)) this.insert(key.sequence);
    return undefined;
  }

  #pressControl(name: string | undefined): Deed {
    switch (name) {
      case "c":
        return "interrupt";
      case "z":
        return "suspend";
      case "l":
        return "clear";
      case "d":
        return this.#text === "" ? "end" : this.#delete(this.#cursor, this.#after());
      case "h":
        return this.#delete(this.#before(), this.#cursor);
      case "a":
        return this.#go(0);
      case "e":
        return this.#go(this.#text.length);
      case "b":
        return this.#go(this.#before());
      case "f":
        return this.#go(this.#after());
      case "p":
        return this.#recall(this.#place - 1);
      case "n":
        return this.#recall(this.#place + 1);
      case "left":
        return this.#go(this.#wordBefore());
      case "right":
        return this.#go(this.#wordAfter());
      case "u":
        return this.#kill(0, this.#cursor);
      case "k":
        return this.#kill(this.#cursor, this.#text.length);
      case "w":
        return this.#kill(this.#blankBefore(), this.#cursor);
      case "y":
        return this.insert(this.#killed) as undefined;
      case "r":
        this.#search = { query: "", before: this.#text };
    }
    return undefined;
  }

  #pressMeta(name: string | undefined): Deed {
    switch (name) {
      case "return":
      case "enter":
        return this.insert("\n") as undefined;
      case "b":
      case "left":
        return this.#go(this.#wordBefore());
      case "f":
      case "right":
        return this.#go(this.#wordAfter());
      case "d":
        return this.#kill(this.#cursor, this.#wordAfter());
      case "backspace":
        return this.#kill(this.#wordBefore(), this.#cursor);
    }
    return undefined;
  }

  /** @returns whether the key was for the search alone */
  #pressInSearch(key: Key): boolean {
    const search = this.#search!;
    if (key.ctrl && key.name === "r") return this.#find(this.#place - 1);
    if (key.name === "escape" || key.ctrl && key.name === "g") {
      this.#search = undefined;
      this.#place = this.#history.length;
      this.#show(search.before);
      return true;
    }
    if (key.name === "backspace") {
      search.query = search.query.slice(0, -1);
      return this.#find(this.#history.length - 1);
    }
    // deno-lint-ignore no-control-regex
    if (key.ctrl || key.meta || /^[\x00-\x1f\x7f]/.test(key.sequence)) {
      this.#search = undefined;
      return false;
    }
    search.query += key.sequence;
    return this.#find(Math.min(this.#place, this.#history.length - 1));
  }

  /** Shows the newest line of the history, up to a place, that has what is searched for. */
  #find(from: number): true {
    const { query } = this.#search!;
    for (let place = from; place >= 0 && query !== ""; place--) {
      if (!this.#history[place]!.includes(query)) continue;
      this.#place = place;
      this.#show(this.#history[place]!);
      break;
    }
    return true;
  }

  #recall(place: number): undefined {
    if (place < 0 || place > this.#history.length) return;
    if (this.#place === this.#history.length) this.#draft = this.#text;
    this.#place = place;
    this.#show(this.#history[place] ?? this.#draft);
  }

  #show(text: string): void {
    this.#text = text;
    this.#cursor = text.length;
  }

  #go(cursor: number): undefined {
    this.#cursor = cursor;
  }

  #delete(from: number, to: number): undefined {
    this.#replace(from, to, "");
  }

  #kill(from: number, to: number): undefined {
    if (to > from) this.#killed = this.#text.slice(from, to);
    this.#delete(from, to);
  }

  #replace(from: number, to: number, text: string): void {
    this.#text = this.#text.slice(0, from) + text + this.#text.slice(to);
    this.#cursor = from + text.length;
  }

  #pasteOf(character: string): string | undefined {
    return this.#pastes[character.codePointAt(0)! - FIRST_STAND_IN];
  }

  /** Where the grapheme before the cursor begins. */
  #before(): number {
    const window = this.#text.slice(Math.max(this.#cursor - WINDOW, 0), this.#cursor);
    const last = [...graphemes.segment(window)].at(-1)?.segment ?? "";
    return this.#cursor - last.length;
  }

  /** Where the one after it ends. */
  #after(): number {
    const window = this.#text.slice(this.#cursor, this.#cursor + WINDOW);
    const [first] = graphemes.segment(window);
    return this.#cursor + (first?.segment.length ?? 0);
  }

  #wordBefore(): number {
    let at = this.#cursor;
    while (at > 0 && !WORD.test(this.#text[at - 1]!)) at--;
    while (at > 0 && WORD.test(this.#text[at - 1]!)) at--;
    return at;
  }

  #wordAfter(): number {
    let at = this.#cursor;
    while (at < this.#text.length && !WORD.test(this.#text[at]!)) at++;
    while (at < this.#text.length && WORD.test(this.#text[at]!)) at++;
    return at;
  }

  /** Where what is between blanks begins, before the cursor. */
  #blankBefore(): number {
    return this.#cursor - (/\S*\s*$/.exec(this.#text.slice(0, this.#cursor))?.[0].length ?? 0);
  }
}

function commonBeginning(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
