import { ExitCode, ExitError } from "../exit.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { parsePassword } from "../protocol/names.ts";
import { parseText } from "../protocol/text.ts";
import type { Console } from "../console/console.ts";
import { legibleLine } from "../console/foreign.ts";
import { hanging } from "../console/layout.ts";
import type { ChatClient } from "./client.ts";
import { logInWith } from "./log_in.ts";
import { formatPastMessage, formatStatus, type Sent } from "./format.ts";
import { RequestError } from "./session.ts";

const COMMAND_PROMPT = `Please enter a command:
      PM - public message to all active users.
      DM - direct message to a single user
      EX - exit program and logout of account`;

/** So many messages `HI` shows if it is not told. */
const HISTORY_COUNT = 20;

/** Of so many messages that the user sent `ST` can say how far they got. */
const MAX_STATUS = 100;

/** What the dialogue is held with. */
export interface DialogueOptions {
  console: Console;
  client: ChatClient;
  /** Whether what the user types as a password can't be seen, and so is asked for twice. */
  hidden: boolean;
}

/** What the user typed could not be used; the text says why. */
class InputError extends Error {
  override name = "InputError";
}

/** The conversation with the user: the login, then commands. */
export class Dialogue {
  readonly #console: Console;
  readonly #client: ChatClient;
  readonly #hidden: boolean;
  readonly #signal: AbortSignal;
  #loggedIn = false;
  #failed = 0;
  /** What the user has sent, the newest last. */
  #sent: Sent[] = [];

  constructor({ console, client, hidden }: DialogueOptions) {
    this.#console = console;
    this.#client = client;
    this.#hidden = hidden;
    this.#signal = client.signal;
  }

  /** How many commands have failed. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * Logs the user in, or makes the account.
   *
   * @param password undefined where the user has to be asked for it
   * @throws {ExitError} `refused`, where the server refuses the name or the third password; `usage`,
   *   where the input ends
   */
  async logIn(username: string, password?: string): Promise<void> {
    if (password !== undefined) {
      const user = await logInWith(this.#client, { username, password });
      if (user.created) this.#welcomeNew(user.username);
      this.#loggedIn = true;
      return;
    }
    try {
      const user = await this.#client.identify(username);
      const registered = !user.exists && await this.#register(user.username);
      if (!registered) await this.#authenticate();
      this.#loggedIn = true;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      throw new ExitError(ExitCode.refused, error.message, { cause: error });
    }
  }

  /** Takes commands until the user leaves. */
  async takeCommands(): Promise<void> {
    for (;;) {
      const line = await this.#console.ask(COMMAND_PROMPT, { signal: this.#signal });
      if (line === undefined) return this.leave();
      const [, command = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(line.trim()) ?? [];
      try {
        switch (command.toUpperCase()) {
          case "PM":
            await this.#publicMessage(rest);
            break;
          case "DM":
            await this.#directMessage(rest);
            break;
          case "HI":
            await this.#history(rest);
            break;
          case "ST":
            await this.#status(rest);
            break;
          case "EX":
            return await this.leave();
          case "":
            break;
          default:
            throw new InputError(
              `Unknown command ${JSON.stringify(command)}: the commands are PM, DM, HI, ST and EX.`,
            );
        }
      } catch (error) {
        if (!(error instanceof InputError || error instanceof RequestError)) throw error;
        this.#failed++;
        this.#console.complain(sentence(error.message));
      }
    }
  }

  /**
   * Logs out; messages that are still pending are printed before.
   *
   * @throws {ExitError} `usage`, where there was no login yet
   */
  async leave(): Promise<void> {
    if (!this.#loggedIn) {
      throw new ExitError(ExitCode.usage, "you left before the login was done");
    }
    this.#console.dropQuestion();
    this.#console.print("Sending logout command to server");
    await this.#client.logout();
    this.#console.print(
      "successfully logged out. Closing client side socket and ending program.",
    );
  }

  /** Whether the account was made: false where somebody else has just made it. */
  async #register(username: string): Promise<boolean> {
    for (;;) {
      const password = await this.#askNewPassword(username);
      try {
        const { username } = await this.#client.register(password);
        this.#welcomeNew(username);
        return true;
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (error.code !== "name-taken" && error.code !== "bad-password") throw error;
        this.#console.complain(sentence(error.message));
        if (error.code === "name-taken") return false;
      }
    }
  }

