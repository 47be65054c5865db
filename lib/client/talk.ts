import type { Console } from "../console/console.ts";
import { legibleLine } from "../console/foreign.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { foldUsername, parseRoomName } from "../protocol/names.ts";
import { parseText } from "../protocol/text.ts";
import type { ChatClient } from "./client.ts";
import type { Sent } from "./format.ts";
import type { Settings } from "./settings.ts";
import { RequestError } from "./session.ts";
import type { View } from "./view.ts";

/** Of so many messages that the user sent `ST` can say how far they got. */
export const MAX_STATUS = 100;

/** Whom a text goes to: one user, or a room. */
export type Target = { to: string } | { room: string };

/** What the user typed could not be used; the text says why. */
export class InputError extends Error {
  override name = "InputError";
}

/** What a {@linkcode Talk} is made of. */
export interface TalkOptions {
  client: ChatClient;
  view: View;
  /** Whether what the user types as a password can't be seen, and so is asked for twice. */
  hidden: boolean;
  /** Keeps the settings for good. @returns what is wrong, if they can't be kept */
  keepSettings: () => string | undefined;
}

/** What commands work with: who is talked to, what was sent, and how to ask the user. */
export class Talk {
  readonly client: ChatClient;
  readonly view: View;
  readonly hidden: boolean;
  readonly keepSettings: () => string | undefined;
  /** Where plain text of the compact style goes; undefined for everybody. */
  target: Target | undefined;
  /** What the user has sent, the newest last. */
  sent: readonly Sent[] = [];

  constructor({ client, view, hidden, keepSettings }: TalkOptions) {
    this.client = client;
    this.view = view;
    this.hidden = hidden;
    this.keepSettings = keepSettings;
  }

  get console(): Console {
    return this.view.console;
  }

  get settings(): Settings {
    return this.view.settings;
  }

  /** Sends a text to a user or a room, or to everybody. */
  async send(text: string, target?: Target): Promise<void> {
    if (target === undefined) this.#noteSent({ message: await this.client.publish(text), text });
    else if ("room" in target) {
      const { room } = target;
      this.#noteSent({ message: await this.client.say(room, text), room, text });
    } else {
      const { to } = target;
      const { message, away } = await this.client.direct(to, text);
      this.#noteSent({ message, to, text });
      if (away) {
        const user = legibleLine(to);
        this.view.complain(`${user} is not here: the message is delivered at the next login.`);
      }
    }
  }

  #noteSent(sent: Sent): void {
    this.sent = [...this.sent.slice(1 - MAX_STATUS), sent];
    if (!this.view.compact) this.console.print("Message sent");
  }

  /** A user's name as it was registered. @throws {RequestError} where there is no such user */
  async findUser(name: string): Promise<string> {
    return (await this.client.findUser(name)).username;
  }

  /** Asks for one of the active users, or another one. */
  async askUser(): Promise<string> {
    const users = await this.client.users();
    this.view.tell([
      "Select a user to send a message to:",
      ...users.map((user) => `         ${legibleLine(user)}`),
    ]);
    return await this.askUntil("To:", async (name) => {
      if (name === "") throw new InputError("No user was named, so nothing was sent.");
      return await this.findUser(name);
    });
  }

  /** Asks until there is an answer that can be used; an empty one is the last one. */
  async askUntil<T>(question: string, use: (answer: string) => Promise<T>): Promise<T> {
    for (;;) {
      const answer = (await this.#askLine(question)).trim();
      try {
        return await use(answer);
      } catch (error) {
        const isWrong = error instanceof RequestError || error instanceof InputError;
        if (!isWrong || answer === "") throw error;
        this.view.complain(sentence(error.message));
      }
    }
  }

  /** Asks for a text that may be sent. */
  async askText(question: string): Promise<string> {
    return checkText(await this.#askLine(question));
  }

  /** Asks for what must not be seen. */
  askSecret(question: string): Promise<string> {
    return this.#askLine(question, { secret: true });
  }

  async #askLine(question: string, options: { secret?: boolean } = {}): Promise<string> {
    const line = await this.console.ask(question, { signal: this.client.signal, ...options });
    if (line !== undefined) return line;
    throw new ExitError(
      ExitCode.usage,
      "the input ended in the middle of a command: nothing was sent, and you are logged out",
    );
  }

  /** Whether this is the user's own name. */
  isOwn(username: string): boolean {
    return foldUsername(username) === foldUsername(this.view.username);
  }
}

/** @throws {InputError} where no server would take the text */
export function checkText(text: string): string {
  const problem = whatIsWrong(() => parseText(text));
  if (problem !== undefined) throw new InputError(`${problem}, so nothing was sent`);
  return text;
}

/**
 * The name of a room that the user typed.
 *
 * @param example how it should have been typed
 * @throws {InputError} where no room may have that name
 */
export function roomOf(typed: string, example: string): string {
  if (typed === "") throw new InputError(`It takes a room, as in "${example}"`);
  const problem = whatIsWrong(() => parseRoomName(typed));
  if (problem !== undefined) throw new InputError(problem);
  return parseRoomName(typed);
}

/** What is wrong with what `parse` parses; undefined where nothing is. */
export function whatIsWrong(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error.message;
  }
}

/** An error message as a sentence of its own. */
export function sentence(message: string): string {
  const first = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
