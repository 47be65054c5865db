import type { Console } from "../console/console.ts";
import { legibleLine } from "../console/foreign.ts";
import { hanging } from "../console/layout.ts";
import { foldUsername } from "../protocol/names.ts";
import type { Message } from "../protocol/records.ts";
import { dayOf, formatLine } from "./compact.ts";
import { formatMessage, formatPastMessage } from "./format.ts";
import type { Settings } from "./settings.ts";

/** What {@linkcode View} shows things on, and by. */
export interface ViewOptions {
  console: Console;
  settings: Settings;
  /** Wall-clock time, in milliseconds since 1970. */
  now: () => number;
}

/** What the user sees of the chat, in the style of the moment. */
export class View {
  readonly console: Console;
  readonly settings: Settings;
  /** The user's name, as the server writes it. */
  username = "";
  /** Who sent the last direct message that was shown. */
  lastDirect: string | undefined;
  /** The day of what was shown last. */
  #day: string;

  constructor({ console, settings, now }: ViewOptions) {
    this.console = console;
    this.settings = settings;
    this.#day = dayOf(now());
  }

  get compact(): boolean {
    return this.settings.get("style") === "compact";
  }

  /** A message that has come. */
  message(message: Message): void {
    if (this.#isBlocked(message.from)) return;
    const own = this.#isOwn(message.from);
    if (message.to !== undefined && !own) this.lastDirect = message.from;
    if (this.compact) this.#line(message);
    else this.console.print(formatMessage(message, this.console.page));
  }

  /** Messages of the past, in order. */
  past(messages: readonly Message[]): void {
    for (const message of messages) {
      if (this.#isBlocked(message.from)) continue;
      if (this.compact) this.#line(message);
      else this.console.print(formatPastMessage(message, this.console.page));
    }
  }

  /** A quiet line of the compact style, which no message can begin as. */
  notice(text: string): void {
    this.console.print(hanging(`* ${text}`, this.console.page));
  }

  /** What the user asked for, in lines; those that begin with blanks stand back. */
  tell(lines: readonly string[]): void {
    const { page } = this.console;
    const marked = lines.map((line) => this.compact && !line.startsWith(" ") ? `* ${line}` : line);
    this.console.print(marked.map((line) => hanging(line, page)).join("\n"));
  }

  /** What is wrong, or becomes of what the user did. */
  complain(problem: string): void {
    this.console.complain(this.compact ? `! ${problem}` : problem);
  }

  lost(why: string): void {
    this.complain(`Connection lost (${why}), trying to come back.`);
  }

  back(): void {
    this.complain("Connected again.");
  }

  #line(message: Message): void {
    const times = this.settings.get("times");
    const day = dayOf(message.sent);
    if (times === "short" && day !== this.#day) this.notice(day);
    this.#day = day;
    const own = this.#isOwn(message.from);
    this.console.print(formatLine(message, { page: this.console.page, times, own }));
  }

  #isOwn(username: string): boolean {
    return foldUsername(username) === foldUsername(this.username);
  }

  #isBlocked(username: string): boolean {
    const key = foldUsername(username);
    return this.settings.get("blocked").some((name) => foldUsername(name) === key);
  }
}

/** Names, for a line of the program's. */
export function listed(names: readonly string[]): string {
  return names.map(legibleLine).join(", ");
}