  #welcomeNew(username: string): void {
    this.#console.print(hanging(`New User: ${legibleLine(username)}`, this.#console.page));
  }

  async #askNewPassword(username: string): Promise<string> {
    for (;;) {
      const password = await this.#askSecret(
        `Welcome new user: ${legibleLine(username)} please enter a new password:`,
      );
      const problem = whatIsWrong(() => parsePassword(password));
      if (problem !== undefined) {
        this.#console.complain(sentence(problem));
        continue;
      }
      if (!this.#hidden || await this.#askSecret("Repeat the password:") === password) {
        return password;
      }
      this.#console.complain("The two passwords differ.");
    }
  }

  async #authenticate(): Promise<void> {
    for (;;) {
      const password = await this.#askSecret("Existing user. Please enter password:");
      try {
        await this.#client.authenticate(password);
        return;
      } catch (error) {
        if (!(error instanceof RequestError) || error.code !== "wrong-password") throw error;
        const left = error.attempts ?? 0;
        if (left === 0) {
          throw new ExitError(
            ExitCode.refused,
            "wrong password, and no attempts left: the server has ended the connection",
            { cause: error },
          );
        }
        this.#console.complain(
          `Wrong password: ${left} ${left === 1 ? "attempt" : "attempts"} left.`,
        );
      }
    }
  }

  async #askSecret(question: string): Promise<string> {
    const answer = await this.#console.ask(question, { signal: this.#signal, secret: true });
    if (answer !== undefined) return answer;
    throw new ExitError(ExitCode.usage, "the input ended before the login was done");
  }

  async #publicMessage(text: string): Promise<void> {
    const accepted = text ? checkText(text) : await this.#askText("Message:");
    const message = await this.#client.publish(accepted);
    this.#noteSent({ message, to: undefined, text: accepted });
  }

  async #directMessage(rest: string): Promise<void> {
    const [, name = "", text = ""] = /^(\S*)\s*(.*)$/s.exec(rest) ?? [];
    const to = name === "" ? await this.#askUser() : await this.#findUser(name);
    const accepted = text ? checkText(text) : await this.#askText("Enter message:");
    const { message, away } = await this.#client.direct(to, accepted);
    this.#noteSent({ message, to, text: accepted });
    if (away) {
      const user = legibleLine(to);
      this.#console.complain(`${user} is not here: the message is delivered at the next login.`);
    }
  }

  #noteSent(sent: Sent): void {
    this.#sent = [...this.#sent.slice(1 - MAX_STATUS), sent];
    this.#console.print("Message sent");
  }

  /** How far the user's last messages got: `ST`, `ST 5`. */
  async #status(rest: string): Promise<void> {
    const count = rest === "" ? 1 : Number(/^\d{1,3}$/.exec(rest)?.[0] ?? 0);
    if (count === 0) throw new InputError(`ST takes a number of messages, as in "ST 5"`);
    if (this.#sent.length === 0) throw new InputError("You have sent nothing yet");
    for (const sent of this.#sent.slice(-count)) {
      const { progress } = await this.#client.status(sent.message);
      this.#console.print(hanging(formatStatus(sent, progress), this.#console.page));
    }
  }

  async #askUser(): Promise<string> {
    const users = await this.#client.users();
    const { page } = this.#console;
    const list = users.map((user) => hanging(`         ${legibleLine(user)}`, page));
    this.#console.print(["Select a user to send a message to:", ...list].join("\n"));
    for (;;) {
      const name = (await this.#askLine("To:")).trim();
      if (name === "") throw new InputError("No user was named, so nothing was sent.");
      try {
        return await this.#findUser(name);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        this.#console.complain(sentence(error.message));
      }
    }
  }

  async #findUser(name: string): Promise<string> {
    return (await this.#client.findUser(name)).username;
  }

  /** `HI`, `HI 50`, `HI joe`, `HI 50 joe`. */
  async #history(rest: string): Promise<void> {
    const [, count, name] = /^(\d{1,4}(?=\s|$))?\s*(\S+)?$/.exec(rest) ?? [];
    if (rest !== "" && count === undefined && name === undefined || count === "0") {
      throw new InputError(`HI takes a number of messages, a username, or both, as in "HI 50 joe"`);
    }
    const messages = await this.#client.history(Number(count ?? HISTORY_COUNT), name);
    if (messages.length === 0) this.#console.complain("There are no messages.");
    for (const message of messages) {
      this.#console.print(formatPastMessage(message, this.#console.page));
    }
  }

  async #askText(question: string): Promise<string> {
    return checkText(await this.#askLine(question));
  }

  async #askLine(question: string): Promise<string> {
    const line = await this.#console.ask(question, { signal: this.#signal });
    if (line !== undefined) return line;
    throw new ExitError(
      ExitCode.usage,
      "the input ended in the middle of a command: nothing was sent, and you are logged out",
    );
  }
}

/** @throws {InputError} where no server would take the text */
function checkText(text: string): string {
  const problem = whatIsWrong(() => parseText(text));
  if (problem !== undefined) throw new InputError(`${problem}, so nothing was sent`);
  return text;
}

/** What is wrong with what `parse` parses; undefined where nothing is. */
function whatIsWrong(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error.message;
  }
}

/** An error message as a sentence of its own. */
function sentence(message: string): string {
  const first = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
