import { legibleLine } from "../console/foreign.ts";
import { hanging } from "../console/layout.ts";
import type { Assistant, Console } from "../console/console.ts";
import { ExitCode, ExitError } from "../exit.ts";
import { parsePassword } from "../protocol/names.ts";
import type { ChatClient } from "./client.ts";
import { logInWith } from "./log_in.ts";
import { COMMANDS, DIRECT } from "./commands/table.ts";
import { completionOf } from "./completion.ts";
import { closestCommand, type Input, readInput } from "./input.ts";
import { RequestError } from "./session.ts";
import { checkText, InputError, sentence, Talk, type TalkOptions, whatIsWrong } from "./talk.ts";
import type { ChatCommand } from "./commands/table.ts";
import type { View } from "./view.ts";

const COMMAND_PROMPT = `Please enter a command:
      PM - public message to all active users.
      DM - direct message to a single user
      EX - exit program and logout of account`;

/** Of what was no command so much is quoted, in UTF-16 code units. */
const QUOTED = 40;

/** The conversation with the user: the login, then commands. */
export class Dialogue {
  readonly #talk: Talk;
  readonly #view: View;
  readonly #console: Console;
  readonly #client: ChatClient;
  readonly #hidden: boolean;
  readonly #signal: AbortSignal;
  #loggedIn = false;
  #failed = 0;

  constructor(options: TalkOptions) {
    const { view, client, hidden } = options;
    this.#talk = new Talk(options);
    this.#view = view;
    this.#console = view.console;
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
      this.#view.welcome(user.username, user.overview);
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
    this.#console.assist(this.#assistant());
    this.#console.watchFocus();
    for (;;) {
      const line = await this.#askCommand();
      if (line === undefined) return this.leave();
      try {
        if (await this.#run(line) === "leave") return this.leave();
      } catch (error) {
        if (!(error instanceof InputError || error instanceof RequestError)) throw error;
        this.#failed++;
        this.#view.complain(sentence(error.message));
      }
    }
  }

  /** What helps who types. */
  #assistant(): Assistant {
    const isSecret = (line: string) => /^\s*\/?(?:pw|passwd|password)\s/i.test(line);
    return {
      complete: (before) =>
        completionOf(before, {
          commands: COMMANDS,
          names: this.#view.here.names.map(legibleLine),
          rooms: [...this.#view.rooms].map(legibleLine),
        }),
      remembers: (line) => !isSecret(line),
      typedAhead: () => this.#sayIfKept(),
    };
  }

  #askCommand(): Promise<string | undefined> {
    if (!this.#view.compact) return this.#console.ask(COMMAND_PROMPT, { signal: this.#signal });
    const { target } = this.#talk;
    const whom = target === undefined
      ? "everybody"
      : "room" in target
      ? `#${legibleLine(target.room)}`
      : legibleLine(target.to);
    const prompt = `${whom}> `;
    return this.#console.askInline(prompt, { signal: this.#signal });
  }

  async #run(line: string): Promise<void | "leave"> {
    const { compact } = this.#view;
    const input = readInput(line, { commands: COMMANDS, direct: DIRECT, compact });
    if (input.kind === "nothing") return;
    if (input.kind === "command") {
      if (!input.command.local) this.#sayIfKept();
      return await input.command.run(this.#talk, input.rest);
    }
    if (input.kind === "text" && compact) {
      this.#sayIfKept();
      return await this.#talk.send(checkText(input.text), this.#talk.target);
    }
    this.#correct(input);
  }

  /** What the user probably meant. */
  #correct(input: Extract<Input<ChatCommand>, { kind: "text" | "unknown" }>): void {
    this.#failed++;
    const typed = input.kind === "text" ? input.text : input.word;
    const line = legibleLine(typed);
    const shown = line.length > QUOTED ? `${line.slice(0, QUOTED)}…` : line;
    const [word = ""] = shown.split(" ");
    const meant = input.kind === "unknown" ? closestCommand(word, COMMANDS) : undefined;
    const hint = meant === undefined ? "" : `did you mean ${meant}? `;
    this.#view.complain(`Unknown command ${JSON.stringify(word)}: ${hint}HE lists the commands.`);
    if (input.kind === "text") this.#view.complain(`To send it to everybody: PM ${shown}`);
  }

  #sayIfKept(): void {
    if (this.#client.connected) return;
    this.#view.complain("Not connected: what you typed is kept, and goes out later.");
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
        const { username, overview } = await this.#client.register(password);
        this.#welcomeNew(username);
        this.#view.welcome(username, overview);
        return true;
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (error.code !== "name-taken" && error.code !== "bad-password") throw error;
        this.#view.complain(sentence(error.message));
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
        this.#view.complain(sentence(problem));
        continue;
      }
      if (!this.#hidden || await this.#askSecret("Repeat the password:") === password) {
        return password;
      }
      this.#view.complain("The two passwords differ.");
    }
  }

  async #authenticate(): Promise<void> {
    for (;;) {
      const password = await this.#askSecret("Existing user. Please enter password:");
      try {
        const { username, overview } = await this.#client.authenticate(password);
        this.#view.welcome(username, overview);
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
        this.#view.complain(
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
}
